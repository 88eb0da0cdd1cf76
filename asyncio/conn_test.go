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
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A pipe makes two ends of a connection. It is called in a task.
type pipeMaker func(t *testing.T, ctx context.Context) (a, b net.Conn)

// connected connects two ends by a listener of the loop.
func connected(network string) pipeMaker {
	return func(t *testing.T, ctx context.Context) (a, b net.Conn) {
		t.Helper()
		addr := "127.0.0.1:0"
		if network == "unix" {
			addr = filepath.Join(t.TempDir(), "s")
		}
		ln, err := asyncio.Listen(ctx, network, addr)
		require.NoError(t, err)
		defer ln.Close()
		if a, err = asyncio.Dial(ctx, network, ln.Addr().String()); err != nil {
			t.Fatal(err)
		}
		if b, err = ln.Accept(); err != nil {
			t.Fatal(err)
		}
		return a, b
	}
}

// networks are those of streams that there are here.
func networks() map[string]pipeMaker {
	all := map[string]pipeMaker{"tcp": connected("tcp")}
	if runtime.GOOS != "windows" && runtime.GOOS != "js" && runtime.GOOS != "wasip1" {
		all["unix"] = connected("unix")
	}
	return all
}

// A side is how a function is run beside the test's task, and waited for.
type side struct {
	name string
	run  func(ctx context.Context, f func(ctx context.Context)) (wait func())
}

// sides are a task of the loop, and a goroutine that knows no loop.
var sides = []side{
	{"task", func(ctx context.Context, f func(ctx context.Context)) func() {
		task := asyncio.Go(ctx, func(ctx context.Context) error { f(ctx); return nil })
		return func() { task.Await(ctx) }
	}},
	{"goroutine", func(ctx context.Context, f func(ctx context.Context)) func() {
		done := make(chan struct{})
		go func() { defer close(done); f(context.Background()) }()
		return func() { asyncio.ToThreadFunc(ctx, func(context.Context) error { <-done; return nil }) }
	}},
}

// eachConn runs f for each network and each pair of sides.
func eachConn(t *testing.T, f func(t *testing.T, ctx context.Context, a, b net.Conn, here, there side)) {
	sides := sides
	if loopsAlone {
		sides = sides[:1]
	}
	for name, make := range networks() {
		for _, here := range sides {
			for _, there := range sides {
				t.Run(name+"/"+here.name+"-"+there.name, func(t *testing.T) {
					inTask(t, func(ctx context.Context, l *asyncio.Loop) {
						a, b := make(t, ctx)
						defer a.Close()
						defer b.Close()
						f(t, ctx, a, b, here, there)
					})
				})
			}
		}
	}
}

// both runs f and g beside each other and waits for both.
func both(ctx context.Context, here, there side, f, g func(ctx context.Context)) {
	one, two := here.run(ctx, f), there.run(ctx, g)
	one()
	two()
}

func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i * 7 >> 3)
	}
	return p
}

func TestConnEcho(t *testing.T) {
	eachConn(t, func(t *testing.T, ctx context.Context, a, b net.Conn, here, there side) {
		both(ctx, here, there, func(context.Context) {
			for i := range 50 {
				want := fmt.Sprint("message ", i)
				if _, err := io.WriteString(a, want); err != nil {
					t.Error(err)
					return
				}
				p := make([]byte, len(want))
				if _, err := io.ReadFull(a, p); err != nil || string(p) != want {
					t.Errorf("got %q, %v, want %q", p, err, want)
					return
				}
			}
			a.Close()
		}, func(context.Context) {
			if n, err := io.Copy(b, b); err != nil || n != 490 {
				t.Errorf("copied %d: %v", n, err)
			}
		})
	})
}

// More than any buffer holds goes through whole, both ways at once.
func TestConnBulk(t *testing.T) {
	want := pattern(4 << 20)
	eachConn(t, func(t *testing.T, ctx context.Context, a, b net.Conn, here, there side) {
		send := func(c net.Conn) func(context.Context) {
			return func(context.Context) {
				if n, err := c.Write(want); n != len(want) || err != nil {
					t.Errorf("Write: %d, %v", n, err)
				}
				c.(interface{ CloseWrite() error }).CloseWrite()
			}
		}
		receive := func(c net.Conn) func(context.Context) {
			return func(context.Context) {
				got, err := io.ReadAll(c)
				if string(got) != string(want) || err != nil {
					t.Errorf("got %d bytes, equal: %v, %v", len(got), string(got) == string(want), err)
				}
			}
		}
		waits := []func(){
			here.run(ctx, send(a)), here.run(ctx, receive(a)),
			there.run(ctx, send(b)), there.run(ctx, receive(b)),
		}
		for _, wait := range waits {
			wait()
		}
	})
}

// skipFakeNetwork skips a test of what the network inside package net, which js and
// wasip1 have, does not keep: what is closed.
func skipFakeNetwork(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("the network of package net is a simpler one here")
	}
}

// isTimeout checks the error of a deadline that is over.
func isTimeout(t *testing.T, what string, err error) {
	t.Helper()
	var ne net.Error
	var op *net.OpError
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() || !errors.As(err, &op) {
		t.Errorf("%s: %v (%T)", what, err, err)
	}
}

func isClosed(t *testing.T, what string, err error) {
	t.Helper()
	var op *net.OpError
	if !errors.Is(err, net.ErrClosed) || !errors.As(err, &op) {
		t.Errorf("%s: %v (%T)", what, err, err)
	}
}

func TestConnDeadlines(t *testing.T) {
	eachConn(t, func(t *testing.T, ctx context.Context, a, b net.Conn, here, there side) {
		p, big := make([]byte, 1), make([]byte, 64<<20)
		wait := here.run(ctx, func(context.Context) {
			a.SetReadDeadline(time.Now().Add(-time.Second))
			_, err := a.Read(p)
			isTimeout(t, "in the past", err)
			a.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			_, err = a.Read(p)
			isTimeout(t, "soon", err)
			_, err = a.Read(p)
			isTimeout(t, "still", err)
			n := 0
			for d := 10 * time.Millisecond; n == 0 && d < time.Minute; d *= 4 { // a busy machine takes long to begin
				a.SetWriteDeadline(time.Now().Add(d))
				n, err = a.Write(big) // b does not read
				isTimeout(t, "Write", err)
			}
			if n == 0 || n == len(big) {
				t.Errorf("Write: %d bytes", n)
			}
			a.SetDeadline(time.Time{})
		})
		wait()
		over := asyncio.NewEvent()
		l, _ := asyncio.RunningLoop(ctx)
		// One that is set while somebody waits, from elsewhere, and then put off
		// and taken back, and then over.
		wait = here.run(ctx, func(context.Context) {
			_, err := a.Read(p)
			isTimeout(t, "set from elsewhere", err)
			a.SetReadDeadline(time.Time{})
			l.CallSoonThreadsafe(over.Set)
			if _, err := a.Read(p); err != nil || p[0] != 'x' {
				t.Errorf("after all: %q, %v", p, err)
			}
		})
		asyncio.Sleep(ctx, time.Millisecond)
		there.run(ctx, func(context.Context) {
			a.SetReadDeadline(time.Now().Add(time.Hour))
			a.SetReadDeadline(time.Time{})
			a.SetReadDeadline(time.Now().Add(time.Millisecond))
		})()
		over.Wait(ctx)
		b.Write([]byte("x"))
		wait()
	})
}

func TestConnCloseWakes(t *testing.T) {
	skipFakeNetwork(t)
	eachConn(t, func(t *testing.T, ctx context.Context, a, b net.Conn, here, there side) {
		read := here.run(ctx, func(context.Context) {
			_, err := a.Read(make([]byte, 1))
			isClosed(t, "Read", err)
		})
		write := here.run(ctx, func(context.Context) {
			_, err := a.Write(make([]byte, 64<<20))
			isClosed(t, "Write", err)
		})
		next := here.run(ctx, func(context.Context) {
			if _, err := a.Write(make([]byte, 1)); err != nil || here.name == "task" {
				isClosed(t, "the next Write", err) // a goroutine may have been the first
			}
		})
		last := here.run(ctx, func(context.Context) {
			if _, err := a.Write(make([]byte, 1)); err != nil || here.name == "task" {
				isClosed(t, "the last Write", err)
			}
		})
		asyncio.Sleep(ctx, 5*time.Millisecond) // they wait by then, or the test is an easier one
		there.run(ctx, func(context.Context) {
			assert.NoError(t, a.Close())
			isClosed(t, "a second Close", a.Close())
			isClosed(t, "SetDeadline", a.SetDeadline(time.Now()))
			_, err := a.Read(nil)
			isClosed(t, "Read of nothing", err)
			_, err = a.Write([]byte("x"))
			isClosed(t, "Write after Close", err)
		})()
		read()
		write()
		next()
		last()
		io.Copy(io.Discard, b)
	})
}

// Several Writes at a time, of both sides, are whole.
func TestConnWritesAreWhole(t *testing.T) {
	const size, each = 300_000, 5
	eachConn(t, func(t *testing.T, ctx context.Context, a, b net.Conn, here, there side) {
		var waits []func()
		for i, s := range []side{here, there, here, there} {
			waits = append(waits, s.run(ctx, func(context.Context) {
				p := make([]byte, size)
				for j := range p {
					p[j] = byte('a' + i)
				}
				for range each {
					if n, err := a.Write(p); n != size || err != nil {
						t.Error(n, err)
					}
				}
			}))
		}
		p := make([]byte, size)
		for range 4 * each {
			if _, err := io.ReadFull(b, p); err != nil {
				t.Fatal(err)
			}
			for _, c := range p {
				if c != p[0] {
					t.Fatalf("%c among %c", c, p[0])
				}
			}
		}
		for _, wait := range waits {
			wait()
		}
	})
}

func TestConnCancel(t *testing.T) {
	for name, make := range networks() {
		t.Run(name, func(t *testing.T) {
			inTask(t, func(ctx context.Context, l *asyncio.Loop) {
				testConnCancel(t, ctx, make)
			})
		})
	}
}

func testConnCancel(t *testing.T, ctx context.Context, pair pipeMaker) {
	a, b := pair(t, ctx)
	defer a.Close()
	defer b.Close()
	read := func(ctx context.Context) (string, error) {
		p := make([]byte, 10)
		n, err := a.Read(p)
		return string(p[:n]), err
	}
	first := asyncio.CreateTask(ctx, read)
	second := asyncio.CreateTask(ctx, read)
	asyncio.Sleep(ctx, time.Millisecond)
	first.Cancel("enough")
	if _, err := first.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
		t.Error("Read:", err)
	}
	b.Write([]byte("for two"))
	if s, err := second.Await(ctx); s != "for two" || err != nil {
		t.Errorf("the other Read: %q, %v", s, err)
	}
	// One that is cancelled when it was chosen already passes on.
	l, _ := asyncio.RunningLoop(ctx)
	third, fourth := asyncio.CreateTask(ctx, read), asyncio.CreateTask(ctx, read)
	asyncio.Sleep(ctx, time.Millisecond)
	b.Write([]byte("again"))
	l.CallSoon(func() { third.Cancel() }) // before it runs, and after it was chosen
	if s, err := third.Await(ctx); err == nil && s == "again" {
		b.Write([]byte(s)) // where Write switches it may have been quicker
	} else if !errors.Is(err, asyncio.ErrCancelled) {
		t.Errorf("chosen and cancelled: %q, %v", s, err)
	}
	if s, err := fourth.Await(ctx); s != "again" || err != nil {
		t.Errorf("passed on: %q, %v", s, err)
	}

	// A Write tells how much it has written, and no byte of the next is before.
	big := pattern(32 << 20)
	sent := 0
	writer := asyncio.CreateTask(ctx, func(context.Context) (int, error) {
		n, err := a.Write(big)
		sent = n
		return n, err
	})
	var rest []*asyncio.Task[int]
	behind := asyncio.CreateTask(ctx, func(context.Context) (int, error) { return a.Write([]byte("never")) })
	asyncio.Sleep(ctx, 5*time.Millisecond)
	behind.Cancel()
	if n, err := behind.Await(ctx); n != 0 || !errors.Is(err, asyncio.ErrCancelled) {
		t.Error("behind:", n, err)
	}
	for range 2 {
		rest = append(rest, asyncio.CreateTask(ctx, func(context.Context) (int, error) { return a.Write([]byte("end")) }))
	}
	asyncio.Sleep(ctx, time.Millisecond)
	writer.Cancel()
	asyncio.Sleep(ctx, 0)
	rest[0].Cancel() // it has the turn, and has not run
	if n, err := rest[0].Await(ctx); n != 0 || !errors.Is(err, asyncio.ErrCancelled) {
		t.Error("with the turn:", n, err)
	}
	if _, err := writer.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
		t.Error("Write:", err)
	}
	asyncio.Go(ctx, func(ctx context.Context) error {
		rest[1].Await(ctx)
		return a.Close()
	})
	got, err := io.ReadAll(b)
	if want := string(big[:sent]) + "end"; string(got) != want || err != nil {
		t.Errorf("got %d bytes, want %d: %v", len(got), len(want), err)
	}
}

// A reader that leaves something wakes the next one.
func TestConnReadersShare(t *testing.T) {
	for name, make2 := range networks() {
		t.Run(name, func(t *testing.T) {
			inTask(t, func(ctx context.Context, l *asyncio.Loop) {
				a, b := make2(t, ctx)
				defer a.Close()
				defer b.Close()
				got := ""
				var readers []asyncio.Awaitable[asyncio.None]
				for range 3 {
					readers = append(readers, asyncio.Go(ctx, func(context.Context) error {
						p := make([]byte, 1)
						n, err := a.Read(p)
						got += string(p[:n])
						return err
					}))
				}
				asyncio.Sleep(ctx, time.Millisecond)
				b.Write([]byte("abc"))
				if _, err := asyncio.Gather(ctx, readers...).Await(ctx); err != nil || got != "abc" {
					t.Errorf("%q, %v", got, err)
				}
			})
		})
	}
}

// closes tells that it was closed.
type closes chan struct{}

func (c closes) Close() error { close(c); return nil }

// What a Dial comes to that nobody waits for any more is closed.
func TestDialLate(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for _, late := range []bool{true, false} {
			closed := make(closes)
			var dial *asyncio.Task[io.Closer]
			dial = asyncio.CreateTask(ctx, func(ctx context.Context) (io.Closer, error) {
				return asyncio.Beside(ctx, func(ctx context.Context) (io.Closer, error) {
					if late {
						l.CallSoonThreadsafe(func() { dial.Cancel() })
						<-ctx.Done()
					} else { // in the turn in which it gets the result
						l.CallSoonThreadsafe(func() { l.CallSoon(func() { dial.Cancel() }) })
					}
					return closed, nil
				})
			})
			if _, err := dial.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
				t.Errorf("late %v: %v", late, err)
			}
			err := asyncio.ToThreadFunc(ctx, func(ctx context.Context) error {
				<-closed
				return nil
			})
			assert.NoError(t, err)
		}
	})
}
