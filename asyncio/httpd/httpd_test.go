package httpd_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
	"github.com/go-greenlet/greenlet/greenlettest"
)

// TestMain runs the tests and then looks for what they have left behind.
func TestMain(m *testing.M) {
	greenlettest.Main(m, http.DefaultTransport.(*http.Transport).CloseIdleConnections)
}

// patience is how long a test waits for what must come: only a fault needs it.
const patience = 5 * time.Minute

// A serving is a Server that serves, on a loop of its own, until the test is over.
type serving struct {
	*httpd.Server
	addr  string
	loop  *asyncio.Loop
	ended chan error      // what Serve has returned
	task  asyncio.AnyTask // in which it serves
}

// serve serves cfg on a loop.
func serve(t testing.TB, cfg *http.Server) *serving { return serveBy(t, httpd.New(cfg)) }

// serveBy is serve for a Server with choices of its own.
func serveBy(t testing.TB, srv *httpd.Server) *serving {
	t.Helper()
	return serveOn(t, srv, func(ctx context.Context, ln net.Listener) error { return srv.Serve(ctx, ln) })
}

func serveOn(t testing.TB, srv *httpd.Server, how func(context.Context, net.Listener) error) *serving {
	t.Helper()
	quiet(srv.Config)
	s := &serving{Server: srv, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ready, over := make(chan bool), make(chan error, 1)
	go func() {
		over <- asyncio.RunFunc(ctx, func(ctx context.Context) error {
			ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				close(ready)
				return err
			}
			s.addr = ln.Addr().String()
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				s.ended <- how(ctx, ln)
				return nil
			})
			s.task, s.loop = task, task.Loop()
			close(ready)
			if _, err := task.Await(ctx); ctx.Err() != nil {
				return err
			}
			return asyncio.Sleep(ctx, time.Hour) // for the tasks of the test
		}, asyncio.WithSignals(false))
	}()
	<-ready
	t.Cleanup(func() {
		cancel()
		if err := within(t, over); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the loop has ended with %v", err)
		}
	})
	return s
}

// within returns what c gives, or fails the test.
func within[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		t.Fatal("it does not come")
	}
	return v
}

// do calls f in a task of the loop.
func (s *serving) do(t testing.TB, f func(ctx context.Context) error) error {
	t.Helper()
	_, err := asyncio.RunCoroutineThreadsafe(s.loop, asyncio.Func(f)).Result(patience)
	return err
}

// quiet has what cfg logs go nowhere, unless it goes somewhere.
func quiet(cfg *http.Server) {
	if cfg.ErrorLog == nil {
		cfg.ErrorLog = log.New(io.Discard, "", 0)
	}
}

// A kind is a way to serve: ours, or net/http's.
type kind struct {
	name  string
	serve func(t testing.TB, cfg *http.Server) (addr string)
}

var kinds = []kind{
	{"httpd", func(t testing.TB, cfg *http.Server) string { return serve(t, cfg).addr }},
	{"net/http", onGoroutines},
}

func onGoroutines(t testing.TB, cfg *http.Server) string {
	quiet(cfg)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cfg.Serve(ln) }()
	t.Cleanup(func() {
		cfg.Close()
		<-over
	})
	return ln.Addr().String()
}

// onBoth runs a test with both kinds.
func onBoth(t *testing.T, f func(t *testing.T, k kind)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { f(t, k) })
	}
}

// dial connects to a server.
func dial(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// send writes s.
func send(t testing.TB, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

// exchange sends what a client says, ends its side, and returns all that the
// server answers. The server may end before it has heard all.
func exchange(t testing.TB, addr, says string) string {
	c := dial(t, addr)
	defer c.Close()
	var sending sync.WaitGroup
	sending.Go(func() {
		io.WriteString(c, says)
		c.CloseWrite()
	})
	answer, _ := io.ReadAll(c)
	sending.Wait()
	return undated(string(answer))
}

// ask is exchange for a client that does not end its side: one who does is gone for
// a handler that asks.
func ask(t testing.TB, addr, says string) string {
	t.Helper()
	c := dial(t, addr)
	defer c.Close()
	send(t, c, says)
	return closed(t, c)
}

// closed fails the test unless the server ends the connection, after what it
// returns.
func closed(t testing.TB, c net.Conn) string {
	t.Helper()
	answer, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is not closed after %q", answer)
	}
	return undated(string(answer))
}

var date = regexp.MustCompile(`(?m)^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$`)

// undated is an answer without the time, and with Connection as the last field:
// where it stands depends on Go's patch release.
func undated(answer string) string {
	return connection.ReplaceAllString(date.ReplaceAllString(answer, "Date: NOW\r"), "$2$1\r\n")
}

var connection = regexp.MustCompile(`(?m)^(Connection: .*\r\n)((?:[\w-]+: .*\r\n)*)\r\n`)

// get is a plain request.
func get(path string, fields ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: example.test\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}
