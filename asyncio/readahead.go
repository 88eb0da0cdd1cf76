//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import "io"

// A readAhead reads on a goroutine, one buffer ahead of who takes what it has
// read: not more, so who does not take holds up the other side. It is the loop's,
// except for the memory while a goroutine reads into it.
type readAhead struct {
	loop   *Loop
	from   io.Reader
	filled func() // called on the loop when there is something to take again

	reads, came func() // the goroutine's, and what that posts

	under bool   // way is a read
	buf   []byte // the memory
	n     int    // what has come into it, and
	with  error  // the error with that, until it is posted
	data  []byte // of buf, what was not taken yet
	err   error  // that comes after data
}

func (r *readAhead) init(l *Loop, from io.Reader, filled func()) {
	r.loop, r.from, r.filled = l, from, filled
	r.reads, r.came = r.run, r.arrived // made once: a read allocates only what posting does
}

const (
	// readAheadLeast is what an idle connection has for what may come. It doubles
	// when that fills it.
	readAheadLeast = 2 << 10

	readAheadMost = readBufferSize
)

// begin begins to read, unless it does already, or there is something to take.
func (r *readAhead) begin() {
	if r.under || len(r.data) > 0 || r.err != nil {
		return
	}
	if r.buf == nil {
		r.buf = make([]byte, readAheadLeast)
	}
	r.under = true
	go r.reads()
}

func (r *readAhead) run() {
	r.n, r.with = r.from.Read(r.buf)
	r.loop.s.Post(r.came) // a closed loop need not know
}

func (r *readAhead) arrived() {
	n, err := r.n, r.with
	r.under = false
	r.data, r.err = r.buf[:n], err
	switch {
	case n == 0 && err == nil:
		r.begin()
		return
	case n == len(r.buf) && n < readAheadMost:
		r.buf = make([]byte, 2*n)
	case n < len(r.buf)/8 && len(r.buf) > readAheadLeast:
		r.buf = make([]byte, len(r.buf)/2)
	}
	r.filled()
}

// any reports whether read would return something but errAgain.
func (r *readAhead) any() bool { return len(r.data) > 0 || r.err != nil }

// read takes what has come, without waiting: errAgain if there is nothing, 0 at
// the end. When all is taken the next read begins.
func (r *readAhead) read(p []byte) (int, error) {
	if len(r.data) == 0 {
		switch r.err {
		case nil:
			r.begin()
			return 0, errAgain
		case io.EOF:
			return 0, nil
		}
		return 0, r.err
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	switch {
	case len(r.data) > 0:
	case r.err == nil:
		r.begin()
	case !r.loop.s.Closed():
		r.loop.s.Soon(r.filled) // the end, which has come with the data, is news
	}
	return n, nil
}
