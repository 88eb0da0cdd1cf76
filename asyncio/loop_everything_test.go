//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

import (
	"context"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A loop that is closed with everything open at once, and somebody waiting for
// each of it, gives back everything; deferred calls run.
func TestLoopClosedWithEverythingOpen(t *testing.T) {
	noLeaks(t)
	serverTLS, clientTLS := asyncio.NewTLSConfigs(t)
	l := asyncio.NewLoop()
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // of the tasks
	f := testFile(t, counted(24<<20))
	waits, ended, child := 0, 0, 0
	thread := make(chan struct{}) // closed when a function that a thread runs has learned of the end
	_, err := asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		must := func(err error) {
			t.Helper()
			require.NoError(t, err)
		}
		waiting := func(f func(ctx context.Context) error) {
			waits++
			n := waits
			asyncio.Go(ctx, func(ctx context.Context) error {
				defer func() { ended++ }()
				err := f(ctx)
				if !l.IsClosed() {
					t.Errorf("wait %d does not: %v", n, err)
				}
				return err
			})
		}
		server := serving(t, ctx, echo)
		waiting(server.ServeForever)
		secure := serving(t, ctx, echo, asyncio.WithTLS(serverTLS))

		r, _, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		must(err)
		waiting(func(ctx context.Context) error { _, err := r.ReadLine(ctx); return err })
		r, _, err = asyncio.OpenConnection(ctx, "tcp", secure.Addr().String(), asyncio.WithTLS(clientTLS, asyncio.WithTLSServerHostname("example.test")))
		must(err)
		waiting(func(ctx context.Context) error { _, err := r.Read(ctx, 1); return err })

		_, w, _ := dialStream(t, ctx) // to one who does not read
		waiting(func(ctx context.Context) error {
			_, err := w.Transport().Loop().SendFile(ctx, w.Transport(), f, 0, 0)
			return err
		})
		_, full, _ := dialStream(t, ctx)
		full.Write(make([]byte, 8<<20))
		waiting(full.Drain)
		full.Close()
		waiting(full.WaitClosed)

		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		must(err)
		c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
		must(err)
		accepted, err := ln.Accept()
		must(err)
		packets, err := asyncio.ListenPacket(ctx, "udp", "127.0.0.1:0")
		must(err)
		waiting(func(ctx context.Context) error { _, err := ln.Accept(); return err })
		waiting(func(ctx context.Context) error { _, err := c.Read(make([]byte, 1)); return err })
		waiting(func(ctx context.Context) error { _, _, err := packets.ReadFrom(make([]byte, 1)); return err })
		t.Cleanup(func() { ln.Close(); c.Close(); accepted.Close(); packets.Close() })

		grams(t, ctx, asyncio.WithLocalAddr(loopback))
		a, _ := connectedSockets(ctx, t)
		waiting(func(ctx context.Context) error { _, err := a.Recv(ctx, 1); return err })
		in, _ := osPipe(t)
		_, out := osPipe(t)
		_, _, err = asyncio.ConnectReadPipe(ctx, newListener, in)
		must(err)
		_, _, err = asyncio.ConnectWritePipe(ctx, newListener, out)
		must(err)
		p, err := asyncio.CreateSubprocessShell(ctx, deaf, asyncio.WithStdin(asyncio.Pipe), asyncio.WithStdout(asyncio.Pipe))
		must(err)
		child = p.Pid()
		waiting(func(ctx context.Context) error { _, err := p.Wait(ctx); return err })
		must(l.AddSignalHandler(syscall.SIGWINCH, func() {}))
		l.CallLater(time.Hour, func() { t.Error("the timer has fired") })
		waiting(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		begun := asyncio.NewEvent() // what has not would not begin any more
		waiting(func(ctx context.Context) error {
			return asyncio.ToThreadFunc(ctx, func(inside context.Context) error {
				l.CallSoonThreadsafe(begun.Set)
				<-inside.Done()
				close(thread)
				return os.ErrClosed
			})
		})
		must(begun.Wait(ctx))
		for range 5 {
			runtime.GC() // a connection that nobody refers to is closed
			asyncio.Sleep(ctx, time.Millisecond)
		}
		runtime.KeepAlive(accepted)
		return nil
	}))
	require.NoError(t, err)
	assert.NoError(t, l.Close())
	if ended != waits {
		t.Errorf("of %d tasks %d have ended", waits, ended)
	}
	noChildren(t, child)
	select {
	case <-thread:
	case <-time.After(tooLate):
		t.Error("a function in a thread has not learned of the end")
	}
}
