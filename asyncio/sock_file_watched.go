//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

func (s *Socket) sendFile(ctx context.Context, f *os.File, offset, count int64, fallback bool) (sent int64, err error) {
	if s.kind != unix.SOCK_STREAM {
		return 0, valueErrorf("only SOCK_STREAM type sockets are supported")
	}
	if count == 0 {
		count = 1<<63 - 1 - offset
	}
	defer func() { f.Seek(offset+sent, io.SeekStart) }()
	err = s.do(ctx, &s.out, "sendfile", func() error {
		for sent < count {
			n, err := fd.SendPiece(s.d.FD, f, offset+sent, count-sent)
			if err != nil || n == 0 { // or the end of the file
				return err
			}
			sent += int64(n)
		}
		return nil
	})
	switch {
	case !errors.Is(err, fd.ErrNoSendfile):
		return sent, err
	case !fallback:
		return sent, ErrSendfileNotAvailable
	}
	more, err := sendPieces(ctx, f, offset+sent, count-sent, func(p []byte) error { return s.sendAll(ctx, p) })
	return sent + more, err
}

// sendFile sends up to n bytes of f from at on, without waiting: fd.ErrAgain if there
// is no room, fd.ErrNoSendfile if the system does not send f, 0 at the end of the file. It is one system call.
func (s *watchedSocket) sendFile(f *os.File, at, n int64) (int, error) {
	sent, err := fd.SendPiece(s.FD.FD, f, at, n)
	if err == fd.ErrAgain {
		s.can &^= sched.Writable
	}
	return sent, err
}
