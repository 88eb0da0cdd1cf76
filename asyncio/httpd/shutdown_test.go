package httpd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

// A gatekeeper is a handler whose requests wait until they are let go.
type gatekeeper struct {
	begun chan bool
	let   chan bool
	err   chan error
}

func newGatekeeper() *gatekeeper {
	return &gatekeeper{make(chan bool, 9), make(chan bool), make(chan error, 9)}
}

func (g *gatekeeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/hello" {
		hello(w, r)
		return
	}
	g.begun <- true
	err := asyncio.ToThreadFunc(r.Context(), func(ctx context.Context) error {
		select {
		case <-g.let:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	fmt.Fprint(w, "let go ", err)
	g.err <- err
}

// connections has a request under way on one connection, another idle, a third
// new, and the last hijacked.
func (g *gatekeeper) connections(t *testing.T, addr string) (busy, idle, fresh net.Conn) {
	busy, idle, fresh = dial(t, addr), dial(t, addr), dial(t, addr)
	send(t, busy, get("/"))
	within(t, g.begun)
	send(t, idle, get("/hello"))
	resp, err := http.ReadResponse(bufio.NewReader(idle), nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	return busy, idle, fresh
}

// Shutdown lets a request go on to its end, which tells the client; what is idle
// ends, nothing new is taken.
func TestShutdown(t *testing.T) {
	g := newGatekeeper()
	s := serve(t, &http.Server{Handler: g})
	busy, idle, fresh := g.connections(t, s.addr)
	called, down := make(chan bool, 1), make(chan error, 1)
	go func() {
		down <- s.do(t, func(ctx context.Context) error {
			s.RegisterOnShutdown(func() { called <- true })
			return s.Shutdown(ctx)
		})
	}()
	within(t, called)
	if got := closed(t, idle); got != "" {
		t.Errorf("the idle connection gets %q", got)
	}
	if c, err := net.Dial("tcp", s.addr); err == nil {
		c.Close()
		t.Error("a connection is taken")
	}
	select {
	case err := <-s.ended:
		t.Errorf("Serve has not waited for the request: %v", err)
	default:
	}
	close(g.let)
	if got := closed(t, busy); !strings.Contains(got, "let go <nil>") || !strings.Contains(got, "Connection: close") {
		t.Errorf("the request under way gets %q", got)
	}
	send(t, fresh, get("/hello")) // it has come in time
	if got := closed(t, fresh); !strings.HasSuffix(got, "hello") {
		t.Errorf("the new connection gets %q", got)
	}
	if err := within(t, down); err != nil {
		t.Error(err)
	}
	if err := within(t, s.ended); err != http.ErrServerClosed {
		t.Errorf("Serve returns %v", err)
	}
	if err := s.do(t, s.ListenAndServe); err != http.ErrServerClosed {
		t.Errorf("afterwards ListenAndServe returns %v", err)
	}
}

// runsOutOfPatience has a Shutdown of s wait until its context ends.
func runsOutOfPatience(t *testing.T, s *serving) {
	t.Helper()
	err := s.do(t, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		return s.Shutdown(ctx)
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown returns %v", err)
	}
}

// Shutdown's patience is its context's; Close ends what is left.
func TestShutdownThenClose(t *testing.T) {
	g := newGatekeeper()
	s := serve(t, &http.Server{Handler: g})
	busy, _, fresh := g.connections(t, s.addr)
	runsOutOfPatience(t, s)
	if err := s.do(t, func(context.Context) error { return s.Close() }); err != nil {
		t.Error(err)
	}
	if err := within(t, g.err); !errors.Is(err, context.Canceled) {
		t.Errorf("the handler gets %v", err)
	}
	closed(t, busy)
	closed(t, fresh)
	if err := within(t, s.ended); err != http.ErrServerClosed {
		t.Errorf("Serve returns %v", err)
	}
}

// Who has no patience with a Shutdown may cancel the task that serves, or end its
// context: Serve says so.
func TestShutdownThenCancel(t *testing.T) {
	for _, way := range []string{"the task", "the context"} {
		t.Run(way, func(t *testing.T) {
			g := newGatekeeper()
			srv := &httpd.Server{Config: &http.Server{Handler: g}}
			var end context.CancelFunc
			s := serveOn(t, srv, func(ctx context.Context, ln net.Listener) error {
				ctx, end = context.WithCancel(ctx)
				return srv.Serve(ctx, ln)
			})
			g.connections(t, s.addr)
			runsOutOfPatience(t, s)
			want := asyncio.ErrCancelled
			if err := s.do(t, func(context.Context) error {
				if way == "the task" {
					s.task.Cancel()
				} else {
					end()
					want = context.Canceled
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := within(t, g.err); !errors.Is(err, asyncio.ErrCancelled) {
				t.Errorf("the handler gets %v", err)
			}
			if err := within(t, s.ended); !errors.Is(err, want) {
				t.Errorf("Serve returns %v", err)
			}
		})
	}
}

// The end of the task that serves, or of its context, is the end of its requests,
// which may have a while.
func TestServeIsCancelled(t *testing.T) {
	for _, c := range []struct {
		name  string
		grace time.Duration
		let   bool
	}{
		{"at once", 0, false},
		{"with patience", time.Hour, true},
		{"with little patience", soon, false},
	} {
		for _, way := range []string{"the task", "the context"} {
			t.Run(way+" "+c.name, func(t *testing.T) {
				g := newGatekeeper()
				srv := &httpd.Server{Config: &http.Server{Handler: g}, GracePeriod: c.grace}
				var end context.CancelFunc
				s := serveOn(t, srv, func(ctx context.Context, ln net.Listener) error {
					ctx, end = context.WithCancel(ctx)
					return srv.Serve(ctx, ln)
				})
				busy, idle, fresh := g.connections(t, s.addr)
				fresh.Close()
				want := asyncio.ErrCancelled
				err := s.do(t, func(context.Context) error {
					if way == "the task" {
						s.task.Cancel()
					} else {
						end()
						want = context.Canceled
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				closed(t, idle)
				if c.let {
					close(g.let)
				}
				if err := within(t, g.err); (err == nil) != c.let || err != nil && !errors.Is(err, asyncio.ErrCancelled) {
					t.Errorf("the handler gets %v", err)
				}
				if got := closed(t, busy); !strings.Contains(got, "let go") || !strings.Contains(got, "Connection: close") {
					t.Errorf("the request under way gets %q", got)
				}
				if err := within(t, s.ended); !errors.Is(err, want) {
					t.Errorf("Serve returns %v", err)
				}
			})
		}
	}
}

// A connection that was hijacked is nobody's to wait for, but that of who has
// cancelled all.
func TestShutdownWithHijacked(t *testing.T) {
	begun, ended := make(chan bool, 1), make(chan error, 1)
	s := serve(t, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
		}
		defer c.Close()
		begun <- true
		_, err = c.Read(make([]byte, 1))
		ended <- err
	})})
	c := dial(t, s.addr)
	send(t, c, get("/"))
	within(t, begun)
	if err := s.do(t, s.Shutdown); err != nil {
		t.Error(err)
	}
	if err := within(t, s.ended); err != http.ErrServerClosed {
		t.Errorf("Serve returns %v", err)
	}
	send(t, c, "x")
	if err := within(t, ended); err != nil {
		t.Errorf("the hijacked connection gets %v", err)
	}
}

// Without keep-alives each connection brings one request.
func TestNoKeepAlives(t *testing.T) {
	s := serve(t, &http.Server{Handler: http.HandlerFunc(hello)})
	idle := dial(t, s.addr)
	send(t, idle, get("/"))
	if _, err := http.ReadResponse(bufio.NewReader(idle), nil); err != nil {
		t.Fatal(err)
	}
	s.do(t, func(context.Context) error { s.SetKeepAlivesEnabled(false); return nil })
	closed(t, idle)
	if got := exchange(t, s.addr, get("/")+get("/")); strings.Count(got, "hello") != 1 || !strings.Contains(got, "Connection: close") {
		t.Errorf("the answer is %q", got)
	}
	s.do(t, func(context.Context) error { s.SetKeepAlivesEnabled(true); return nil })
	if got := exchange(t, s.addr, get("/")+get("/")); strings.Count(got, "hello") != 2 {
		t.Errorf("the answer is %q", got)
	}
}

// ServeConn serves connections that come some other way.
func TestServeConn(t *testing.T) {
	srv := httpd.New(&http.Server{Handler: http.HandlerFunc(hello)})
	s := serveOn(t, srv, func(ctx context.Context, ln net.Listener) error {
		defer ln.Close()
		for range 2 {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			if err := srv.ServeConn(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	for range 2 {
		if got := exchange(t, s.addr, get("/")+get("/")); strings.Count(got, "hello") != 2 {
			t.Errorf("the answer is %q", got)
		}
	}
	if err := within(t, s.ended); err != nil {
		t.Error(err)
	}
}

// A cancel of the task that ServeConn serves in is the error of ServeConn, also
// when a handler has taken it.
func TestServeConnIsCancelled(t *testing.T) {
	for _, says := range []string{"", get("/hello"), get("/")} {
		g := newGatekeeper()
		srv := httpd.New(&http.Server{Handler: g})
		s := serveOn(t, srv, func(ctx context.Context, ln net.Listener) error {
			defer ln.Close()
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			g.begun <- true
			return srv.ServeConn(ctx, c)
		})
		c := dial(t, s.addr)
		within(t, g.begun)
		if send(t, c, says); says != "" {
			if says == get("/") {
				within(t, g.begun)
			} else if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
				t.Fatal(err)
			}
		}
		s.do(t, func(context.Context) error { s.task.Cancel(); return nil })
		if err := within(t, s.ended); !errors.Is(err, asyncio.ErrCancelled) {
			t.Errorf("after %q ServeConn returns %v", says, err)
		}
		closed(t, c)
	}
}

// A unix socket serves as well.
func TestUnixSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("unix sockets are not for this system's tests")
	}
	path := filepath.Join(t.TempDir(), "s")
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		ln, err := asyncio.Listen(ctx, "unix", path)
		if err != nil {
			return err
		}
		serving := asyncio.Go(ctx, func(ctx context.Context) error { return httpd.Serve(ctx, ln, http.HandlerFunc(hello)) })
		c, err := asyncio.Dial(ctx, "unix", path)
		if err != nil {
			return err
		}
		defer c.Close()
		io.WriteString(c, get("/", "Connection: close"))
		got, err := io.ReadAll(c)
		if !strings.HasSuffix(string(got), "hello") || err != nil {
			t.Errorf("the answer is %q, %v", got, err)
		}
		serving.Cancel()
		serving.Await(ctx)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Only tasks serve.
func TestNotInATask(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	//asyncvet:ignore GL206 it is what is tested
	if err := httpd.Serve(context.Background(), ln, nil); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Errorf("Serve returns %v", err)
	}
	//asyncvet:ignore GL206 it is what is tested
	if err := httpd.ListenAndServe(context.Background(), "127.0.0.1:0", nil); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Errorf("ListenAndServe returns %v", err)
	}
	//asyncvet:ignore GL206 it is what is tested
	if err := new(httpd.Server).Shutdown(context.Background()); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Errorf("Shutdown returns %v", err)
	}
}
