package asyncio

import (
	"context"
)

// Calls that a library makes in the name of a program come from tasks, from callbacks
// and from goroutines that know no loop, with a context of any of them.

// boundTo returns the loop that a connection is to belong to.
func boundTo(l *Loop, ctx context.Context) (*Loop, error) {
	if l != nil {
		return l, nil
	}
	if t := taskOf(ctx); t != nil {
		return t.loop, nil
	}
	return RunningLoop(ctx)
}

// A closable is what can be closed again if nobody wants it any more.
type closable interface {
	comparable
	Close() error
}

// beside calls f, which may block: on another goroutine, if a task calls, which
// waits for the result meanwhile. The ctx of f ends when the wait does; what it
// returns after that is closed.
func beside[C closable](ctx context.Context, f func(ctx context.Context) (C, error)) (C, error) {
	var none C
	l, err := RunningLoop(ctx)
	if err != nil {
		return f(threadContext{ctx})
	}
	if l.s.Current() == nil {
		return none, errCallbackWaits
	}
	type outcome struct {
		c   C
		err error
	}
	result := NewFuture[outcome](l)
	drop := func(o outcome) {
		if o.c != none {
			o.c.Close()
		}
	}
	inside, cancel := context.WithCancel(threadContext{ctx})
	defer cancel()
	l.s.Hold()
	go func() {
		defer l.s.Release()
		c, err := f(inside)
		_, closed := l.s.Post(func() {
			if result.SetResult(outcome{c, err}) != nil {
				drop(outcome{c, err})
			}
		})
		if closed != nil {
			drop(outcome{c, err})
		}
	}()
	o, err := result.Await(waitContext(ctx, l))
	if err != nil {
		if !result.Cancel() && !result.Cancelled() {
			o, _ = result.Result()
			drop(o)
		}
		return none, err
	}
	return o.c, o.err
}

// hook is beside for a call that a library may make: see unheard.go.
func hook[C closable](ctx context.Context, f func(ctx context.Context) (C, error)) (c C, err error) {
	var t *task
	if l, err := RunningLoop(ctx); err == nil {
		if st := l.s.Current(); st != nil {
			t = taskIn(st)
		}
	}
	err = t.below(func() (err error) {
		c, err = beside(ctx, f)
		return err
	})
	return c, err
}

// waitContext is ctx for a wait of the current task of l, which ctx need not come
// from: a hook may have kept it from another task, or another loop's.
func waitContext(ctx context.Context, l *Loop) context.Context {
	t := taskIn(l.s.Current())
	if taskOf(ctx) == t {
		return ctx
	}
	return foreignContext{ctx, t}
}

// errCallbackWaits is what a callback gets where it would have to wait: the loop
// would stand still.
var errCallbackWaits = errorf("RuntimeError", ErrNoRunningLoop, "a callback must not wait for a connection: only a task can")

// A foreignContext is a context that does not come from t, for a wait of t.
type foreignContext struct {
	context.Context
	t *task
}

func (c foreignContext) Value(key any) any {
	if key == (taskKey{}) {
		return c.t
	}
	return c.Context.Value(key)
}

// asTask returns ctx for a wait of the current task of l in its network.
func (l *Loop) asTask(ctx context.Context) (context.Context, error) {
	switch {
	case !l.s.Owned() || !l.s.Running():
		return nil, errOutside
	case l.s.Current() == nil:
		return nil, errCallbackWaits
	}
	return waitContext(ctx, l), nil
}
