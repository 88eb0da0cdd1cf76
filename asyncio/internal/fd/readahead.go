package fd

import (
	"io"

	"github.com/go-greenlet/greenlet/sched"
)

// A ReadAhead is an Ahead that reads bytes, one buffer ahead of who takes what it has
// read: not more, so who does not take holds up the other side.
type ReadAhead struct {
	Ahead[[]byte]
	end error // Read has met with it

	// Of who gets:
	from io.Reader
	buf  []byte // the memory, of which nothing is left to be taken
	n    int    // what has come into it the last time,
	last error  // and with that
}

const (
	// readAheadLeast is what an idle connection has for what may come. It doubles
	// when that fills it.
	readAheadLeast = 2 << 10

	readAheadMost = 64 << 10
)

// Init has from read, and filled called on l when there is something to take again.
func (r *ReadAhead) Init(l *sched.Loop, from io.Reader, filled func()) {
	r.from = from
	r.Loop, r.Get, r.Drop, r.Came, r.Most = l, r.get, func([]byte) {}, filled, 1
}

func (r *ReadAhead) get() ([]byte, error) {
	switch {
	case r.last != nil:
		return nil, r.last
	case r.buf == nil:
		r.buf = make([]byte, readAheadLeast)
	case r.n == len(r.buf) && r.n < readAheadMost:
		r.buf = make([]byte, 2*r.n)
	case r.n > 0 && r.n < len(r.buf)/8 && len(r.buf) > readAheadLeast:
		r.buf = make([]byte, len(r.buf)/2)
	}
	for r.n = 0; r.n == 0 && r.last == nil; {
		r.n, r.last = r.from.Read(r.buf)
	}
	if r.n == 0 {
		return nil, r.last
	}
	return r.buf[:r.n], nil
}

// Read takes what has come, without waiting: ErrAgain if there is nothing, 0 at
// the end. When all is taken the next read begins.
func (r *ReadAhead) Read(p []byte) (n int, err error) {
	if err = r.end; err == nil {
		err = r.Take(func(data *[]byte) bool {
			n = copy(p, *data)
			*data = (*data)[n:]
			return len(*data) == 0
		})
		if err != ErrAgain {
			r.end = err
		}
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}
