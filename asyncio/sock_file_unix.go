//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// noSendfile is for tests.
var noSendfile = false

// errNoSendfile: nothing was sent, and cannot be in this way.
var errNoSendfile = errors.New("no sendfile")

func (s *Socket) sendFile(ctx context.Context, f *os.File, offset, count int64, fallback bool) (sent int64, err error) {
	if s.kind != unix.SOCK_STREAM {
		return 0, valueErrorf("only SOCK_STREAM type sockets are supported")
	}
	if count == 0 {
		count = 1<<63 - 1 - offset
	}
	defer func() {
		if sent > 0 {
			f.Seek(offset+sent, io.SeekStart)
		}
	}()
	err = errNoSendfile
	if !noSendfile {
		sent, err = s.sendFileBySystem(ctx, f, offset, count)
	}
	if err == errNoSendfile {
		if !fallback {
			return 0, ErrSendfileNotAvailable
		}
		return s.sendFileByPieces(ctx, f, offset, count)
	}
	return sent, err
}

// sendFileByPieces reads and sends in turns. A read may block, so another
// goroutine does it.
func (s *Socket) sendFileByPieces(ctx context.Context, f *os.File, offset, count int64) (sent int64, err error) {
	p := make([]byte, min(count, sys.Max))
	for sent < count {
		piece := p[:min(count-sent, sys.Max)]
		n, err := ToThread(ctx, func(context.Context) (int, error) {
			n, err := f.ReadAt(piece, offset+sent)
			if err == io.EOF {
				err = nil
			}
			return n, err
		})
		if err != nil {
			return sent, err
		}
		if err := s.sendAll(ctx, piece[:n]); err != nil {
			return sent, err
		}
		if sent += int64(n); n < len(piece) { // the end of the file
			break
		}
	}
	return sent, nil
}
