package fd

import (
	"sync"
	"time"

	"github.com/go-greenlet/greenlet/internal/sys"
	"github.com/go-greenlet/greenlet/sched"
)

// A behind is what those have that take what is to be written at once, as the
// system would, and have a goroutine write it. What was taken goes out also after
// the loop has closed the file: see Finally.
type behind struct {
	loop *sched.Loop
	of   *Writers
	room func() // called on the loop when there is room again, or an error to be told
	run  func() // the goroutine's: it writes until nothing is left, and then calls end

	mu      sync.Mutex
	runs    bool   // the goroutine does
	refused bool   // something was, so room is to be called
	last    func() // to be called when all is written
}

const (
	// behindMost is how many bytes are taken, besides those that are being written.
	behindMost = 64 << 10

	// lingerTime is how long a file that was closed has for what was taken.
	lingerTime = time.Minute

	// loopLingers is how long the closing of a loop waits for that: who ends the
	// program next would end it, too.
	loopLingers = time.Second
)

// begin begins to write, if nobody does. It is called by the loop, with mu held.
func (b *behind) begin() {
	if !b.runs {
		b.runs = true
		b.of.writing.Add(1)
		go b.run()
	}
}

// end is called with mu held, which it gives back.
func (b *behind) end() {
	b.runs = false
	b.tell()
	last := b.last
	b.last = nil
	b.mu.Unlock()
	if last != nil {
		last()
	}
	b.of.writing.Done()
}

// tell has the loop know that there is room, if it has met with none. It is called
// with mu held.
func (b *behind) tell() {
	if b.refused {
		b.refused = false
		b.loop.Post(b.room) // a closed loop need not know
	}
}

// Finally has f called when all is written: at once, if it is. Else the goroutine
// calls it; f replaces one that was given before. It reports whether f was called.
func (b *behind) Finally(f func()) bool {
	b.mu.Lock()
	if b.runs {
		b.last = f
		b.mu.Unlock()
		return false
	}
	b.mu.Unlock()
	f()
	return true
}

// A lingerer is a file that can be told until when to wait.
type lingerer interface {
	Close() error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// CloseAfter closes f when all is written; what is not after lingerTime never is.
// Who reads f is woken at once.
func (b *behind) CloseAfter(f lingerer) {
	if !b.Finally(func() {
		sys.Release() // the end is something that is sent, too
		f.Close()
	}) {
		f.SetReadDeadline(time.Unix(1, 0))
		f.SetWriteDeadline(time.Now().Add(lingerTime))
	}
}

// Writers are the goroutines that write for a loop.
type Writers struct{ writing sync.WaitGroup }

// Linger waits for them, when the loop is closed: not for long.
func (w *Writers) Linger() {
	written := make(chan struct{})
	go func() {
		w.writing.Wait()
		close(written)
	}()
	patience := time.NewTimer(loopLingers)
	defer patience.Stop()
	select {
	case <-written:
	case <-patience.C:
	}
}
