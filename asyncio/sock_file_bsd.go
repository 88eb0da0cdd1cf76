//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio

import (
	"context"
	"os"
)

// sendFileBySystem is for Linux only: sendfile(2) is another call on each of these
// systems.
func (s *Socket) sendFileBySystem(context.Context, *os.File, int64, int64) (int64, error) {
	return 0, errNoSendfile
}
