package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

// A counter is what the handlers share. It has no lock: tasks of one loop do not
// interrupt each other.
type counter struct{ visits map[string]int }

// handler is what aiohttp's tutorial calls the app and its routes.
func handler() http.Handler {
	c := &counter{make(map[string]int)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { c.greet(w, r, "Anonymous") })
	mux.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) { c.greet(w, r, r.PathValue("name")) })
	return mux
}

func (c *counter) greet(w http.ResponseWriter, r *http.Request, name string) {
	// In place of a database: others are served meanwhile.
	if err := asyncio.Sleep(r.Context(), time.Millisecond); err != nil {
		return // the client is gone, or the server ends
	}
	c.visits[name]++
	fmt.Fprintf(w, "Hello, %s (visit %d)\n", name, c.visits[name])
}

// serveHTTP serves the handler. Requests under way have five seconds when the task
// is cancelled, by Ctrl-C say.
func serveHTTP(ctx context.Context, ln net.Listener) error {
	srv := httpd.New(&http.Server{
		Handler:           handler(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
	})
	srv.GracePeriod = 5 * time.Second
	return srv.Serve(ctx, ln)
}
