#!/usr/bin/env bash
# How net/http's server answers CONNECT changes between two patch releases of Go.
#
# Guess: within Go 1.26 the bytes of an answer stay as they are; a patch release
# mends faults and security holes.
# Seen: a handler that writes 13 bytes to CONNECT is answered by Go 1.26.8 with
# Content-Length: 13, and the connection goes on as HTTP: a second request on it is
# answered. By Go 1.26.11 there is no Content-Length, the bytes are those of a
# tunnel, and the connection is closed after them. A proxy's client that reads the
# answer as HTTP works with one and waits for the end with the other.
#
# Needs Go and the module proxy; the two toolchains come from there.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module connect

go 1.26.0
EOF
cat >main.go <<'EOF'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
)

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "thirteen byte") }))
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		panic(err)
	}
	io.WriteString(c, "CONNECT one.test:443 HTTP/1.1\r\nHost: one.test:443\r\n\r\n"+
		"GET / HTTP/1.1\r\nHost: one.test\r\nConnection: close\r\n\r\n")
	all, _ := io.ReadAll(c)
	head, _, _ := strings.Cut(string(all), "\r\n\r\n")
	fmt.Printf("%s: the answer has a length: %v, answers on the connection: %d\n",
		runtime.Version(), strings.Contains(head, "Content-Length: 13"), strings.Count(string(all), "HTTP/1.1 200 OK"))
}
EOF
GOTOOLCHAIN=go1.26.8 go run . | tee seen
GOTOOLCHAIN=go1.26.11 go run . | tee -a seen
diff seen - <<'EOF'
go1.26.8: the answer has a length: true, answers on the connection: 2
go1.26.11: the answer has a length: false, answers on the connection: 1
EOF
echo "as it was seen"
