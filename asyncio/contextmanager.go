package asyncio

import (
	"context"

	"github.com/go-greenlet/greenlet/internal/alone"
)

// A ContextManager is something that is entered and left: what must be done before
// and after a piece of work. Both may wait. With uses one, and an ExitStack any
// number. Where nothing is to be decided at the end, defer serves as well.
//
// Python: an asynchronous context manager, with __aenter__ and __aexit__.
type ContextManager[T any] interface {
	// Enter begins, and returns what the work is to be done with. If it fails
	// there will be no Exit. Python: __aenter__.
	Enter(ctx context.Context) (T, error)

	// Exit ends. err is the error that the work has ended with, or nil, and what
	// Exit returns takes its place: err itself lets it pass, nil swallows it.
	// Python: __aexit__.
	Exit(ctx context.Context, err error) error
}

// With enters m, calls body with what that gives, and leaves m, whatever happens.
// It returns what Exit returns; if Enter fails, its error.
//
// If body panics, Exit is told of a *PanicError, and then the panic goes on: it
// cannot be swallowed. If the task is killed, because the loop is closed, Exit is
// told of ErrGeneratorExit. It switches as often as the three of them do. Python:
// async with.
func With[T any](ctx context.Context, m ContextManager[T], body func(ctx context.Context, v T) error) error {
	v, err := m.Enter(ctx)
	if err != nil {
		return err
	}
	return during(
		func() error { return heardBy(ctx, body(ctx, v)) },
		func(err error) error { return m.Exit(ctx, err) })
}

// during calls body and then exit, whatever happens.
func during(body func() error, exit func(error) error) error {
	returned := false
	defer func() {
		if returned {
			return
		}
		if p := recover(); p != nil {
			err := panicError(p, "the body of With")
			exit(err)
			panic(err)
		}
		exit(ErrGeneratorExit) // it is killed, or ended by runtime.Goexit
	}()
	err := body()
	returned = true
	return exit(err)
}

// Closing returns a manager that gives thing, and closes it at the end. The error
// of Close takes the place of the work's, to which it is chained: see ChainedError.
// Python: contextlib.aclosing.
func Closing[T interface {
	Close(ctx context.Context) error
}](thing T) ContextManager[T] {
	return closing[T]{thing}
}

type closing[T interface {
	Close(ctx context.Context) error
}] struct{ thing T }

func (c closing[T]) Enter(context.Context) (T, error) { return c.thing, nil }

func (c closing[T]) Exit(ctx context.Context, err error) error {
	return chain(c.thing.Close(ctx), err)
}

// NewContextManager makes a manager of one function: what comes before its call of
// yield is Enter, what comes after it is Exit. yield gives v to the work and
// returns the work's error; what the function returns takes the place of that. It
// must call yield just once, and may wait before and after:
//
//	func(ctx context.Context, yield func(*Conn) error) error {
//		conn, err := dial(ctx)
//		if err != nil {
//			return err
//		}
//		defer conn.Close()
//		return yield(conn)
//	}
//
// The manager can be used once. Python: contextlib.asynccontextmanager.
func NewContextManager[T any](f func(ctx context.Context, yield func(v T) error) error) ContextManager[T] {
	return &generatorManager[T]{NewAsyncGen(func(ctx context.Context, y *AsyncYielder[T, None]) error {
		return f(ctx, func(v T) error {
			_, err := y.Yield(v)
			return err
		})
	})}
}

type generatorManager[T any] struct{ gen *AsyncGen[T, None] }

func (m *generatorManager[T]) Enter(ctx context.Context) (T, error) {
	v, err := m.gen.Next(ctx)
	if alone.Is(err, ErrStopAsyncIteration) {
		err = runtimeErrorf("generator didn't yield")
	}
	return v, err
}

func (m *generatorManager[T]) Exit(ctx context.Context, err error) error {
	what := "generator didn't stop"
	var end error
	if err == nil {
		_, end = m.gen.Next(ctx)
	} else {
		_, end = m.gen.Throw(ctx, err)
		what += " after athrow()"
	}
	switch {
	case alone.Is(end, ErrStopAsyncIteration):
		return nil
	case end == nil:
		return chain(runtimeErrorf("%s", what), chain(m.gen.Close(ctx), err))
	}
	return end
}
