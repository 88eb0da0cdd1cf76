package asyncio

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/alone"
)

// generators are the async generators of a loop that have started and not ended,
// in the order in which they started. The loop holds them, but not what users
// hold of them: a generator that nobody refers to is still closed in peace.
type generators struct {
	first, last *genState
	shut        bool // ShutdownAsyncGens was called
}

var generatorPart = newPart(endStacks, nil, (*generators).kill)

// genState is what all async generators have, whatever they yield.
type genState struct {
	body *genBody

	loop       *Loop // that knows it
	all        *generators
	gen        closer
	prev, next *genState
}

// A closer is an asyncGen of any type.
type closer interface {
	close(ctx context.Context) error
}

// genBody is what the stack of a generator's body refers to. While no loop knows
// the generator, that is nothing that holds the generator itself.
type genBody struct {
	ctx     stepContext
	fn      any // for its name
	known   *genState
	g       *greenlet.Greenlet // the body's, while known
	cleanup runtime.Cleanup    // of the handle, while known

	started bool
	ended   bool
	outcome error // what it has returned, until somebody was told
}

func (b *genBody) beginBody() {
	b.started = true
	if b.known != nil {
		b.g = greenlet.Current()
	}
}

func (b *genBody) end() {
	b.ended = true
	if b.known != nil {
		b.cleanup.Stop()
		b.known.remove()
	}
}

// told returns the error of a call that finds the end: of the first such call
// the body's.
func (b *genBody) told() error {
	err := b.outcome
	b.outcome = nil
	switch {
	case err == nil:
		return ErrStopAsyncIteration
	case alone.Within(err, ErrStopAsyncIteration):
		return alone.Behind(runtimeErrorf("async generator raised StopAsyncIteration"), err, ErrStopAsyncIteration)
	case alone.Within(err, greenlet.ErrStop):
		return alone.Behind(runtimeErrorf("async generator raised StopIteration"), err, greenlet.ErrStop, ErrStopIteration)
	}
	return err
}

// fresh reports whether the body has not run and may.
func (s *genState) fresh() bool { return !s.body.started && !s.body.ended }

// adopted makes the generator known to l.
func (s *genState) adopted(l *Loop, gen closer) {
	gens := generatorPart.in(l.parts)
	if gens.shut {
		slog.Warn(fmt.Sprintf("asyncio: asynchronous generator %s was scheduled after loop.ShutdownAsyncGens() call", functionName(s.body.fn)))
	}
	s.loop, s.all, s.gen, s.body.known = l, gens, gen, s
	s.prev = gens.last
	if gens.last == nil {
		gens.first = s
	} else {
		gens.last.next = s
	}
	gens.last = s
}

// remove makes its loop forget it.
func (s *genState) remove() {
	gens := s.all
	if s.prev == nil {
		gens.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		gens.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
	s.body.known, s.body.g = nil, nil
}

// abandoned closes the generator, to which nobody refers any more.
func (s *genState) abandoned() {
	if !s.body.ended && !s.loop.s.Closed() {
		newTask(s.loop, context.Background(), coroutine(s.gen.close), nil)
	}
}

// report tells the exception handler what the closing has failed with.
func (s *genState) report(err error) {
	c := ExceptionContext{
		Message:   "an error occurred during closing of asynchronous generator " + functionName(s.body.fn),
		Exception: err,
	}
	if s.loop != nil {
		s.loop.CallExceptionHandler(c)
		return
	}
	logLines("asyncio: "+c.Message, "exception", err, "")
}

// ShutdownAsyncGens closes the async generators that have started and not ended,
// each in a task of its own, and waits for that. What fails then is told to the
// exception handler. A generator that starts afterwards gets a warning by
// log/slog.
//
// Run and Runner.Close do it at the end. Only a task may call it. The error is
// that of a wait; if it is a CancelledError, the closing was cancelled, too.
// Python: loop.shutdown_asyncgens.
func (l *Loop) ShutdownAsyncGens(ctx context.Context) error {
	all := generatorPart.in(l.parts)
	all.shut = true
	if all.first == nil {
		return nil
	}
	me, err := current(ctx)
	if err != nil {
		return err
	}
	var gens []*genState
	var closing []*Task[None]
	left := 0
	ended := &doneFunc{fn: func() {
		if left--; left == 0 {
			me.wake()
		}
	}}
	for s := all.first; s != nil; s = s.next {
		t := newTask(l, ctx, coroutine(s.gen.close), nil)
		t.tell(ended)
		gens, closing = append(gens, s), append(closing, t)
		left++
	}
	var cancel error
	for left > 0 {
		err := me.suspend(ctx)
		if err != nil && cancel != nil || err != nil && asCancelled(err) == nil {
			return err
		}
		if err != nil {
			cancel = err
			for _, t := range closing {
				t.Cancel()
			}
		}
	}
	for i, t := range closing {
		if exc, _ := t.Exception(); exc != nil {
			gens[i].report(exc)
		}
	}
	return cancel
}

// kill ends by force what is still there when the loop is closed.
func (gens *generators) kill() {
	for s := gens.last; s != nil; s = gens.last {
		s.body.g.Kill()
		if gens.last == s { // another goroutine's: it cannot be killed from here
			s.remove()
		}
	}
}
