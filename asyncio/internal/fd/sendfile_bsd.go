//go:build (darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package fd

import "os"

// SendPiece is for Linux only: sendfile(2) is another call on each of these
// systems.
func SendPiece(int, *os.File, int64, int64) (int, error) { return 0, ErrNoSendfile }
