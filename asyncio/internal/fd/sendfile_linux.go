//go:build !portable

package fd

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// SendPiece sends up to n bytes of f from at on to a socket, by one call of
// sendfile(2). Zero is the end of the file; the error is ErrNoSendfile if it is
// none that the system sends.
func SendPiece(socket int, f *os.File, at, n int64) (sent int, err error) {
	if NoSendfile {
		return 0, ErrNoSendfile
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	sys.Release()
	for {
		if e := raw.Control(func(from uintptr) {
			sent, err = unix.Sendfile(socket, int(from), &at, int(min(n, sys.Max)))
		}); e != nil {
			return 0, os.ErrClosed
		}
		switch {
		case err == nil:
			return sent, nil
		case unsendable(err):
			return 0, ErrNoSendfile
		case err != unix.EINTR:
			return 0, err
		}
	}
}

// unsendable reports whether err tells that sendfile does not do this file.
func unsendable(err error) bool {
	switch err {
	case unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP, unix.ESPIPE, unix.EPERM:
		return true
	}
	return false
}
