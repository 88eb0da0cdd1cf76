package fd

import (
	"io"

	"github.com/go-greenlet/greenlet/sched"
)

// A WriteBehind writes bytes, which it takes into a buffer that has an end.
type WriteBehind struct {
	behind
	to    io.Writer
	taken []byte // what is not being written yet
	spare []byte // memory that was written from
	err   error  // why nothing is written any more
}

// writeBehindIdle is how much memory is kept when all is written.
const writeBehindIdle = 4 << 10

// Init has what is taken written to to, and room called on l when there is room
// again, or an error to be told.
func (w *WriteBehind) Init(l *sched.Loop, of *Writers, to io.Writer, room func()) {
	w.to = to
	w.behind = behind{loop: l, of: of, room: room, run: w.writeAll}
}

// Write takes what there is room for, without waiting: ErrAgain if there is none.
func (w *WriteBehind) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	n := min(len(p), behindMost-len(w.taken))
	if n < len(p) {
		w.refused = true
	}
	if n == 0 {
		return 0, ErrAgain
	}
	w.taken = append(w.taken, p[:n]...)
	w.begin()
	return n, nil
}

// writeAll writes until nothing is left.
func (w *WriteBehind) writeAll() {
	w.mu.Lock()
	for len(w.taken) > 0 {
		p := w.taken
		w.taken, w.spare = w.spare[:0], nil
		w.tell()
		w.mu.Unlock()
		_, err := w.to.Write(p)
		w.mu.Lock()
		w.spare = p[:0]
		if err != nil {
			w.err, w.taken = err, nil
			w.refused = true // so that it is told
		}
	}
	if cap(w.taken) > writeBehindIdle {
		w.taken = nil
	}
	if cap(w.spare) > writeBehindIdle {
		w.spare = nil
	}
	w.end()
}

// Failure is why nothing is written any more, or nil.
func (w *WriteBehind) Failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
