package httpd

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// mostDiscarded is how much of a body that no handler has read is read to keep the
// connection, as in net/http.
const mostDiscarded = 256 << 10

var errTwoReaders = errors.New("httpd: the body of a request is read by somebody else")

// A body is the body of a request, as handlers read it: in the task, in another
// one, or on a goroutine, but one at a time.
type body struct {
	w   *response
	src io.ReadCloser // ReadRequest's; nil: there is none

	mu      sync.Mutex // guards what follows; not held while somebody waits
	reading bool
	remain  int64 // of a body whose length is known
	sawEOF  bool
	closed  bool
	failed  bool // nobody knows where the next request begins
	early   bool // closed with much of it unread
}

// Read asks the client for the body, if it waits for that, and reads.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	err := b.claim()
	b.mu.Unlock()
	if err != nil {
		return 0, err
	}
	b.w.sendContinue()
	n, err := b.read(p)
	b.giveBack()
	return n, err
}

// claim makes the caller the one who reads. mu is held.
func (b *body) claim() error {
	switch {
	case b.closed:
		return http.ErrBodyReadAfterClose
	case b.reading:
		return errTwoReaders
	}
	b.reading = true
	return nil
}

func (b *body) giveBack() {
	b.mu.Lock()
	b.reading = false
	b.mu.Unlock()
}

// read reads for who has the claim.
func (b *body) read(p []byte) (int, error) {
	if b.sawEOF {
		return 0, io.EOF
	}
	n, err := b.src.Read(p)
	// The client may have ended before the body did: there is nothing more then.
	over := err == io.EOF || err == io.ErrUnexpectedEOF && b.w.received.ContentLength >= 0
	b.mu.Lock()
	b.remain -= int64(n)
	b.sawEOF = over
	b.failed = err != nil && !over
	b.mu.Unlock()
	if over {
		b.w.takeTrailer()
		b.w.c.watch.bodyRead(b.w)
	}
	return n, err
}

// A claimed is a body for who has the claim.
type claimed body

func (b *claimed) Read(p []byte) (int, error) { return (*body)(b).read(p) }

// Close reads what is left, if it is not much: so the connection can be kept. A
// Read that waits ends with an error, and the connection is not kept then.
func (b *body) Close() error {
	withheld := b.w.withholdContinue() || b.w.withheld
	known := b.w.received.ContentLength >= 0
	b.mu.Lock()
	closed, busy := b.closed, b.reading
	drop := b.sawEOF || b.failed || known && b.w.received.Close || withheld
	much := known && b.remain > mostDiscarded
	b.closed = true
	switch {
	case closed:
	case busy:
		b.failed = true
	case drop:
	case much:
		b.early = true
	default:
		b.reading = true
		b.mu.Unlock()
		n, err := io.CopyN(io.Discard, (*claimed)(b), mostDiscarded)
		b.giveBack()
		b.early = n == mostDiscarded
		if err == io.EOF {
			err = nil
		}
		return err
	}
	b.mu.Unlock()
	if busy {
		b.w.c.lent.Store(true)
		b.w.c.rwc.SetReadDeadline(time.Unix(1, 0))
	}
	return nil
}

// abandon is Close when the connection is closed, too.
func (b *body) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.reading {
		b.w.c.lent.Store(true)
	}
}

// settle reads what the handler has left, before the answer is sent: there are
// clients that read nothing before they have sent all. It reports what has become
// of the body.
func (b *body) settle() (keep, tooLarge bool) {
	b.mu.Lock()
	switch {
	case b.src == nil || b.closed:
		keep = b.src == nil || b.sawEOF
	case b.failed || b.reading:
	case b.w.received.ContentLength >= 0 && b.remain >= mostDiscarded:
		tooLarge = true
	case b.sawEOF:
		keep, b.closed = true, true
	default:
		b.reading = true
		b.mu.Unlock()
		_, err := io.CopyN(io.Discard, (*claimed)(b), mostDiscarded+1)
		b.mu.Lock()
		b.reading = false
		b.closed = b.closed || err == io.EOF // who reads now shall not take it for empty
		b.mu.Unlock()
		return err == io.EOF, err == nil
	}
	b.mu.Unlock()
	return keep, tooLarge
}

// complete reports whether there is nothing left to be read.
func (b *body) complete() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.src == nil || b.sawEOF
}
