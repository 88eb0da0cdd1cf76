#!/usr/bin/env bash
# A client of net/http reads a body of which half has come, when another goroutine cancels
# the request. The server's handler hears that the client has gone and returns. What does
# io.ReadAll say to the reader: an error, or that this was all?
#
# Tried until one of 5000 requests is taken for whole, by HTTP/1.1 over TCP and over TLS,
# and by HTTP/2.
#
# Guess: an error, always. A body that was cut is known by that: HTTP/1.1 has marks for
# its end, and they are still to come.
# Seen: with Go 1.26.8 and 1.27.4, by HTTP/1.1 over TLS, some of a hundred have half the
# body and no error. Over TCP, and by HTTP/2, none has. Closing a TLS connection says
# goodbye first, and only then closes: the server, told by the goodbye, ends the handler
# and sends the mark of the end, and a Read that waits may get that before the
# connection is closed below it. So it is with a handler that is polite and returns
# when the request's context ends, on a near server.
# So who cancels requests looks at ctx.Err() before what was read is kept, in a cache or
# a file; and a handler that gives up half way panics with http.ErrAbortHandler.
#
# Needs Go and the module proxy, which has the second toolchain. Traffic is to the loopback.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module half

go 1.26.0
EOF2
cat >main.go <<'EOF2'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// whole reports whether half a body was ever read without an error.
func whole(name string, start func(*httptest.Server)) bool {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half a body")
		http.NewResponseController(w).Flush() // which fails if the client is quicker
		<-r.Context().Done()
	}))
	start(s)
	for n := range 5000 {
		ctx, cancel := context.WithCancel(context.Background())
		request, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
		must(err)
		answer, err := s.Client().Do(request)
		must(err)
		go cancel()
		_, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		if err == nil {
			fmt.Fprintf(os.Stderr, "%s: after %d\n", name, n)
			return true
		}
	}
	return false
}

func main() {
	fmt.Println(runtime.Version())
	fmt.Println("HTTP/1.1 over TCP:", whole("TCP", (*httptest.Server).Start))
	fmt.Println("HTTP/1.1 over TLS:", whole("TLS", (*httptest.Server).StartTLS))
	fmt.Println("HTTP/2 over TLS:", whole("HTTP/2", func(s *httptest.Server) {
		s.EnableHTTP2 = true
		s.StartTLS()
	}))
}
EOF2
for release in go1.26.8 go1.27.4; do
	GOTOOLCHAIN=$release go run .
done | tee seen
diff seen - <<'EOF2'
go1.26.8
HTTP/1.1 over TCP: false
HTTP/1.1 over TLS: true
HTTP/2 over TLS: false
go1.27.4
HTTP/1.1 over TCP: false
HTTP/1.1 over TLS: true
HTTP/2 over TLS: false
EOF2
echo "as it was seen"
