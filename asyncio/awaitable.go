package asyncio

import (
	"context"
)

// A Coro is a coroutine function: it may wait, with its ctx. Calling it is
// awaiting it: it runs in the caller's task and the call returns its result.
// CreateTask makes a task of it, which runs beside the caller.
//
// It is a plain Go function. It may call others that wait, however deep, and
// needs no mark for that. The ctx carries the loop, the task and the values that
// contextvars carry in Python.
//
// Python: async def.
type Coro[T any] func(ctx context.Context) (T, error)

// An AnyAwaitable is an Awaitable of any type: a Coro, a Future, a Task.
type AnyAwaitable interface {
	// future returns itself if it is a future, else a new task of l.
	future(l *Loop) (AnyFuture, error)
}

// An Awaitable is what can be awaited and has a result of type T: a Coro[T], a
// *Future[T], a *Task[T], and what other functions of the package return.
type Awaitable[T any] interface {
	AnyAwaitable

	// Await returns the result, and waits for it if need be. Only a task may
	// call it. If it need not wait, it does not switch.
	Await(ctx context.Context) (T, error)
}

// A FutureOf is a future of which the type of the result is known, of whatever
// kind: a *Future[T], a *Task[T], or, where T is a slice, a *GatherFuture.
type FutureOf[T any] interface {
	AnyFuture
	Awaitable[T]

	// Result returns the result, or the error that it has failed with or was
	// cancelled with. While it is pending the error is ErrInvalidState.
	Result() (T, error)
}

// errNotAwaitable is the error of nil in the place of something to await.
var errNotAwaitable = typeErrorf("An asyncio.Future, a coroutine or an awaitable is required")

// None is the type of no result.
type None struct{}

// Await calls c. Python: await f().
func (c Coro[T]) Await(ctx context.Context) (T, error) { return c(ctx) }

func (c Coro[T]) future(l *Loop) (AnyFuture, error) {
	if c == nil {
		return nil, typeErrorf("a coroutine was expected, got nil")
	}
	return NewTask(l, c), nil
}

// futureOf returns aw as a future of l: itself, or a new task.
func futureOf[T any](l *Loop, aw Awaitable[T]) (FutureOf[T], error) {
	if aw == nil {
		return nil, errNotAwaitable
	}
	f, err := aw.future(l)
	if err != nil {
		return nil, err
	}
	if f.Loop() != l {
		return nil, errForeignFuture
	}
	return f.(FutureOf[T]), nil
}

// errForeignFuture is the error of a future that is given to another loop.
var errForeignFuture = errorf("ValueError", ErrOtherLoop, "The future belongs to a different loop than the one specified as the loop argument")

// Func makes a coroutine of a function that has no result, for calls that take
// an Awaitable: Gather(ctx, Func(f), Func(g)).
func Func(f func(ctx context.Context) error) Coro[None] { return coroutine(f) }

// coroutine makes a Coro of a function that has no result; nil stays nil. It is not
// inlined, so that what it returns can be told from other functions: see unwrapped.
//
//go:noinline
func coroutine(f func(ctx context.Context) error) Coro[None] {
	if f == nil {
		return nil
	}
	return func(ctx context.Context) (None, error) {
		if asks, ok := ctx.(*wrappedFunction); ok {
			asks.f = f
			return None{}, nil
		}
		return None{}, f(ctx)
	}
}

// A wrappedFunction is a context with which a coroutine that coroutine has made is
// asked for the function in it.
type wrappedFunction struct {
	context.Context
	f func(context.Context) error
}
