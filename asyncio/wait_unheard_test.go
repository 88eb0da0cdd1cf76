package asyncio_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A libWait is a wait below an interface of Go: a call that never need end.
type libWait struct {
	what string
	// prepare returns the call, and another of the kind that could succeed at once.
	prepare func(t *testing.T, ctx context.Context) (waits, ready func() error)
}

// blockedDialer is one whose connections are never made.
func blockedDialer() *asyncio.Dialer {
	return &asyncio.Dialer{Net: net.Dialer{ControlContext: func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		<-ctx.Done()
		return ctx.Err()
	}}}
}

// libPair makes two ends that are closed when the task has ended.
func libPair(t *testing.T, ctx context.Context) (a, b net.Conn) {
	a, b = connected("tcp")(t, ctx)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// readable returns an end of which something can be read.
func readable(t *testing.T, ctx context.Context) net.Conn {
	a, b := libPair(t, ctx)
	_, err := b.Write([]byte("x"))
	require.NoError(t, err)
	return a
}

func readOne(r io.Reader) func() error {
	return func() error { _, err := r.Read(make([]byte, 1)); return err }
}

// endless writes more than the system takes.
func endless(w io.Writer) func() error {
	return func() error { _, err := w.Write(muchData()); return err }
}

// muchData is made when it is needed: the benchmarks of this package are to have a
// small heap.
var muchData = sync.OnceValue(func() []byte { return make([]byte, 16<<20) })

func libWaits() []libWait {
	dialTo := func(t *testing.T, ctx context.Context) string {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { ln.Close() })
		return ln.Addr().String()
	}
	dial := func(ctx context.Context, d *asyncio.Dialer, addr string) func() error {
		return func() error {
			c, err := d.DialContext(ctx, "tcp", addr)
			if err == nil {
				c.Close()
			}
			return err
		}
	}
	all := []libWait{
		{"Read", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			a, _ := libPair(t, ctx)
			return readOne(a), readOne(readable(t, ctx))
		}},
		{"Write", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			a, _ := libPair(t, ctx)
			b, _ := libPair(t, ctx)
			return endless(a), func() error { _, err := b.Write([]byte("x")); return err }
		}},
		{"a turn to write", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			a, _ := libPair(t, ctx)
			asyncio.Go(ctx, func(context.Context) error { endless(a)(); return nil })
			asyncio.Sleep(ctx, 0)
			b, _ := libPair(t, ctx)
			return endless(a), func() error { _, err := b.Write([]byte("x")); return err }
		}},
		{"Accept", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			busy, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			c, err := asyncio.Dial(ctx, "tcp", busy.Addr().String())
			require.NoError(t, err)
			t.Cleanup(func() { ln.Close(); busy.Close(); c.Close() })
			accept := func(ln net.Listener) func() error {
				return func() error {
					c, err := ln.Accept()
					if err == nil {
						c.Close()
					}
					return err
				}
			}
			return accept(ln), accept(busy)
		}},
		{"ReadFrom", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			quiet, err := asyncio.ListenPacket(ctx, "udp", "127.0.0.1:0")
			require.NoError(t, err)
			busy, err := asyncio.ListenPacket(ctx, "udp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { quiet.Close(); busy.Close() })
			_, err = quiet.WriteTo([]byte("x"), busy.LocalAddr())
			require.NoError(t, err)
			receive := func(c net.PacketConn) func() error {
				return func() error { _, _, err := c.ReadFrom(make([]byte, 1)); return err }
			}
			return receive(quiet), receive(busy)
		}},
		{"Dial", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			addr := dialTo(t, ctx)
			return dial(ctx, blockedDialer(), addr), dial(ctx, new(asyncio.Dialer), addr)
		}},
		{"Dial without a ctx", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			addr := dialTo(t, ctx)
			blocked := blockedDialer()
			blocked.Loop = asyncio.CurrentTask(ctx).Loop()
			return dial(context.Background(), blocked, addr), dial(context.Background(), &asyncio.Dialer{Loop: blocked.Loop}, addr)
		}},
		{"a handshake", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			a, _ := libPair(t, ctx)
			b, _ := libPair(t, ctx)
			return func() error {
					return tls.Client(a, &tls.Config{InsecureSkipVerify: true}).Handshake()
				}, func() error {
					_, err := b.Write([]byte("x"))
					return err
				}
		}},
		{"a stream's Reader", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			r, _ := streamTo(t, ctx, nil)
			busy, _ := streamTo(t, ctx, []byte("x"))
			return readOne(r.Reader(ctx)), readOne(busy.Reader(ctx))
		}},
		{"a stream's Writer", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			_, w := streamTo(t, ctx, nil)
			_, idle := streamTo(t, ctx, nil)
			return endless(w.Writer(ctx)), func() error { _, err := idle.Writer(ctx).Write([]byte("x")); return err }
		}},
	}
	if asyncio.WatchesDescriptors {
		all = append(all, libWait{"a raw Read", func(t *testing.T, ctx context.Context) (waits, ready func() error) {
			raw := func(c net.Conn, done bool) func() error {
				r, err := c.(syscall.Conn).SyscallConn()
				require.NoError(t, err)
				return func() error { return r.Read(func(uintptr) bool { return done }) }
			}
			a, _ := libPair(t, ctx)
			return raw(a, false), raw(a, true)
		}})
	}
	return all
}

// streamTo makes a stream to a server that sends what it is given and then waits.
func streamTo(t *testing.T, ctx context.Context, send []byte) (*asyncio.StreamReader, *asyncio.StreamWriter) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	r, w, err := asyncio.OpenConnection(ctx, "tcp", ln.Addr().String())
	require.NoError(t, err)
	c, err := ln.Accept()
	require.NoError(t, err)
	_, err = c.Write(send)
	require.NoError(t, err)
	if send != nil {
		peeked, err := r.ReadExactly(ctx, 1)
		require.NoError(t, err)
		c.Write(peeked)
	}
	t.Cleanup(func() { c.Close() })
	return r, w
}

var errLibrary = errors.New("library: the connection is invalid")

// A library is what becomes of the error of a wait.
type library struct {
	what    string
	call    func(wait func() error) error
	renames bool // the error that comes out is errLibrary
}

func libraries() []library {
	return []library{
		{"passes it on", func(wait func() error) error { return wait() }, false},
		{"wraps it", func(wait func() error) error { return fmt.Errorf("library: %w", wait()) }, false},
		{"renames it", func(wait func() error) error { wait(); return errLibrary }, true},
		{"joins it", func(wait func() error) error { return errors.Join(errLibrary, wait()) }, true},
		{"swallows it", func(wait func() error) error { wait(); return nil }, false},
		{"tries again", func(wait func() error) error {
			for range 5 {
				if wait() == nil {
					return nil
				}
			}
			return errLibrary
		}, true},
		{"tries for long", func(wait func() error) error {
			stop := time.Now().Add(5 * time.Millisecond)
			for wait() != nil && time.Now().Before(stop) {
			}
			return nil
		}, false},
	}
}

// A libScope runs f, which never ends by itself, and asks for its end.
type libScope struct {
	what string
	run  func(ctx context.Context, f func(ctx context.Context) error) error
	is   error // what the outcome is; nil if there is none
	not  error // what it is not
	// lost tells that the outcome has no room for the library's error.
	lost bool
}

const soon = time.Millisecond

func libScopes() []libScope {
	timeout := func(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
		return asyncio.WithTimeout(ctx, d, func(ctx context.Context, _ *asyncio.Timeout) error { return f(ctx) })
	}
	cancelled := func(ctx context.Context, f func(ctx context.Context) error, cancel func(task *asyncio.Task[asyncio.None])) error {
		task := asyncio.Go(ctx, f)
		asyncio.Sleep(ctx, soon)
		cancel(task)
		_, err := task.Await(ctx)
		if !task.Cancelled() {
			return fmt.Errorf("the task was not cancelled: %v", err)
		}
		return err
	}
	sibling := errors.New("the real error")
	return []libScope{
		{what: "WithTimeout", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return timeout(ctx, soon, f)
		}, is: asyncio.ErrTimeout, not: asyncio.ErrCancelled},
		{what: "WithTimeout of zero", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return timeout(ctx, 0, f)
		}, is: asyncio.ErrTimeout, not: context.Canceled},
		{what: "Timeout.Exit", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			var t *asyncio.Timeout = asyncio.NewTimeout(soon)
			if err := t.Enter(ctx); err != nil {
				return err
			}
			return t.Exit(f(ctx))
		}, is: context.DeadlineExceeded, not: asyncio.ErrCancelled},
		{what: "WaitFor a coroutine", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			_, err := asyncio.WaitFor(ctx, soon, asyncio.Func(f))
			return err
		}, is: asyncio.ErrTimeout, not: asyncio.ErrCancelled},
		{what: "WaitFor a task", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			_, err := asyncio.WaitFor(ctx, soon, asyncio.Go(ctx, f))
			return err
		}, is: asyncio.ErrTimeout, not: asyncio.ErrCancelled},
		{what: "the outer of two timeouts", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return timeout(ctx, soon, func(ctx context.Context) error { return timeout(ctx, time.Hour, f) })
		}, is: asyncio.ErrTimeout, not: asyncio.ErrCancelled},
		{what: "the inner of two timeouts", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return timeout(ctx, time.Hour, func(ctx context.Context) error { return timeout(ctx, soon, f) })
		}, is: asyncio.ErrTimeout, not: asyncio.ErrCancelled},
		{what: "Cancel", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return cancelled(ctx, f, func(task *asyncio.Task[asyncio.None]) { task.Cancel("bye") })
		}, is: asyncio.ErrCancelled, not: asyncio.ErrTimeout},
		{what: "Cancel of a task with a timeout", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return cancelled(ctx, func(ctx context.Context) error { return timeout(ctx, time.Hour, f) },
				func(task *asyncio.Task[asyncio.None]) { task.Cancel() })
		}, is: asyncio.ErrCancelled, not: asyncio.ErrTimeout},
		{what: "Cancel of a task that awaits it", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return cancelled(ctx, func(ctx context.Context) error { _, err := asyncio.Go(ctx, f).Await(ctx); return err },
				func(task *asyncio.Task[asyncio.None]) { task.Cancel() })
		}, is: asyncio.ErrCancelled, not: asyncio.ErrTimeout},
		{what: "a group, another of whose tasks fails", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(f)
				tg.Go(func(ctx context.Context) error { asyncio.Sleep(ctx, soon); return sibling })
				return nil
			})
			if g := (*asyncio.ExceptionGroup)(nil); !errors.As(err, &g) || len(g.Exceptions) != 1 || g.Exceptions[0] != sibling {
				return fmt.Errorf("more, or less, than the real error: %v", err)
			}
			return err
		}, is: sibling, not: asyncio.ErrCancelled, lost: true},
		{what: "a group whose task fails, in its body", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(func(ctx context.Context) error { asyncio.Sleep(ctx, soon); return sibling })
				return f(ctx)
			})
			if g := (*asyncio.ExceptionGroup)(nil); !errors.As(err, &g) || len(g.Exceptions) != 1 || g.Exceptions[0] != sibling {
				return fmt.Errorf("more, or less, than the real error: %v", err)
			}
			return err
		}, is: sibling, not: asyncio.ErrCancelled, lost: true},
		{what: "TaskGroup.Cancel", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(func(ctx context.Context) error { asyncio.Sleep(ctx, soon); tg.Cancel(); return nil })
				return f(ctx)
			})
		}, lost: true},
		{what: "TaskGroup.Cancel, in a task", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(f)
				asyncio.Sleep(ctx, soon)
				tg.Cancel()
				return nil
			})
		}, lost: true},
		{what: "a group that was cancelled from outside", run: func(ctx context.Context, f func(ctx context.Context) error) error {
			return timeout(ctx, soon, func(ctx context.Context) error {
				return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error { return f(ctx) })
			})
		}, is: asyncio.ErrTimeout, not: asyncio.ErrCancelled},
	}
}

// TestUnheardScopes: whatever a library makes of the error of a wait, the outcome
// is that of the scope that has asked for the end, and then all goes on.
func TestUnheardScopes(t *testing.T) {
	for _, wait := range libWaits() {
		for _, lib := range libraries() {
			for _, scope := range libScopes() {
				t.Run(wait.what+"/"+lib.what+"/"+scope.what, func(t *testing.T) {
					err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
						waits, ready := wait.prepare(t, ctx)
						err := scope.run(ctx, func(context.Context) error { return lib.call(waits) })
						if scope.is == nil {
							require.NoError(t, err)
						} else {
							require.ErrorIs(t, err, scope.is)
							require.NotErrorIs(t, err, scope.not)
						}
						if !scope.lost {
							require.Equal(t, lib.renames, errors.Is(err, errLibrary), "%v", err)
						}
						require.Zero(t, asyncio.CurrentTask(ctx).Cancelling())
						require.NoError(t, ready())
						return asyncio.Sleep(ctx, 0)
					})
					require.NoError(t, err)
				})
			}
		}
	}
}

// unheard runs f in a task that was cancelled in a wait of a library which has
// swallowed that, and returns what the task has come to.
func unheard(t *testing.T, f func(ctx context.Context, task asyncio.AnyTask) error) (result error) {
	t.Helper()
	require.NoError(t, asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var task *asyncio.Task[asyncio.None]
		task = asyncio.Go(ctx, func(ctx context.Context) error {
			a, _ := libPair(t, ctx)
			task.Cancel("bye")
			require.ErrorIs(t, readOne(a)(), asyncio.ErrCancelled)
			return f(ctx, task)
		})
		_, result = task.Await(ctx)
		return nil
	}))
	return result
}

// TestUnheardClosesNetwork: until it was heard of a cancel, every call of the task
// below an interface fails with it, whether it would wait or not, and the others
// run meanwhile. When a wait with a ctx has told of it, once, all is open again.
func TestUnheardClosesNetwork(t *testing.T) {
	for _, next := range libWaits() {
		t.Run(next.what, func(t *testing.T) {
			result := unheard(t, func(ctx context.Context, task asyncio.AnyTask) error {
				task.Uncancel()
				waits, ready := next.prepare(t, ctx) // which needs the network
				a, _ := libPair(t, ctx)
				task.Cancel("bye")
				require.ErrorIs(t, readOne(a)(), asyncio.ErrCancelled)

				turns, l := 0, task.Loop()
				var count func()
				count = func() {
					if turns++; !task.Done() {
						l.CallSoon(count)
					}
				}
				l.CallSoon(count)
				for range 3 {
					for _, call := range []func() error{waits, ready} {
						before := turns
						err := call()
						var cancel *asyncio.CancelledError
						require.ErrorAs(t, err, &cancel)
						require.Equal(t, "bye", cancel.Msg)
						require.Greater(t, turns, before)
					}
				}
				require.EqualError(t, asyncio.Sleep(ctx, time.Hour), "asyncio: cancelled: bye")
				require.NoError(t, asyncio.Sleep(ctx, 0))
				require.NoError(t, ready())
				require.Equal(t, 1, task.Cancelling())
				return nil
			})
			require.NoError(t, result)
		})
	}
}

// TestUnheardIsHeard: who knows of cancels hears of it, and how, and the counts are
// Python's.
func TestUnheardIsHeard(t *testing.T) {
	open := func(t *testing.T, ctx context.Context) { t.Helper(); a, _ := libPair(t, ctx); require.NotNil(t, a) }
	for what, c := range map[string]struct {
		f    func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error
		want string // what the task has come to
	}{
		"Uncancel takes it back": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			require.Zero(t, task.Uncancel())
			open(t, ctx)
			return asyncio.Sleep(ctx, 0)
		}, ""},
		"Uncancel of one of two does not": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			task.Cancel("again")
			require.Equal(t, 1, task.Uncancel())
			return errLibrary
		}, "asyncio: cancelled: again (library: the connection is invalid)"},
		"a second request is another": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			task.Cancel("again")
			require.EqualError(t, asyncio.Sleep(ctx, 0), "asyncio: cancelled: again")
			require.NoError(t, asyncio.Sleep(ctx, 0))
			require.Equal(t, 2, task.Cancelling())
			return nil
		}, ""},
		"an Await": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			f := asyncio.NewFuture[int](task.Loop())
			_, err := f.Await(ctx)
			require.EqualError(t, err, "asyncio: cancelled: bye")
			require.True(t, f.Cancelled())
			open(t, ctx)
			return nil
		}, ""},
		"a lock": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			var lock asyncio.Lock
			require.NoError(t, lock.Acquire(ctx), "it need not wait")
			asyncio.Go(ctx, func(context.Context) error { lock.Release(); return nil })
			require.EqualError(t, lock.Acquire(ctx), "asyncio: cancelled: bye")
			require.NoError(t, lock.Acquire(ctx))
			open(t, ctx)
			return nil
		}, ""},
		"a call in a thread": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			long := func(ctx context.Context) error { <-ctx.Done(); return nil } // one that has returned keeps its result
			require.EqualError(t, asyncio.ToThreadFunc(ctx, long), "asyncio: cancelled: bye")
			require.NoError(t, asyncio.ToThreadFunc(ctx, func(context.Context) error { return nil }))
			open(t, ctx)
			return nil
		}, ""},
		"a shield": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			inner := asyncio.Go(ctx, func(ctx context.Context) error { open(t, ctx); return nil })
			_, err := asyncio.Shield(ctx, inner).Await(ctx)
			require.EqualError(t, err, "asyncio: cancelled: bye")
			_, err = inner.Await(ctx)
			return err
		}, ""},
		"the end of the task, with nothing": {func(*testing.T, context.Context, asyncio.AnyTask) error { return nil }, "asyncio: cancelled: bye"},
		"the end of the task, with it": {func(_ *testing.T, ctx context.Context, _ asyncio.AnyTask) error {
			return fmt.Errorf("library: %w", asyncio.ErrCancelled)
		}, "library: asyncio: cancelled"},
		"With": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			var stack asyncio.ExitStack
			stack.Push(func(ctx context.Context, err error) error {
				require.ErrorIs(t, err, asyncio.ErrCancelled)
				require.ErrorIs(t, err, errLibrary)
				open(t, ctx)
				return err
			})
			return asyncio.With(ctx, &stack, func(context.Context, *asyncio.ExitStack) error { return errLibrary })
		}, "asyncio: cancelled: bye (library: the connection is invalid)"},
		"a scope that has not asked, with an error": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			err := asyncio.WithTimeout(ctx, time.Hour, func(context.Context, *asyncio.Timeout) error { return errLibrary })
			require.ErrorIs(t, err, asyncio.ErrCancelled)
			require.ErrorIs(t, err, errLibrary)
			require.Equal(t, 1, task.Cancelling())
			open(t, ctx)
			return err
		}, "asyncio: cancelled: bye (library: the connection is invalid)"},
		"a scope that has not asked, with a result": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			v, err := asyncio.WaitFor(ctx, time.Hour, asyncio.Coro[int](func(context.Context) (int, error) { return 7, nil }))
			require.NoError(t, err)
			require.Equal(t, 7, v)
			return asyncio.Sleep(ctx, 0)
		}, "asyncio: cancelled: bye"},
		"a range over a generator": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			task.Uncancel()
			gen := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, asyncio.None]) error {
				y.Yield(1)
				return asyncio.Sleep(ctx, time.Hour)
			})
			task.Loop().CallSoon(func() { task.Cancel("while it is closed") })
			for range gen.All(ctx) {
				break
			}
			return errLibrary
		}, "asyncio: cancelled: while it is closed (library: the connection is invalid)"},
	} {
		t.Run(what, func(t *testing.T) {
			err := unheard(t, func(ctx context.Context, task asyncio.AnyTask) error { return c.f(t, ctx, task) })
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.want)
			}
		})
	}
}

// TestUnheardIsLess: a panic, or the end of the program, is more than a cancel.
func TestUnheardIsLess(t *testing.T) {
	err := unheard(t, func(context.Context, asyncio.AnyTask) error { panic("broken") })
	require.ErrorAs(t, err, new(*asyncio.PanicError))
	require.NotErrorIs(t, err, asyncio.ErrCancelled)

	err = unheard(t, func(ctx context.Context, _ asyncio.AnyTask) error {
		return asyncio.RunTaskGroup(ctx, func(context.Context, *asyncio.TaskGroup) error { panic("broken") })
	})
	require.ErrorAs(t, err, new(*asyncio.ExceptionGroup))
	require.ErrorAs(t, err, new(*asyncio.PanicError))

	err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		a, _ := libPair(t, ctx)
		return asyncio.WithTimeout(ctx, 0, func(context.Context, *asyncio.Timeout) error {
			readOne(a)()
			return &asyncio.SystemExit{Code: 3}
		})
	})
	require.Equal(t, &asyncio.SystemExit{Code: 3}, err)
}

// TestUnheardResults: a request that nobody was told of loses no result, neither of
// a call nor of a scope.
func TestUnheardResults(t *testing.T) {
	if !asyncio.WatchesDescriptors {
		t.Skip("every call of a task waits, for a goroutine")
	}
	require.NoError(t, asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		c := readable(t, ctx)
		task := asyncio.CurrentTask(ctx)
		err := asyncio.WithTimeout(ctx, time.Hour, func(ctx context.Context, _ *asyncio.Timeout) error {
			task.Cancel()
			require.NoError(t, readOne(c)())
			_, err := c.Write([]byte("x"))
			return err
		})
		require.NoError(t, err)
		require.ErrorIs(t, asyncio.Sleep(ctx, 0), asyncio.ErrCancelled)
		task.Uncancel()
		v, err := asyncio.WaitFor(ctx, time.Hour, asyncio.Coro[int](func(ctx context.Context) (int, error) {
			task.Cancel()
			return 7, nil
		}))
		require.NoError(t, err)
		require.Equal(t, 7, v)
		task.Uncancel()
		return asyncio.Sleep(ctx, 0)
	}))
}

// TestUnheardIsTheTasks: neither other tasks, nor a goroutine, know of the cancel of
// a task, also on the same connection.
func TestUnheardIsTheTasks(t *testing.T) {
	require.NoError(t, unheard(t, func(ctx context.Context, task asyncio.AnyTask) error {
		task.Uncancel()
		a, b := libPair(t, ctx)
		task.Cancel("bye")
		require.ErrorIs(t, readOne(a)(), asyncio.ErrCancelled)
		read := make(chan error, 1)
		go func() { read <- readOne(a)() }()
		other := asyncio.Go(ctx, func(context.Context) error { _, err := b.Write([]byte("x")); return err })
		for !other.Done() {
			require.Error(t, readOne(a)()) // the other one has a turn
		}
		_, err := other.Result()
		require.NoError(t, err)
		require.NoError(t, <-read)
		task.Uncancel()
		return nil
	}))
}

// TestUnheardRun: the first interrupt, and the end of the ctx of a run, come out
// whatever a library makes of them.
func TestUnheardRun(t *testing.T) {
	for _, lib := range libraries() {
		t.Run(lib.what, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			err := asyncio.RunFunc(ctx, func(ctx context.Context) error {
				a, _ := libPair(t, ctx)
				return lib.call(func() error { cancel(); return readOne(a)() })
			})
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, asyncio.ErrCancelled)
			require.Equal(t, lib.renames, errors.Is(err, errLibrary))
			if interruptMyself == nil {
				return
			}
			once := sync.OnceFunc(interruptMyself) // a second one would end the run
			err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				a, _ := libPair(t, ctx)
				return lib.call(func() error { once(); return readOne(a)() })
			})
			require.ErrorIs(t, err, asyncio.ErrKeyboardInterrupt)
			require.NotErrorIs(t, err, asyncio.ErrCancelled)
			require.Equal(t, lib.renames, errors.Is(err, errLibrary))
		})
	}
}

// TestCleanUp: clean-up may use the network while a cancel is unheard, and changes
// nothing of it.
func TestCleanUp(t *testing.T) {
	for what, c := range map[string]struct {
		f    func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error
		want string
	}{
		"uses the network": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			require.NoError(t, asyncio.CleanUp(ctx, time.Hour, func(ctx context.Context) error {
				require.NoError(t, readOne(readable(t, ctx))())
				return asyncio.Sleep(ctx, 0)
			}))
			_, err := asyncio.Dial(ctx, "tcp", "127.0.0.1:1")
			require.ErrorIs(t, err, asyncio.ErrCancelled)
			return errLibrary
		}, "asyncio: cancelled: bye (library: the connection is invalid)"},
		"passes its error on": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			require.Equal(t, errLibrary, asyncio.CleanUp(ctx, asyncio.NoTimeout, func(context.Context) error { return errLibrary }))
			return nil
		}, "asyncio: cancelled: bye"},
		"takes too long": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			a, _ := libPairAfter(t, ctx)
			err := asyncio.CleanUp(ctx, soon, func(context.Context) error { readOne(a)(); return errLibrary })
			require.ErrorIs(t, err, asyncio.ErrTimeout)
			require.ErrorIs(t, err, errLibrary)
			require.Equal(t, 1, task.Cancelling())
			return nil
		}, "asyncio: cancelled: bye"},
		"is cancelled": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			err := asyncio.CleanUp(ctx, time.Hour, func(ctx context.Context) error {
				task.Cancel("again")
				return asyncio.Sleep(ctx, time.Hour)
			})
			require.EqualError(t, err, "asyncio: cancelled: again")
			return nil
		}, "asyncio: cancelled: bye"},
		"takes the cancel back": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			return asyncio.CleanUp(ctx, time.Hour, func(ctx context.Context) error { task.Uncancel(); return nil })
		}, ""},
		"panics": {func(t *testing.T, ctx context.Context, task asyncio.AnyTask) error {
			require.Panics(t, func() { asyncio.CleanUp(ctx, time.Hour, func(context.Context) error { panic("broken") }) })
			return nil
		}, "asyncio: cancelled: bye"},
	} {
		t.Run(what, func(t *testing.T) {
			err := unheard(t, func(ctx context.Context, task asyncio.AnyTask) error { return c.f(t, ctx, task) })
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.want)
			}
		})
	}
	// With nothing to set aside, and where ctx has ended.
	require.NoError(t, asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		require.NoError(t, asyncio.CleanUp(ended, time.Hour, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Nanosecond) }))
		require.EqualError(t, asyncio.CleanUp(ctx, 0, nil), "asyncio: a function was expected, got nil")
		return asyncio.Sleep(ctx, 0)
	}))
	require.ErrorIs(t, asyncio.CleanUp(context.Background(), 0, func(context.Context) error { return nil }), asyncio.ErrNoRunningLoop)
}

// libPairAfter is libPair for a task that cannot reach the network.
func libPairAfter(t *testing.T, ctx context.Context) (a, b net.Conn) {
	require.NoError(t, asyncio.CleanUp(ctx, time.Hour, func(ctx context.Context) error { a, b = libPair(t, ctx); return nil }))
	return a, b
}

// TestUnheardErrors: what is made of both is found in the outcome, but not the cancel
// between them.
func TestUnheardErrors(t *testing.T) {
	require.NoError(t, asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		a, _ := libPair(t, ctx)
		err := asyncio.WithTimeout(ctx, 0, func(context.Context, *asyncio.Timeout) error {
			return fmt.Errorf("%w: %w", &net.DNSError{Err: "renamed"}, readOne(a)())
		})
		require.ErrorContains(t, err, "asyncio: timeout (lookup : renamed: ")
		var late net.Error
		require.ErrorAs(t, err, &late)
		require.True(t, late.Timeout())
		require.ErrorAs(t, err, new(*net.DNSError))
		require.False(t, errors.As(err, new(*asyncio.CancelledError)))
		require.NotErrorIs(t, err, context.Canceled)
		require.True(t, asyncio.IsException(err))
		return nil
	}))
}
