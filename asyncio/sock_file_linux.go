package asyncio

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// sendFileBySystem sends by sendfile(2).
func (s *Socket) sendFileBySystem(ctx context.Context, f *os.File, offset, count int64) (sent int64, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = s.do(ctx, &s.out, "sendfile", func() error {
		for sent < count {
			var n int
			var err error
			at := offset + sent
			if e := raw.Control(func(fd uintptr) {
				n, err = unix.Sendfile(s.fd, int(fd), &at, int(min(count-sent, sys.Max)))
			}); e != nil {
				return os.ErrClosed
			}
			switch {
			case err == unix.EINTR:
				continue
			case err != nil && err != unix.EAGAIN && sent == 0 && unsendable(err):
				return errNoSendfile
			case err != nil:
				return err
			case n == 0: // the end of the file
				return nil
			}
			sent += int64(n)
		}
		return nil
	})
	if errors.Is(err, errNoSendfile) {
		err = errNoSendfile
	}
	return sent, err
}

// unsendable reports whether err tells that sendfile does not do this file.
func unsendable(err error) bool {
	switch err {
	case unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP, unix.ESPIPE, unix.EPERM:
		return true
	}
	return false
}
