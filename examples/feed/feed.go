package main

import (
	"io"
	"iter"

	"github.com/go-greenlet/greenlet"
)

// A Feed is written to, and a function reads what was written. It takes the place
// of an io.Pipe whose other end would need a goroutine.
type Feed struct {
	push  func(piece []byte) bool
	stop  func()
	ended bool
	err   error // what the function has returned
}

// NewFeed makes a Feed for read, which runs as pieces are written, and has the end
// when the Feed is closed.
func NewFeed(read func(r io.Reader) error) *Feed {
	f := new(Feed)
	f.push, f.stop = greenlet.Push(func(pieces iter.Seq[[]byte]) {
		f.err = read(&pieceReader{pieces: pieces})
		f.ended = true
	})
	return f
}

// Write returns when the function needs more than p. It may not be kept: p is the
// writer's again. When the function has ended, nobody reads: then the error is the
// function's, or io.ErrClosedPipe.
func (f *Feed) Write(p []byte) (int, error) {
	if f.ended {
		return 0, f.failure()
	}
	if len(p) > 0 && !f.push(p) && f.err != nil {
		return 0, f.err
	}
	return len(p), nil
}

func (f *Feed) failure() error {
	if f.err != nil {
		return f.err
	}
	return io.ErrClosedPipe
}

// Close is the end of what is read, and returns what the function then returns.
func (f *Feed) Close() error {
	f.stop()
	return f.err
}

// A pieceReader reads pieces that are pushed.
type pieceReader struct {
	pieces iter.Seq[[]byte]
	rest   []byte
}

func (r *pieceReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 && !r.more() {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// more waits for the next piece. A loop over what is pushed goes on where the one
// before has stopped.
func (r *pieceReader) more() bool {
	for r.rest = range r.pieces {
		return true
	}
	return false
}
