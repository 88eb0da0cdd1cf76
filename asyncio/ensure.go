package asyncio

import "context"

// EnsureFuture returns aw itself if it is a future, and a new task that will run
// it if it is a coroutine. The task has the values and the end of ctx.
//
// It panics with a TypeError if aw is nil, and with ErrNoRunningLoop if a
// coroutine is given by somebody who is not a task or callback of a loop. It does
// not switch. Python: asyncio.ensure_future.
func EnsureFuture[T any](ctx context.Context, aw Awaitable[T]) FutureOf[T] {
	l, err := loopFor(ctx, aw)
	if err == nil {
		err = startable(l, aw)
	}
	if err != nil {
		panic(err)
	}
	return startIn(l, ctx, aw)
}

// Awaitables returns aws, a slice of tasks, say, as the type that Gather takes:
// Gather(ctx, Awaitables(tasks)...).
func Awaitables[T any, A Awaitable[T]](aws []A) []Awaitable[T] {
	all := make([]Awaitable[T], len(aws))
	for i, aw := range aws {
		all[i] = aw
	}
	return all
}

// loopFor returns the loop on which aws are to be awaited: the running one, or
// if none runs that of the first future among them.
func loopFor[T any](ctx context.Context, aws ...Awaitable[T]) (*Loop, error) {
	l, err := loopOf(ctx)
	if err == nil {
		return l, nil
	}
	for _, aw := range aws {
		if f, ok := aw.(AnyFuture); ok {
			if _, isNil := f.future(nil); isNil == nil {
				return f.Loop(), nil
			}
		}
	}
	return nil, err
}

// startable tells why aw cannot be awaited on l: a call that takes several looks
// at all of them before it starts one.
func startable[T any](l *Loop, aw Awaitable[T]) error {
	switch a := aw.(type) {
	case nil:
		return errNotAwaitable
	case Coro[T]:
		if a == nil {
			return errNotAwaitable
		}
	case *Coroutine[T]:
		if a == nil {
			return errNotAwaitable
		}
	case *limited[T]:
		if a.coro == nil {
			return errNotAwaitable
		}
	case AnyFuture:
		switch f, err := a.future(l); {
		case err != nil:
			return err
		case f.Loop() != l:
			return errForeignFuture
		}
	}
	return nil
}

// startIn returns aw, which is startable, as a future of l: itself, or a new
// task with the context ctx.
func startIn[T any](l *Loop, ctx context.Context, aw Awaitable[T]) FutureOf[T] {
	switch a := aw.(type) {
	case Coro[T]:
		return start(l, ctx, a)
	case *Coroutine[T]:
		a.claimed()
		return start(l, ctx, a.Await)
	case *limited[T]:
		return start(l, ctx, a.coro, a.limit)
	}
	f, _ := aw.future(l)
	return f.(FutureOf[T])
}

// start makes a task of l, by the loop's factory if it has one.
func start[T any](l *Loop, ctx context.Context, f Coro[T], opts ...TaskOption) *Task[T] {
	if l.factory != nil {
		return manufacture(l, ctx, f, opts)
	}
	return newTask(l, ctx, f, opts)
}
