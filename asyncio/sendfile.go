package asyncio

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/internal/sys"
)

// SendFile sends count bytes of the file f from offset on by a transport, or what
// there is up to the file's end if that is less; a count of zero is everything. It
// returns how many went out. The position in f is behind them afterwards, also
// after an error.
//
// It waits until what was written before is sent. Until it returns nothing is
// received, the protocol is told to pause writing, and Write, WriteEOF and another
// SendFile are refused with a RuntimeError: what they write would come in the
// middle of the file. Close ends it.
//
// On Linux the system sends the file, by sendfile(2), without a copy. Else, with
// TLS, and for files with which that does not work, it is read on a goroutine and
// written by pieces, unless SendFileFallback(false) says that the error is to be
// ErrSendfileNotAvailable. Without an error all of it has gone out. After one, the
// last piece counts if it was written: the transport still sends it, unless the
// connection was lost.
//
// The error is a RuntimeError if the transport is closing, has had its WriteEOF,
// or is none of a connection; a ValueError for a number below zero;
// ErrConnectionLost, or why the connection was lost; one of the system;
// or one of a wait. After a cancel the transport can be used, and what was sent is known. Only a
// task may call it; it switches. Python: loop.sendfile.
func (l *Loop) SendFile(ctx context.Context, t WriteTransport, f *os.File, offset, count int64, opts ...SendFileOption) (int64, error) {
	o, err := sendFileChoice(f, offset, count, opts)
	if err != nil {
		return 0, err
	}
	me, err := current(ctx)
	if err != nil {
		return 0, err
	}
	s := &fileSend{file: f, offset: offset, count: count}
	if count == 0 {
		s.count = 1<<63 - 1 - offset
	}
	var refuse *bool
	switch t := t.(type) {
	case *socketTransport:
		refuse, s.native = &t.refuse, true
	case *tlsTransport:
		refuse = &t.refuse
	}
	s.over, s.through = t, socketBelow(t)
	switch {
	case s.through == nil:
		return 0, runtimeErrorf("sendfile is not supported for transport %T", t)
	case me.loop != l || s.through.loop != l:
		return 0, ErrOtherLoop
	case t.IsClosing():
		return 0, runtimeErrorf("Transport is closing")
	case s.through.file != nil:
		return 0, errSending
	case s.through.eofAsked:
		return 0, runtimeErrorf("Cannot call SendFile after write_eof()")
	case !s.native && !o.fallback:
		return 0, ErrSendfileNotAvailable
	}
	s.refuse = refuse
	return s.run(ctx, o.fallback)
}

// A SendFileOption is a choice made for Loop.SendFile or Socket.SendFile.
type SendFileOption interface{ forSendFile(o *sendFileOptions) }

type sendFileOption func(*sendFileOptions)

func (f sendFileOption) forSendFile(o *sendFileOptions) { f(o) }

type sendFileOptions struct{ fallback bool }

// SendFileFallback tells whether a file that the system cannot send is read and
// sent by pieces. It is unless on is false. Python: fallback.
func SendFileFallback(on bool) SendFileOption {
	return sendFileOption(func(o *sendFileOptions) { o.fallback = on })
}

// sendFileChoice refuses what cannot be a part of a file.
func sendFileChoice(f *os.File, offset, count int64, opts []SendFileOption) (sendFileOptions, error) {
	o := sendFileOptions{fallback: true}
	choose(&o, opts, SendFileOption.forSendFile)
	switch {
	case f == nil:
		return o, typeErrorf("a file was expected, got nil")
	case offset < 0:
		return o, valueErrorf("offset must be a non-negative integer (got %d)", offset)
	case count < 0:
		return o, valueErrorf("count must be a positive integer (got %d)", count)
	}
	return o, nil
}

var errSending = runtimeErrorf("unable to write; sendfile is in progress")

// A fileSend is a SendFile that is under way.
type fileSend struct {
	file          *os.File
	offset, count int64
	sent          int64

	over    WriteTransport   // by which it is sent
	through *socketTransport // the lowest one: over itself, or what is below TLS
	native  bool             // there is nothing in between
	refuse  *bool            // of over
	waits   line             // the task, which waits for room or the end of the connection
}

// socketBelow returns the socket's transport that t is, or is over: nil if there
// is none.
func socketBelow(t BaseTransport) *socketTransport {
	for {
		switch over := t.(type) {
		case *socketTransport:
			return over
		case *tlsTransport:
			t = over.below
		default:
			return nil
		}
	}
}

func sendsFile(t BaseTransport) bool {
	s := socketBelow(t)
	return s != nil && s.file != nil
}

func (s *fileSend) run(ctx context.Context, fallback bool) (_ int64, err error) {
	s.through.file, *s.refuse = s, true
	s.through.marks.hold(s.through)
	defer func() {
		s.through.file, *s.refuse = nil, false
		s.through.marks.release(s.through.out.len(), s.through)
		s.through.Happened(0) // what has come meanwhile
		s.file.Seek(s.offset+s.sent, io.SeekStart)
	}()
	if err := s.wait(ctx); err != nil {
		return 0, err
	}
	err = fd.ErrNoSendfile
	if s.native {
		err = s.bySystem(ctx)
	}
	switch {
	case err != fd.ErrNoSendfile:
		return s.sent, err
	case !fallback:
		return s.sent, ErrSendfileNotAvailable
	}
	more, err := sendPieces(ctx, s.file, s.offset+s.sent, s.count-s.sent, func(p []byte) error {
		if err := s.wait(ctx); err != nil {
			return err
		}
		*s.refuse = false
		err := s.over.Write(p)
		*s.refuse = true
		if err == nil {
			err = s.lost()
		}
		return err
	})
	s.sent += more
	if err == nil {
		err = s.wait(ctx) // for the last piece
	}
	return s.sent, err
}

// bySystem makes one system call a turn.
func (s *fileSend) bySystem(ctx context.Context) error {
	for s.sent < s.count {
		n, err := s.through.sock.end.sendFile(s.file, s.offset+s.sent, s.count-s.sent)
		s.sent += int64(n)
		switch {
		case err == fd.ErrAgain:
			err = s.stand(ctx)
		case err == fd.ErrNoSendfile || errors.Is(err, os.ErrClosed):
			return err
		case err != nil:
			return s.through.opError("sendfile", err)
		case n == 0: // the end of the file
			return nil
		case s.sent < s.count:
			err = Sleep(ctx, 0)
		}
		if err == nil {
			err = s.lost()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wait suspends the task until all that was written is sent.
func (s *fileSend) wait(ctx context.Context) error {
	for s.through.out.len() > 0 && s.through.lost == 0 {
		if err := s.stand(ctx); err != nil {
			return err
		}
	}
	return s.lost()
}

// lost returns why no more can be sent.
func (s *fileSend) lost() error {
	switch {
	case !s.over.IsClosing():
		return nil
	case s.through.lostErr != nil:
		return s.through.lostErr
	}
	return ErrConnectionLost
}

// stand suspends the task until something has happened.
func (s *fileSend) stand(ctx context.Context) error {
	me, err := current(ctx)
	if err != nil {
		return err
	}
	_, err = s.waits.wait(ctx, me)
	return err
}

// sendPieces reads count bytes of f from offset on and sends them, in turns, and
// returns how many were sent. A read may block, so another goroutine does it.
func sendPieces(ctx context.Context, f *os.File, offset, count int64, send func([]byte) error) (sent int64, err error) {
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
		if err == nil && n > 0 {
			err = send(piece[:n])
		}
		if err != nil {
			return sent, err
		}
		if sent += int64(n); n < len(piece) { // the end of the file
			break
		}
	}
	return sent, nil
}
