//go:build (darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import "os"

// sendPiece is for Linux only: sendfile(2) is another call on each of these
// systems.
func sendPiece(int, *os.File, int64, int64) (int, error) { return 0, errNoSendfile }
