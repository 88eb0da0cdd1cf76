package fd

import (
	"io"

	"github.com/go-greenlet/greenlet/sched"
)

// A ReadAhead reads on a goroutine, one buffer ahead of who takes what it has
// read: not more, so who does not take holds up the other side. It is the loop's,
// except for the memory while a goroutine reads into it.
type ReadAhead struct {
	loop   *sched.Loop
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

// Init has from read, and filled called on l when there is something to take again.
func (r *ReadAhead) Init(l *sched.Loop, from io.Reader, filled func()) {
	r.loop, r.from, r.filled = l, from, filled
	r.reads, r.came = r.run, r.arrived // made once: a read allocates only what posting does
}

const (
	// readAheadLeast is what an idle connection has for what may come. It doubles
	// when that fills it.
	readAheadLeast = 2 << 10

	readAheadMost = 64 << 10
)

// Begin begins to read, unless it does already, or there is something to take.
func (r *ReadAhead) Begin() {
	if r.under || len(r.data) > 0 || r.err != nil {
		return
	}
	if r.buf == nil {
		r.buf = make([]byte, readAheadLeast)
	}
	r.under = true
	go r.reads()
}

func (r *ReadAhead) run() {
	r.n, r.with = r.from.Read(r.buf)
	r.loop.Post(r.came) // a closed loop need not know
}

func (r *ReadAhead) arrived() {
	n, err := r.n, r.with
	r.under = false
	r.data, r.err = r.buf[:n], err
	switch {
	case n == 0 && err == nil:
		r.Begin()
		return
	case n == len(r.buf) && n < readAheadMost:
		r.buf = make([]byte, 2*n)
	case n < len(r.buf)/8 && len(r.buf) > readAheadLeast:
		r.buf = make([]byte, len(r.buf)/2)
	}
	r.filled()
}

// Any reports whether Read would return something but ErrAgain.
func (r *ReadAhead) Any() bool { return len(r.data) > 0 || r.err != nil }

// Read takes what has come, without waiting: ErrAgain if there is nothing, 0 at
// the end. When all is taken the next read begins.
func (r *ReadAhead) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		switch r.err {
		case nil:
			r.Begin()
			return 0, ErrAgain
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
		r.Begin()
	case !r.loop.Closed():
		r.loop.Soon(r.filled) // the end, which has come with the data, is news
	}
	return n, nil
}

// Reading reports whether the goroutine reads.
func (r *ReadAhead) Reading() bool { return r.under }
