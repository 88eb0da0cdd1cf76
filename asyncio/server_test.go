package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
)

// asked sends a question on a connection of its own, and checks the answer.
func asked(t *testing.T, ctx context.Context, network, addr string, opts ...asyncio.ConnectOption) {
	t.Helper()
	r, w, err := asyncio.OpenConnection(ctx, network, addr, opts...)
	if err != nil {
		t.Error(err)
		return
	}
	w.WriteString("question")
	w.WriteEOF()
	p, err := r.Read(ctx, -1)
	got(t, "the echo", p, err, "question", nil)
	w.Close()
	assert.NoError(t, w.WaitClosed(ctx))
}

func TestServerLife(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		server := serving(t, ctx, echo, asyncio.WithStartServing(false))
		if server.IsServing() {
			t.Error("it serves already")
		}
		if asyncio.WatchesDescriptors { // package net listens when it binds
			if _, _, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Error("a connection before StartServing:", err)
			}
		}
		for range 2 {
			if err := server.StartServing(ctx); err != nil || !server.IsServing() {
				t.Error(err, server.IsServing())
			}
		}
		asked(t, ctx, "tcp", server.Addr().String())
		if all := server.Addrs(); len(all) != 1 || all[0].String() != server.Addr().String() {
			t.Error(all)
		}
		server.Close()
		server.Close()
		if server.IsServing() || server.Addrs() != nil {
			t.Error("it still serves")
		}
		wantPy(t, "StartServing after Close", server.StartServing(ctx), "RuntimeError", "")
		wantPy(t, "ServeForever after Close", server.ServeForever(ctx), "RuntimeError", "")
		if _, _, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error("a connection after Close:", err)
		}
		return server.WaitClosed(ctx)
	})
}

func TestServeForever(t *testing.T) {
	for name, end := range map[string]func(*asyncio.Task[asyncio.None], *asyncio.Server){
		"cancelled": func(task *asyncio.Task[asyncio.None], _ *asyncio.Server) { task.Cancel() },
		"closed":    func(_ *asyncio.Task[asyncio.None], server *asyncio.Server) { server.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			onSockets(t, func(ctx context.Context) error {
				server := serving(t, ctx, echo, asyncio.WithStartServing(false))
				forever := asyncio.Go(ctx, server.ServeForever)
				asyncio.Sleep(ctx, 0)
				wantPy(t, "a second ServeForever", server.ServeForever(ctx), "RuntimeError", "")
				r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
				if err != nil {
					return err
				}
				w.WriteString("x")
				if _, err := r.ReadExactly(ctx, 1); err != nil {
					return err
				}
				w.WriteString("yz") // may be on its way when the server closes
				end(forever, server)
				if _, err := forever.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
					t.Error(err)
				}
				if server.IsServing() {
					t.Error("it still serves")
				}
				if _, err := r.Read(ctx, -1); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
					t.Error(err)
				}
				return nil
			})
		})
	}
}

// When ServeForever ends it closes its connections, whatever they do: one that waits
// for a question, one that has not shaken hands, and one that has just come. What
// was written is still sent.
func TestServeForeverClosesClients(t *testing.T) {
	config, client := asyncio.NewTLSConfigs(t)
	for name, opts := range map[string][]asyncio.ServerOption{"plain": nil, "TLS": {asyncio.WithTLS(config)}} {
		for how, end := range map[string]func(context.CancelFunc, *asyncio.Task[asyncio.None]){
			"cancelled":     func(_ context.CancelFunc, task *asyncio.Task[asyncio.None]) { task.Cancel() },
			"its ctx ended": func(cancel context.CancelFunc, _ *asyncio.Task[asyncio.None]) { cancel() },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				onSockets(t, func(ctx context.Context) error {
					greeted := asyncio.NewEvent()
					server := serving(t, ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
						defer w.Close()
						w.WriteString("hello")
						greeted.Set()
						_, err := r.Read(ctx, 1)
						if !errors.Is(err, io.EOF) {
							t.Error("a handler that waits for a question has", err)
						}
						return nil
					}, opts...)
					under, cancel := context.WithCancel(ctx)
					defer cancel()
					forever := asyncio.Go(ctx, func(context.Context) error { return server.ServeForever(under) })
					idle, err := asyncio.Dial(ctx, "tcp", server.Addr().String())
					if err != nil {
						return err
					}
					defer idle.Close()
					if opts != nil { // it will not be greeted, but has been accepted before one that is
						_, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String(), asyncio.WithTLS(client))
						if err != nil {
							return err
						}
						defer w.Close()
					}
					if err := greeted.Wait(ctx); err != nil {
						return err
					}
					late, err := asyncio.Dial(ctx, "tcp", server.Addr().String())
					if err != nil {
						return err
					}
					defer late.Close()
					end(cancel, forever)
					if _, err := forever.Await(ctx); !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					got, err := io.ReadAll(idle)
					if err != nil || opts == nil && string(got) != "hello" {
						t.Errorf("the client that was there has read %q, %v", got, err)
					}
					io.ReadAll(late) // comes to an end: it may have been refused
					return server.WaitClosed(ctx)
				})
			})
		}
	}
}

func TestServerClients(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		for name, end := range map[string]func(*asyncio.Server){"close": (*asyncio.Server).CloseClients, "abort": (*asyncio.Server).AbortClients} {
			var errs []error
			server := serving(t, ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
				w.Write(make([]byte, 8<<20)) // nobody reads it
				_, err := r.Read(ctx, 1)
				errs = append(errs, err)
				return nil
			})
			r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String(), asyncio.WithLimit(10))
			if err != nil {
				return err
			}
			if _, err := r.ReadExactly(ctx, 1); err != nil {
				return err
			}
			server.Close()
			waiting := asyncio.Go(ctx, server.WaitClosed)
			end(server)
			for range 5 {
				asyncio.Sleep(ctx, 0)
			}
			if done := waiting.Done(); done != (name == "abort") {
				t.Errorf("after %s the last connection is over: %v", name, done)
			}
			if name == "close" { // it is when all was sent
				if p, err := r.Read(ctx, -1); len(p) != 8<<20-1 || err != nil {
					t.Errorf("what was written before: %d bytes, %v", len(p), err)
				}
			}
			if _, err := waiting.Await(ctx); err != nil {
				return err
			}
			w.Close()
			asyncio.Sleep(ctx, 0)
			if len(errs) != 1 || errs[0] != io.EOF {
				t.Error("the handler's read:", errs)
			}
		}
		return nil
	})
}

func TestServerShutdown(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		connect := func(server *asyncio.Server) (r *asyncio.StreamReader, w *asyncio.StreamWriter, err error) {
			if r, w, err = asyncio.OpenConnection(ctx, "tcp", server.Addr().String()); err == nil {
				w.WriteString("x")
				_, err = r.ReadExactly(ctx, 1) // so the server has it
			}
			return r, w, err
		}
		server := serving(t, ctx, echo)
		_, w, err := connect(server)
		if err != nil {
			return err
		}
		asyncio.CurrentTask(ctx).Loop().CallLater(10*time.Millisecond, w.Close)
		if err := server.Shutdown(ctx); err != nil {
			t.Error("with time enough:", err)
		}

		server = serving(t, ctx, echo)
		r, w, err := connect(server)
		if err != nil {
			return err
		}
		defer w.Close()
		soon, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		if err := server.Shutdown(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("with too little time:", err)
		}
		assert.NoError(t, server.WaitClosed(ctx))
		_, err = r.Read(ctx, 1)
		if err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
			t.Error("the connection that was left:", err)
		}
		return nil
	})
}

// What a handler fails with is reported, and its connection closed.
func TestServerHandlerFails(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		var told []asyncio.ExceptionContext
		asyncio.CurrentTask(ctx).Loop().SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told = append(told, c) })
		broken := errors.New("broken")
		for name, fail := range map[string]func() error{
			"error": func() error { return broken }, "panic": func() error { panic(broken) },
			"cancel": func() error { return &asyncio.CancelledError{} },
		} {
			told = nil
			server := serving(t, ctx, func(context.Context, *asyncio.StreamReader, *asyncio.StreamWriter) error { return fail() })
			r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
			if err != nil {
				return err
			}
			if _, err := r.Read(ctx, 1); err != io.EOF {
				t.Errorf("%s: the connection: %v", name, err)
			}
			w.Close()
			server.Close()
			if err := server.WaitClosed(ctx); err != nil {
				return err
			}
			switch {
			case name == "cancel" && len(told) > 0:
				t.Errorf("a cancelled handler is reported: %v", told)
			case name != "cancel" && (len(told) != 1 || told[0].Message != "Unhandled exception in client_connected_cb" || told[0].Transport == nil):
				t.Errorf("%s: the handler was told %v", name, told)
			}
		}
		return nil
	})
}

// A connection that a handler leaves open, and whose writer nobody has, is closed.
func TestServerForgottenWriter(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		var kept *asyncio.StreamWriter
		server := serving(t, ctx, func(_ context.Context, _ *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			if kept == nil {
				kept = w
			}
			return nil
		})
		first, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		if err != nil {
			return err
		}
		second, w2, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		if err != nil {
			return err
		}
		asyncio.Sleep(ctx, 0)
		over := asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) { return second.Read(ctx, 1) })
		for !over.Done() {
			runtime.GC()
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
		}
		if _, err := over.Result(); err != io.EOF {
			t.Error(err)
		}
		kept.WriteString("still here")
		p, err := first.ReadExactly(ctx, 10)
		got(t, "the one that was kept", p, err, "still here", nil)
		kept.Close()
		w.Close()
		w2.Close()
		server.Close()
		return server.WaitClosed(ctx)
	})
}

func TestServerFactoryFails(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		var told []string
		asyncio.CurrentTask(ctx).Loop().SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told = append(told, c.Message) })
		for _, factory := range []func() asyncio.BaseProtocol{
			func() asyncio.BaseProtocol { panic("deliberately") },
			func() asyncio.BaseProtocol { return onlyLost{} },
		} {
			server, err := asyncio.CreateServer(ctx, factory, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
			if err != nil {
				return err
			}
			if _, err := r.Read(ctx, 1); err != io.EOF {
				t.Error("the connection:", err)
			}
			w.Close()
			server.Close()
			if err := server.WaitClosed(ctx); err != nil {
				return err
			}
		}
		if want := "Error on transport creation for incoming connection"; len(told) != 2 || told[0] != want || told[1] != want {
			t.Error(told)
		}
		return nil
	})
}

func TestServerUnix(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		path := filepath.Join(t.TempDir(), "socket")
		for range 2 { // the second takes the place of a path that nobody removed
			server, err := asyncio.StartUnixServer(ctx, path, echo, asyncio.WithCleanupSocket(false))
			if err != nil {
				return err
			}
			r, w, err := asyncio.OpenUnixConnection(ctx, path)
			if err != nil {
				return err
			}
			w.WriteString("line\nrest")
			w.WriteEOF()
			p, err := r.ReadLine(ctx)
			got(t, "the echo", p, err, "line\n", nil)
			w.Close()
			if a, ok := w.ExtraInfo("peername").(*net.UnixAddr); !ok || a.Name != path {
				t.Error("peername:", w.ExtraInfo("peername"))
			}
			server.Close()
			if err := server.WaitClosed(ctx); err != nil {
				return err
			}
			if _, err := os.Lstat(path); err != nil {
				t.Error("the path is gone:", err)
			}
		}
		server, err := asyncio.StartUnixServer(ctx, path, echo)
		if err != nil {
			return err
		}
		server.Close()
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Error("the path is still there:", err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return err
		}
		if _, err := asyncio.StartUnixServer(ctx, path, echo); !errors.Is(err, syscall.EADDRINUSE) {
			t.Error("a file is in the way:", err)
		}
		return nil
	})
}

func TestServerReusePort(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		if !asyncio.WatchesDescriptors && overNetwork == nil {
			if _, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", echo, asyncio.WithReusePort(true)); !errors.Is(err, errors.ErrUnsupported) {
				t.Error("WithReusePort:", err)
			}
			return nil
		}
		first := serving(t, ctx, echo, asyncio.WithReusePort(true), asyncio.WithKeepAlive(true), asyncio.WithBacklog(1))
		addr := first.Addr().String()
		second, err := asyncio.StartServer(ctx, "tcp", addr, echo, asyncio.WithReusePort(true))
		if err != nil {
			return err
		}
		if _, err := asyncio.StartServer(ctx, "tcp", addr, echo, asyncio.WithReuseAddress(false)); !errors.Is(err, syscall.EADDRINUSE) {
			t.Error("without WithReusePort:", err)
		}
		for range 10 {
			asked(t, ctx, "tcp", addr, asyncio.WithKeepAlive(true))
		}
		first.Close()
		second.Close()
		return nil
	})
}

func TestServerOptions(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		// Connections that come at once are all accepted, however few in a turn.
		narrow := serving(t, ctx, echo, asyncio.WithBacklog(1))
		defer narrow.Close()
		for range 2 {
			c, err := netDial(ctx, "tcp", narrow.Addr().String())
			if err != nil {
				return err
			}
			defer c.Close()
			c.Write([]byte("x"))
			defer func() {
				if p, err := (peer{c.(tcpConn), t}).receive(ctx, 1); string(p) != "x" {
					t.Errorf("one of two at once: %q, %v", p, err)
				}
			}()
		}

		// Every address of the machine has the same port.
		all, err := asyncio.StartServer(ctx, "tcp", ":0", echo)
		if err != nil {
			return err
		}
		port := all.Addr().(*net.TCPAddr).Port
		for _, a := range all.Addrs() {
			if a.(*net.TCPAddr).Port != port {
				t.Error("the addresses are", all.Addrs())
			}
		}
		asked(t, ctx, "tcp4", fmt.Sprint("127.0.0.1:", port), asyncio.WithKeepAlive(true))
		all.Close()
		_, err = asyncio.StartServer(ctx, "tcp", "192.0.2.1:0", echo)
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "listen" || !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Error("the address of another machine:", err)
		}
		_, err = asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", nil)
		wantPy(t, "no handler", err, "TypeError", "")
		return nil
	})
}

// A server takes over a listener that was made, or inherited, elsewhere.
func TestServerWithSocket(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		file, err := ln.(*net.TCPListener).File() // as one that was inherited
		if err != nil {
			return err
		}
		addr := ln.Addr().String()
		server, err := asyncio.StartServer(ctx, "", "", echo, asyncio.WithSocket(ln.(*net.TCPListener)))
		if err != nil {
			return err
		}
		ln.Close()
		asked(t, ctx, "tcp", addr)
		server.Close()
		server, err = asyncio.StartServer(ctx, "", "", echo, asyncio.WithSocket(file))
		if err != nil {
			return err
		}
		file.Close()
		asked(t, ctx, "tcp", addr)
		server.Close()
		null, err := os.Open(os.DevNull)
		if err != nil {
			return err
		}
		defer null.Close()
		if _, err := asyncio.StartServer(ctx, "", "", echo, asyncio.WithSocket(null)); err == nil {
			t.Error("a file that is no socket is taken")
		}
		return nil
	})
}

// A loop that is closed with everything open gives everything back.
func TestLoopCloseWithOpenConnections(t *testing.T) {
	onUnix(t)
	logged := captureLog(t)
	l := asyncio.NewLoop(append(loopBeneath(), asyncio.WithDebug(true))...)
	path := filepath.Join(t.TempDir(), "socket")
	var conns [2]net.Conn
	_, err := asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		server := serving(t, ctx, echo)
		if _, err := asyncio.StartUnixServer(ctx, path, echo); err != nil {
			return err
		}
		for i := range conns {
			c, err := netDial(ctx, "tcp", server.Addr().String())
			if err != nil {
				return err
			}
			conns[i] = c
		}
		_, p, peer := dial(t, ctx, newRecorder)
		asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := asyncio.OpenConnection(ctx, "tcp", "127.0.0.1:1")
			return err
		})
		p.tr.Write(make([]byte, 8<<20))
		p.tr.Close()
		_ = peer
		asyncio.Sleep(ctx, time.Millisecond) // some accepted, handlers waiting
		return nil
	}))
	assert.NoError(t, err)
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	assert.NoError(t, l.Close())
	for _, c := range conns {
		c.SetReadDeadline(time.Now().Add(tooLate))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a connection is still open:", err)
		}
		c.Close()
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("the path of the unix socket is still there:", err)
	}
	for _, part := range []string{"unclosed: a tcp transport", "unclosed: Server["} {
		if !strings.Contains(logged.String(), part) {
			t.Errorf("the log lacks %q:\n%s", part, logged)
		}
	}
}
