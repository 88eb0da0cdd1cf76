package gl105

import (
	"context"
	"net/http"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

type api struct{ client http.Client }

// Package httpd calls handlers in tasks.
func (a *api) serve(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) {
		time.Sleep(1) // want `GL101: time.Sleep blocks the loop, in a function that asyncio/httpd runs`
	})
	mux.HandleFunc("/proxy", a.proxy)
	mux.Handle("/thread", httpd.InThread(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(1) })))
	return httpd.ListenAndServe(ctx, "localhost:0", mux)
}

func (a *api) proxy(_ http.ResponseWriter, r *http.Request) {
	a.client.Do(r) // want `GL105: http.Client.Do`
}

func (a *api) config(ctx context.Context) error {
	return httpd.New(&http.Server{Handler: http.HandlerFunc(a.other)}).ListenAndServe(ctx)
}

func (a *api) other(http.ResponseWriter, *http.Request) {
	time.Sleep(1) // want `GL101`
}

// Package net/http calls them on goroutines.
func goroutines(r *http.Request) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { time.Sleep(1) })
	return http.ListenAndServe("localhost:0", mux)
}

func both(ctx context.Context) error {
	go http.ListenAndServe("localhost:0", nil)
	if err := asyncio.Sleep(ctx, 1); err != nil {
		return err
	}
	return http.ListenAndServe("localhost:0", nil) // want `GL105: http.ListenAndServe .* use package asyncio/httpd`
}
