#!/usr/bin/env bash
# A call is under way, and its context is cancelled with a cause of the program's own
# (context.WithCancelCause). Which error does the call return: context.Canceled, or the
# cause? And which in an errgroup, where another goroutine has failed meanwhile?
#
# Guess: context.Canceled, as it ever was: who wants the cause asks context.Cause. At least
# all of one library say the same, and errors.Is(err, context.Canceled) holds.
# Seen: with Go 1.26.8 and 1.27.4, golang.org/x/sync v0.25.0, golang.org/x/time v0.16.0
#   net/http by HTTP/1.1   the cause, for the answer and for its body, and it is not
#                          context.Canceled
#   net/http by HTTP/2     context.Canceled, from the same code with the same client
#   net.Dialer, semaphore, rate, os/exec before the start   context.Canceled
#   in an errgroup         by HTTP/1.1 the error of the other goroutine, as if this request
#                          had failed by it; by HTTP/2 context.Canceled
#   with a timeout that has a cause (WithTimeoutCause)      by HTTP/1.1 the error is neither
#                          context.DeadlineExceeded nor one whose Timeout() is true
# errgroup gives its context the first error as the cause. So code that is silent about
# context.Canceled, that tries again what has timed out, or that counts failures, does
# otherwise as the server happens to speak HTTP/2 or not. Ask ctx.Err() after the call, or
# give a cause that wraps context.Canceled, as signal.NotifyContext does.
#
# Needs Go and the module proxy, which has the second toolchain. Traffic is to the loopback.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module cause

go 1.26.0

require (
	golang.org/x/sync v0.25.0
	golang.org/x/time v0.16.0
)
EOF2
cat >main.go <<'EOF2'
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

var errCause = errors.New("the cause")

func what(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "context.Canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "context.DeadlineExceeded"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "a timeout"
	case errors.Is(err, errCause):
		return "the cause"
	}
	return fmt.Sprint(err)
}

// A server answers nothing, or the beginning of an answer, and says when it was asked. It
// takes no notice of a client that has gone.
type server struct {
	*httptest.Server
	asked chan bool
}

func serve(http2 bool) server {
	asked := make(chan bool, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begin" {
			http.NewResponseController(w).Flush()
		}
		asked <- true
		select {}
	}))
	s.EnableHTTP2 = http2
	s.StartTLS()
	return server{s, asked}
}

func (s server) get(ctx context.Context, path string) error {
	request, err := http.NewRequestWithContext(ctx, "GET", s.URL+path, nil)
	if err != nil {
		panic(err)
	}
	answer, err := s.Client().Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = answer.Body.Read(make([]byte, 1))
	return err
}

func main() {
	fmt.Println(runtime.Version())
	for _, http2 := range []bool{false, true} {
		s := serve(http2)
		name := map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[http2]
		for _, path := range []string{"/", "/begin"} {
			ctx, cancel := context.WithCancelCause(context.Background())
			go func() {
				<-s.asked
				time.Sleep(100 * time.Millisecond) // until the answer's head is there
				cancel(errCause)
			}()
			fmt.Printf("%s, %s: %s\n", name, path, what(s.get(ctx, path)))
		}
		ctx, cancel := context.WithTimeoutCause(context.Background(), 300*time.Millisecond, errCause)
		fmt.Printf("%s, a timeout: %s\n", name, what(s.get(ctx, "/")))
		cancel()
		<-s.asked
		g, ctx := errgroup.WithContext(context.Background())
		g.Go(func() error {
			<-s.asked
			return errCause
		})
		g.Go(func() error {
			fmt.Printf("%s, in an errgroup: %s\n", name, what(s.get(ctx, "/")))
			return nil
		})
		g.Wait()
	}

	ended, cancel := context.WithCancelCause(context.Background())
	cancel(errCause)
	var d net.Dialer
	_, err := d.DialContext(ended, "tcp", "127.0.0.1:1")
	fmt.Println("net.Dialer:", what(err))
	fmt.Println("os/exec:", what(exec.CommandContext(ended, "true").Run()))
	s := semaphore.NewWeighted(1)
	s.Acquire(context.Background(), 1)
	fmt.Println("semaphore:", what(s.Acquire(ended, 1)))
	l := rate.NewLimiter(1, 1)
	l.Allow()
	fmt.Println("rate:", what(l.Wait(ended)))
}
EOF2
go mod tidy >/dev/null 2>&1
for release in go1.26.8 go1.27.4; do
	GOTOOLCHAIN=$release go run .
done 2>log | tee seen
cat >once <<'EOF2'
HTTP/1.1, /: the cause
HTTP/1.1, /begin: the cause
HTTP/1.1, a timeout: the cause
HTTP/1.1, in an errgroup: the cause
HTTP/2, /: context.Canceled
HTTP/2, /begin: context.Canceled
HTTP/2, a timeout: context.DeadlineExceeded
HTTP/2, in an errgroup: context.Canceled
net.Dialer: context.Canceled
os/exec: context.Canceled
semaphore: context.Canceled
rate: context.Canceled
EOF2
{ echo go1.26.8; cat once; echo go1.27.4; cat once; } | diff seen -
echo "as it was seen"
