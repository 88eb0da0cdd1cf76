package httpd_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

// A script is a connection without a system: it brings a request n times, and
// takes every answer.
type script struct {
	request string
	n       int
}

func (s *script) Read(p []byte) (int, error) {
	if s.n == 0 {
		return 0, io.EOF
	}
	s.n--
	return copy(p, s.request), nil
}

func (s *script) Write(p []byte) (int, error)      { return len(p), nil }
func (s *script) Close() error                     { return nil }
func (s *script) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkRequest is what the server itself takes for a request, without the
// system's part.
func BenchmarkRequest(b *testing.B) {
	const few = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n"
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "Hello, world")
	})
	for _, c := range []struct {
		name string
		cfg  *http.Server
	}{
		{"plain", &http.Server{Handler: hello}},
		{"timeouts", &http.Server{Handler: hello, ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute,
			WriteTimeout: time.Minute, IdleTimeout: time.Minute}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			asyncio.RunFunc(b.Context(), func(ctx context.Context) error {
				return httpd.New(c.cfg).ServeConn(ctx, &script{few, b.N})
			}, asyncio.WithSignals(false))
		})
	}
}
