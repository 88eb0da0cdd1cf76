package asyncio

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// A stepContext is the context that the body of an async generator is given. In
// each step it is the context of the call that runs the step: the body has the
// caller's values and deadline, and waits as the caller's task.
//
// Contexts that the body has derived are asked by other goroutines, too. So
// what it is at present is swapped as a whole.
type stepContext struct {
	caller atomic.Pointer[callerContext]
}

// A callerContext is what a stepContext is from one step on.
type callerContext struct{ context.Context }

// noCaller is what a body's context is before the first step: no caller's context
// is equal to it.
var noCaller = callerContext{nobody{context.Background()}}

type nobody struct{ context.Context }

// is reports whether c is ctx at present.
func (c *stepContext) is(ctx context.Context) bool { return c.caller.Load().Context == ctx }

// become makes ctx what c is. It refuses a ctx that is derived from c.
func (c *stepContext) become(ctx context.Context) error {
	if ctx.Value(c) != nil {
		return runtimeErrorf("an asynchronous generator cannot run with the context of its own body")
	}
	c.caller.Store(&callerContext{ctx})
	return nil
}

// Deadline is the caller's.
func (c *stepContext) Deadline() (time.Time, bool) { return c.caller.Load().Deadline() }

// Done is the caller's.
func (c *stepContext) Done() <-chan struct{} { return c.caller.Load().Done() }

// Err is the caller's.
func (c *stepContext) Err() error { return c.caller.Load().Err() }

// Value returns the caller's value of key.
func (c *stepContext) Value(key any) any {
	if key == any(c) {
		return c
	}
	return c.caller.Load().Value(key)
}

// String tells which context it is at present.
func (c *stepContext) String() string {
	return fmt.Sprintf("an asynchronous generator's step with %v", c.caller.Load().Context)
}

// presently returns the context that ctx is now: itself, or the caller's if
// it is that of a generator's body.
func presently(ctx context.Context) context.Context {
	for {
		c, ok := ctx.(*stepContext)
		if !ok {
			return ctx
		}
		ctx = c.caller.Load().Context
	}
}
