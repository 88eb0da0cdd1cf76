package asyncio

import (
	"context"
	"errors"
	"fmt"
)

// An ExitStack is any number of context managers, and other things to be done at
// the end, which are left in the opposite order. The zero value is empty and can
// be used.
//
//	var stack asyncio.ExitStack
//	err := asyncio.With(ctx, &stack, func(ctx context.Context, stack *asyncio.ExitStack) error {
//		for _, addr := range addrs {
//			conn, err := asyncio.EnterContext(ctx, stack, dial(addr))
//			...
//		}
//		...
//	})
//
// Everything is done, even if something fails, panics or is cancelled. It belongs
// to the goroutine of the loop. Python: contextlib.AsyncExitStack.
type ExitStack struct {
	exits []func(ctx context.Context, err error) error
}

// EnterContext calls m.Enter, returns its value, and arranges that m.Exit is called
// when the stack is left. If Enter fails EnterContext returns its error, and Exit is
// not called. Only the task that uses s may call it; it switches if Enter does. Python:
// enter_async_context.
func EnterContext[T any](ctx context.Context, s *ExitStack, m ContextManager[T]) (T, error) {
	v, err := m.Enter(ctx)
	if err == nil {
		s.Push(m.Exit)
	}
	return v, err
}

// Push has exit called when the stack is left, with the error of what comes
// before. What it returns takes the place of that: see ContextManager.Exit. Python:
// push_async_exit.
func (s *ExitStack) Push(exit func(ctx context.Context, err error) error) {
	s.exits = append(s.exits, exit)
}

// Callback has f called when the stack is left. It is not told of an error and
// cannot swallow one. Python: push_async_callback, callback.
func (s *ExitStack) Callback(f func(ctx context.Context) error) {
	s.Push(func(ctx context.Context, err error) error {
		if failed := f(ctx); failed != nil {
			return failed
		}
		return err
	})
}

// PopAll returns a new stack with all that is in s, which is empty then: for what
// is to live on when everything has gone well. Python: pop_all.
func (s *ExitStack) PopAll() *ExitStack {
	all := &ExitStack{s.exits}
	s.exits = nil
	return all
}

// Close leaves the stack, without an error. Python: aclose.
func (s *ExitStack) Close(ctx context.Context) error { return s.Exit(ctx, nil) }

// Enter returns the stack: it is a ContextManager.
func (s *ExitStack) Enter(context.Context) (*ExitStack, error) { return s, nil }

// Exit does all that was pushed, what was pushed last first, and returns what is
// left of err then. An error that takes the place of another one is chained to it:
// see ChainedError. The stack is empty afterwards.
func (s *ExitStack) Exit(ctx context.Context, err error) error {
	exits := s.exits
	s.exits = nil
	err = heardBy(ctx, err)
	var panicked *PanicError
	left := len(exits)
	defer func() {
		if left > 0 { // it is killed, or ended by runtime.Goexit
			s.exits = exits[:left]
			s.Exit(ctx, ErrGeneratorExit)
		}
	}()
	for left > 0 {
		left--
		p, now := guarded(ctx, exits[left], err)
		if p != nil {
			panicked, now = p, p
		}
		if now != nil && err != nil {
			now = chain(now, err)
		}
		err = now
	}
	if panicked != nil {
		panic(panicked)
	}
	return err
}

// guarded calls exit, and returns its panic.
func guarded(ctx context.Context, exit func(context.Context, error) error, err error) (panicked *PanicError, _ error) {
	defer func() {
		if p := recover(); p != nil {
			panicked = panicError(p, "an ExitStack")
		}
	}()
	return nil, exit(ctx, err)
}

// A ChainedError is an error that came up while another was being handled.
// errors.Is and errors.As look into Err and not into Context, as in Python, where
// an except clause looks at the error and not at its context.
//
// Python: an exception with a __context__.
type ChainedError struct {
	Err     error // the error
	Context error // what was being handled
}

// Error tells both.
func (e *ChainedError) Error() string {
	return fmt.Sprintf("%v (while handling: %v)", e.Err, e.Context)
}

// Unwrap returns Err.
func (e *ChainedError) Unwrap() error { return e.Err }

// chain returns err, chained to what came before; or that, if err is nil; or err
// itself if before is part of it or chained already.
func chain(err, before error) error {
	switch {
	case err == nil:
		return before
	case before == nil || errors.Is(err, before):
		return err
	}
	for e, c := err, (*ChainedError)(nil); errors.As(e, &c); e = c.Context {
		if errors.Is(c.Context, before) {
			return err
		}
	}
	return &ChainedError{err, before}
}
