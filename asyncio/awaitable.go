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

// A typedFuture is a future of which the type of the result is known.
type typedFuture[T any] interface {
	AnyFuture
	Result() (T, error)
	Await(ctx context.Context) (T, error)
}

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
func futureOf[T any](l *Loop, aw Awaitable[T]) (typedFuture[T], error) {
	if aw == nil {
		return nil, typeErrorf("An asyncio.Future, a coroutine or an awaitable is required")
	}
	f, err := aw.future(l)
	if err != nil {
		return nil, err
	}
	if f.Loop() != l {
		return nil, errorf("ValueError", ErrOtherLoop, "The future belongs to a different loop than the one specified as the loop argument")
	}
	return f.(typedFuture[T]), nil
}

// coroutine makes a Coro of a function that has no result.
func coroutine(f func(ctx context.Context) error) Coro[None] {
	return func(ctx context.Context) (None, error) { return None{}, f(ctx) }
}
