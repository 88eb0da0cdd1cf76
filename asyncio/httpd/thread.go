package httpd

import (
	"context"
	"net/http"
	"runtime/debug"

	"github.com/go-greenlet/greenlet/asyncio"
)

// InThread returns a handler that has h called on a goroutine of its own, while
// the task of the connection waits: for handlers that block, as
// httputil.ReverseProxy, which waits for the goroutines of its Transport. The
// ResponseWriter and the body work there as in the task. r.Context() ends as in the
// task, and by a cancel of that; it leads to no loop on which h could wait. What h
// panics with is the handler's panic. Served by net/http it is h itself.
//
// The task waits until h has returned, whatever happens. Cost: a goroutine for each
// request, and two hand-overs.
func InThread(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		t := asyncio.CurrentTask(r.Context())
		if t == nil {
			h.ServeHTTP(rw, r)
			return
		}
		inside, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		r = r.WithContext(inside)
		call := asyncio.RunInExecutor(t.Loop(), goroutine{}, func() (asyncio.None, error) {
			return asyncio.None{}, serveCaught(h, rw, r)
		})
		// Not with the request's context: h has to see that it has ended, and return.
		ctx := context.WithoutCancel(t.Context())
		for {
			_, err := asyncio.Shield(ctx, call).Await(ctx)
			if call.Done() {
				break
			}
			cancel(err)
			if t.Loop().IsClosed() {
				return
			}
		}
		if _, err := call.Result(); err != nil {
			panic(err)
		}
	})
}

// serveCaught calls h and returns what it has panicked with.
func serveCaught(h http.Handler, rw http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = http.ErrAbortHandler
		default:
			err = &asyncio.PanicError{Value: p, Stack: debug.Stack(), Greenlet: "a handler's goroutine"}
		}
	}()
	h.ServeHTTP(rw, r)
	return nil
}

// A goroutine is an executor that makes one for each call.
type goroutine struct{}

func (goroutine) Submit(f func()) error {
	go f()
	return nil
}
