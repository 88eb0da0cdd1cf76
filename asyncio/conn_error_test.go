package asyncio_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Whatever a call of a connection waits for, one that was cancelled says that it is
// the connection that has failed, with the cancellation inside.
func TestConnCancelIsOpError(t *testing.T) {
	skipFakeNetwork(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connected("tcp")(t, ctx)
		defer a.Close()
		defer b.Close()
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		pc, err := asyncio.ListenPacket(ctx, "udp", "127.0.0.1:0")
		require.NoError(t, err)
		defer pc.Close()
		to, err := asyncio.Dial(ctx, "udp", pc.LocalAddr().String())
		require.NoError(t, err)
		defer to.Close()
		big := make([]byte, 64<<20)
		raw := func(c net.Conn) func() error {
			return func() error {
				raw, err := c.(syscall.Conn).SyscallConn()
				if err != nil {
					return err
				}
				return raw.Read(func(uintptr) bool { return false })
			}
		}
		for name, c := range map[string]struct {
			op, network  string
			source, addr net.Addr
			call         func() error
		}{
			"Read":     {"read", "tcp", a.LocalAddr(), a.RemoteAddr(), func() error { _, err := a.Read(big); return err }},
			"Write":    {"write", "tcp", a.LocalAddr(), a.RemoteAddr(), func() error { _, err := a.Write(big); return err }},
			"raw Read": {"raw-read", "tcp", b.LocalAddr(), b.RemoteAddr(), raw(b)},
			"Accept":   {"accept", "tcp", nil, ln.Addr(), func() error { _, err := ln.Accept(); return err }},
			"ReadFrom": {"read", "udp", pc.LocalAddr(), nil, func() error { _, _, err := pc.ReadFrom(big[:9]); return err }},
			"receive":  {"read", "udp", to.LocalAddr(), to.RemoteAddr(), func() error { _, err := to.Read(big[:9]); return err }},
		} {
			if name == "raw Read" && (!asyncio.WatchesDescriptors || overNetwork != nil) {
				continue // it waits with the goroutine, or is refused
			}
			var first error
			task := asyncio.Go(ctx, func(context.Context) error { first = c.call(); return first })
			asyncio.Sleep(ctx, 5*time.Millisecond) // it waits by then, or the test is an easier one
			task.Cancel("enough")
			_, err := task.Await(ctx)
			if !task.Cancelled() || !errors.Is(err, asyncio.ErrCancelled) {
				t.Errorf("%s: the task ends with %v", name, err)
			}
			op := opOf(t, name, first)
			var cancelled *asyncio.CancelledError
			if !errors.As(first, &cancelled) || cancelled.Msg != "enough" || op.Timeout() || op.Temporary() {
				t.Errorf("%s: %v", name, first)
			}
			if op.Op != c.op || op.Net != c.network || !sameAddr(op.Source, c.source) || !sameAddr(op.Addr, c.addr) {
				t.Errorf("%s: %#v", name, op)
			}
		}
	})
}

func sameAddr(a, b net.Addr) bool {
	return a == nil && b == nil || a != nil && b != nil && a.String() == b.String()
}

// A Dial and a Listen that are cancelled, or whose ctx ends, say so by package net's
// error.
func TestDialCancelIsOpError(t *testing.T) {
	skipFakeNetwork(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		asked := make(chan struct{})
		over := make(chan struct{})
		defer close(over) // package net need not give up a look-up that nobody waits for
		// A resolver that never hears: its questions go to nobody. It asks several, of
		// which a test waits for one.
		dialer := asyncio.Dialer{}
		dialer.Net.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			select {
			case asked <- struct{}{}:
			case <-over:
			}
			select {
			case <-ctx.Done():
			case <-over:
			}
			return nil, errors.New("nobody answers")
		}}
		var first error
		dial := asyncio.Go(ctx, func(ctx context.Context) error {
			_, first = dialer.DialContext(ctx, "tcp", "nobody.invalid:80")
			return first
		})
		asyncio.ToThreadFunc(ctx, func(context.Context) error { <-asked; return nil })
		dial.Cancel()
		dial.Await(ctx)
		if op := opOf(t, "cancelled", first); op.Op != "dial" || op.Net != "tcp" || !dial.Cancelled() {
			t.Errorf("%#v, cancelled: %v", op, dial.Cancelled())
		}

		short, cancel := context.WithCancel(ctx)
		dial = asyncio.Go(ctx, func(context.Context) error {
			_, first = dialer.DialContext(short, "tcp", "nobody.invalid:80")
			return nil
		})
		asyncio.ToThreadFunc(ctx, func(context.Context) error { <-asked; return nil })
		cancel()
		dial.Await(ctx)
		if op := opOf(t, "ended", first); op.Op != "dial" || !errors.Is(op, context.Canceled) {
			t.Errorf("%#v", op)
		}

		_, err := asyncio.Dial(context.Background(), "tcp", "127.0.0.1:1")
		opOf(t, "refused", err)
		l.CallSoon(func() { _, err = asyncio.Dial(ctx, "tcp", "127.0.0.1:1") })
		asyncio.Sleep(ctx, 0)
		asyncio.Sleep(ctx, 0)
		if op := opOf(t, "in a callback", err); !errors.Is(op, asyncio.ErrNoRunningLoop) {
			t.Error(op)
		}
	})
	_, err := asyncio.Dial(context.Background(), "tcp", "127.0.0.1:1")
	if op := opOf(t, "without a loop", err); op.Op != "dial" || !errors.Is(op, asyncio.ErrNoRunningLoop) {
		t.Error(op)
	}
	_, err = asyncio.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if op := opOf(t, "without a loop", err); op.Op != "listen" || !errors.Is(op, asyncio.ErrNoRunningLoop) {
		t.Error(op)
	}
}

// A Dialer with a Loop makes connections wherever it is called, with whatever ctx.
func TestDialerWithLoopAnywhere(t *testing.T) {
	skipFakeNetwork(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		dialer := &asyncio.Dialer{Loop: l}
		dials := map[string]func(ctx context.Context) (net.Conn, error){
			"DialContext": func(ctx context.Context) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp", ln.Addr().String())
			},
			"Dial": func(context.Context) (net.Conn, error) { return dialer.Dial("tcp", ln.Addr().String()) },
			"DialTimeout": func(context.Context) (net.Conn, error) {
				return dialer.DialTimeout("tcp", ln.Addr().String(), time.Minute)
			},
		}
		check := func(what string, c net.Conn, err error) {
			if err != nil {
				t.Errorf("%s: %v", what, err)
				return
			}
			// It is a connection of l: a task of l waits for it, and others run.
			defer c.Close()
			other, err := ln.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			asyncio.Go(ctx, func(context.Context) error { _, err := other.Write([]byte("x")); return err })
			if _, err := c.Read(make([]byte, 1)); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			other.Close()
		}
		background := context.Background()
		for name, dial := range dials {
			c, err := dial(ctx)
			check(name+" in the task", c, err)
			c, err = dial(background)
			check(name+" in the task, foreign ctx", c, err)
			asyncio.Go(ctx, func(context.Context) error { // with the ctx of another
				c, err = dial(ctx)
				return nil
			}).Await(ctx)
			check(name+" in another task", c, err)
			for _, with := range []context.Context{ctx, background} {
				asyncio.ToThreadFunc(ctx, func(context.Context) error {
					c, err = dial(with)
					return nil
				})
				check(name+" on a goroutine", c, err)
				asyncio.ToThreadFunc(ctx, func(context.Context) error {
					return asyncio.RunFunc(background, func(context.Context) error {
						c, err = dial(with)
						return nil
					})
				})
				check(name+" in a task of another loop", c, err)
			}
		}
	})
}

// The time of DialTimeout is over, by package net's error.
func TestDialTimeoutEnds(t *testing.T) {
	skipFakeNetwork(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		dialer := &asyncio.Dialer{Loop: l}
		dialer.Net.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		_, err := dialer.DialTimeout("tcp", "nobody.invalid:80", time.Millisecond)
		if op := opOf(t, "DialTimeout", err); !op.Timeout() {
			t.Error(op)
		}
		if dialer.Net.Timeout != 0 {
			t.Error("the Dialer has changed")
		}
	})
}

// The path of a unix socket is in the errors, too.
func TestConnErrorNamesPath(t *testing.T) {
	onUnix(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		path := filepath.Join(t.TempDir(), "s")
		ln, err := asyncio.Listen(ctx, "unix", path)
		require.NoError(t, err)
		ln.Close()
		_, err = ln.Accept()
		if op := opOf(t, "Accept", err); op.Source != nil || op.Addr.String() != path || op.Net != "unix" {
			t.Errorf("%#v", op)
		}
	})
}
