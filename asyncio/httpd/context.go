package httpd

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A requestContext is the context of a request: that of the task, which ends when
// the handler returns, too, or when the client is gone. Nobody looks whether the
// client is there before somebody asks for the end.
type requestContext struct {
	w       *response
	mu      sync.Mutex // to make derived
	over    bool
	derived atomic.Pointer[derivedContext]
}

// A derivedContext is what is made when somebody asks for the end.
type derivedContext struct {
	context.Context
	cancel context.CancelFunc
}

func (r *requestContext) task() context.Context { return r.w.c.ctx }

// derive returns the context that ends. Any goroutine may call it.
func (r *requestContext) derive() *derivedContext {
	if d := r.derived.Load(); d != nil {
		return d
	}
	r.mu.Lock()
	d := r.derived.Load()
	made := d == nil
	if made {
		ctx, cancel := context.WithCancel(r.task())
		d = &derivedContext{ctx, cancel}
		if r.over {
			cancel()
		}
		r.derived.Store(d)
	}
	r.mu.Unlock()
	if made {
		r.w.c.watch.want(r.w)
	}
	return d
}

// end ends it.
func (r *requestContext) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	if d := r.derived.Load(); d != nil {
		d.cancel()
	}
}

// Deadline is the task's.
func (r *requestContext) Deadline() (time.Time, bool) { return r.task().Deadline() }

// Done has the client watched from now on.
func (r *requestContext) Done() <-chan struct{} { return r.derive().Done() }

// Err has the client watched from now on.
func (r *requestContext) Err() error { return r.derive().Err() }

// AfterFunc is what package context calls in place of a goroutine that waits.
func (r *requestContext) AfterFunc(f func()) (stop func() bool) {
	return context.AfterFunc(r.derive().Context, f)
}

// Value is the task's, and net/http's address of the connection.
func (r *requestContext) Value(key any) any {
	if key == http.LocalAddrContextKey {
		return r.w.c.rwc.LocalAddr()
	}
	if d := r.derived.Load(); d != nil {
		return d.Value(key) // package context looks for its own
	}
	return r.task().Value(key)
}

// String names the request.
func (r *requestContext) String() string {
	return "context of " + r.w.method + " in " + r.w.c.task.Name()
}
