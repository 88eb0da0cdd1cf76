// Package httpd serves net/http's handlers on an event loop of package asyncio,
// each connection in a task of its own:
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"net/http"
//		"time"
//
//		"github.com/go-greenlet/greenlet/asyncio"
//		"github.com/go-greenlet/greenlet/asyncio/httpd"
//	)
//
//	func main() {
//		mux := http.NewServeMux()
//		mux.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) {
//			asyncio.Sleep(r.Context(), 10*time.Millisecond)
//			fmt.Fprintln(w, "Hello,", r.PathValue("name"))
//		})
//		err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
//			return httpd.ListenAndServe(ctx, "127.0.0.1:8080", mux)
//		})
//		fmt.Println(err)
//	}
//
// Any http.Handler will do: a mux, a router, middleware, a whole application. What
// handlers of one loop share needs no lock, and a wait of theirs costs no thread.
//
// # What is served
//
// HTTP/1.0 and 1.1: connections that are kept, requests that are sent ahead (which
// are answered one after the other), chunks both ways, trailers, Expect:
// 100-continue, early hints, HEAD, Hijack, Flush, and the rest of
// http.ResponseController, full duplex too. Requests are parsed by
// http.ReadRequest. What is answered is, byte for byte, what http.Server of the
// same release answers, to bad requests as well, and a fuzz test compares them.
// HTTP/2 is not offered: over TLS the client is told so, and goes on with HTTP/1.1.
//
// The Config is an http.Server, with its hooks and timeouts. Graceful ends are
// Shutdown and GracePeriod.
//
// # Handlers
//
//   - A handler runs in the connection's task. r.Context() is the task's, so the
//     calls of package asyncio wait with it. Other tasks of the loop, and other
//     connections, go on while it waits.
//   - It must not block: a channel, a mutex, a client of net/http stop the loop.
//     InThread runs a handler that does on a goroutine: httputil.ReverseProxy, or
//     one that was written for http.Server.
//   - r.Context() ends when the handler has returned, or when the client has gone or
//     has closed its side. A wait with it ends by context.Canceled then. Nobody
//     watches the client before somebody asks, by Done, Err, a wait or a context
//     that is derived, and before the body was read to its end. CloseNotify is the
//     same. Who writes to a client that is gone gets an error.
//   - A handler may have the body read, and the answer written, by other tasks and
//     by goroutines, one at a time, as long as it waits for them. A Read that is
//     still under way when it returns ends with an error, and so does the
//     connection.
//   - A cancel of the task (by the end of Serve, or Close of a TaskGroup that has
//     called ServeConn) ends the handler's present wait by a CancelledError. The
//     answer that it then makes is the connection's last.
//   - A panic ends the connection, and is logged, unless it is
//     http.ErrAbortHandler.
//   - Hijack gives the connection away, in the task or on a goroutine: it has no
//     deadline then, and the server never closes it, also after a panic. Whoever has
//     it may use it in tasks or on goroutines, also when the handler has returned;
//     r.Context() has ended then, so a task that goes on gets a context by
//     context.WithoutCancel. The handler's own task may go on with it as well: a
//     cancel of Serve cancels it then, without a grace period, and waits for its
//     end; Shutdown and Close leave it alone, so RegisterOnShutdown is for telling
//     it. What reads must begin with the bufio.ReadWriter, in which there may be
//     something already.
//
// # What differs from http.Server
//
//   - Serve returns when its connections have ended, not when the end begins.
//   - http.MaxBytesReader refuses what is too long as ever, but cannot tell the
//     server: that is by a method which only net/http's own ResponseWriter has. The
//     connection is closed if more than 256 KiB are left, else it is kept.
//   - SetKeepAlivesEnabled, RegisterOnShutdown, Shutdown and Close are methods of
//     Server, not of its Config.
//   - Two who read one body at a time are not put in a line: the second gets an
//     error.
//   - ReadFrom copies: files are not sent by the system itself.
//   - A request that has been read when Shutdown begins is answered.
package httpd
