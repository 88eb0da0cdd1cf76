package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/stack"
)

// Peers that misbehave.

func TestStreamPeerResets(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		r, w, peer := dialStream(t, ctx)
		reading := asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) { return r.ReadLine(ctx) })
		asyncio.Sleep(ctx, 0)
		peer.reset()
		if _, err := reading.Await(ctx); !errors.Is(err, syscall.ECONNRESET) {
			t.Error("the read that waits:", err)
		}
		for name, call := range map[string]func(context.Context) error{
			"Drain": w.Drain, "WaitClosed": w.WaitClosed,
			"Read": func(ctx context.Context) error { _, err := r.Read(ctx, 1); return err },
		} {
			if err := call(ctx); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.Write([]byte("x")); err != nil {
			t.Error("Write:", err)
		}
		return nil
	})
}

func TestStreamPeerHalfCloses(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		r, w, peer := dialStream(t, ctx)
		peer.send("request")
		peer.CloseWrite()
		p, err := r.Read(ctx, -1)
		got(t, "the request", p, err, "request", nil)
		w.WriteString("response")
		assert.NoError(t, w.Drain(ctx))
		w.Close()
		p, err = peer.receive(ctx, 9)
		got(t, "the response", p, err, "response", io.ErrUnexpectedEOF)
		return w.WaitClosed(ctx)
	})
}

func TestStreamPeerSendsBytes(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		r, w, peer := dialStream(t, ctx)
		peer.SetNoDelay(true)
		const text = "GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n"
		sending := asyncio.Go(ctx, func(ctx context.Context) error {
			for i := range text {
				peer.send(text[i : i+1])
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
			}
			peer.Close()
			return nil
		})
		head, err := r.ReadUntil(ctx, []byte("\r\n\r\n"))
		got(t, "the head", head, err, text, nil)
		p, err := r.Read(ctx, 1)
		got(t, "the end", p, err, "", io.EOF)
		w.Close()
		_, err = sending.Await(ctx)
		return err
	})
}

func TestStreamPeerNeverReads(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		_, w, _ := dialStream(t, ctx)
		w.Write(make([]byte, 8<<20))
		var drains []*asyncio.Task[asyncio.None]
		for range 3 {
			drains = append(drains, asyncio.Go(ctx, w.Drain))
		}
		asyncio.Sleep(ctx, 0)
		drains[1].Cancel()
		if _, err := drains[1].Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Error("a Drain that was cancelled:", err)
		}
		w.Close()
		for range 5 {
			asyncio.Sleep(ctx, time.Millisecond)
		}
		if drains[0].Done() || drains[2].Done() {
			t.Error("a Drain does not wait")
		}
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		if err := w.WaitClosed(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("WaitClosed with a peer that never reads:", err)
		}
		w.Transport().Abort()
		for _, d := range []*asyncio.Task[asyncio.None]{drains[0], drains[2]} {
			if _, err := d.Await(ctx); err != nil {
				t.Error("a Drain at the end:", err)
			}
		}
		if err := w.Drain(ctx); !errors.Is(err, asyncio.ErrConnectionLost) || !errors.Is(err, net.ErrClosed) {
			t.Error("a Drain after the end:", err)
		}
		return w.WaitClosed(ctx)
	})
}

// A peer that sends without end, and never a newline, costs no more memory than
// the limit allows, also if nobody reads.
func TestStreamPeerSendsNoNewline(t *testing.T) {
	const limit = 64 << 10
	total := 1 << 30
	if testing.Short() || raceEnabled || len(asyncio.Emulator) > 0 {
		total = 64 << 20
	}
	onSockets(t, func(ctx context.Context) error {
		var peak uint64
		server := serving(t, ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			defer w.Close()
			refused, dropped := 0, 0
			for {
				_, err := r.ReadLine(ctx)
				if err == io.EOF || errors.Is(err, syscall.ECONNRESET) {
					break
				}
				var over *asyncio.LimitOverrunError
				if errors.As(err, &over) {
					dropped += over.Consumed
					if refused++; refused%64 == 0 {
						peak = max(peak, liveHeap())
					}
				}
			}
			if refused < total/(4*limit) {
				t.Errorf("%d lines were refused, of %d bytes", refused, dropped)
			}
			return nil
		}, asyncio.WithLimit(limit))
		before := liveHeap()
		err := asyncio.ToThreadFunc(ctx, func(context.Context) error {
			c, err := netDial(ctx, "tcp", server.Addr().String())
			if err != nil {
				return err
			}
			defer c.Close()
			piece := bytes.Repeat([]byte("x"), 1<<20)
			for range total / len(piece) {
				if _, err := c.Write(piece); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := server.Shutdown(ctx); err != nil {
			return err
		}
		if peak > before+16<<20 {
			t.Errorf("the heap has grown from %d to %d bytes", before, peak)
		}
		return nil
	})
}

// liveHeap returns how much memory is in use, in bytes, without what is garbage.
func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestStreamBackpressureBoundsMemory(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		r, w, peer := dialStream(t, ctx, asyncio.WithLimit(1000))
		sent, full := 0, error(nil)
		sending := asyncio.Go(ctx, func(ctx context.Context) error {
			return asyncio.ToThreadFunc(ctx, func(context.Context) error {
				for full == nil && sent < 1<<30 {
					var n int
					n, full = peer.Write(make([]byte, 1<<20))
					sent += n
				}
				return nil
			})
		})
		for w.Transport().(asyncio.Transport).IsReading() && !sending.Done() {
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
		}
		// Only now, as nothing says how long it takes until the thread has begun.
		peer.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := sending.Await(ctx); err != nil {
			return err
		}
		if !errors.Is(full, os.ErrDeadlineExceeded) {
			t.Errorf("after %d bytes that nobody has read the peer's write gives %v", sent, full)
		}
		peer.CloseWrite()
		n, err := io.Copy(io.Discard, r.Reader(ctx))
		if int(n) != sent || err != nil {
			t.Errorf("of %d bytes %d have come, %v", sent, n, err)
		}
		w.Close()
		return w.WaitClosed(ctx)
	})
}

// Whatever happens to reads and writes in the middle, what is read is what was
// sent: nothing is lost and nothing comes twice.
func TestStreamCancelledInTheMiddle(t *testing.T) {
	const total = 1 << 20
	onSockets(t, func(ctx context.Context) error {
		for seed := range uint64(5) {
			random := rand.New(rand.NewPCG(seed, 7))
			server := serving(t, ctx, echo)
			r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String(), asyncio.WithLimit(1<<12))
			if err != nil {
				return err
			}
			// attempt runs f in a task that is cancelled at some time, perhaps when it
			// is done.
			attempt := func(f func(ctx context.Context) error) error {
				task := asyncio.Go(ctx, f)
				for range random.IntN(4) {
					asyncio.Sleep(ctx, 0)
				}
				task.Cancel()
				_, err := task.Await(ctx)
				return err
			}
			at := func(i int) byte { return byte(i * 7 / 3) }
			writing := asyncio.Go(ctx, func(ctx context.Context) error {
				for i := 0; i < total; {
					p := make([]byte, min(1+random.IntN(20000), total-i))
					for j := range p {
						p[j] = at(i + j)
					}
					i += len(p)
					w.Write(p)
					if attempt(w.Drain) != nil {
						if err := w.Drain(ctx); err != nil {
							return err
						}
					}
				}
				return w.WriteEOF()
			})
			read, buffer := 0, make([]byte, 1<<13)
			for read < total {
				var p []byte
				err := attempt(func(ctx context.Context) (err error) {
					switch n := 1 + random.IntN(len(buffer)); random.IntN(3) {
					case 0:
						p, err = r.Read(ctx, n)
					case 1:
						p, err = r.ReadExactly(ctx, min(n, total-read))
					default:
						n, err = r.ReadInto(ctx, buffer[:n])
						p = buffer[:n]
					}
					return err
				})
				if err != nil && !errors.Is(err, asyncio.ErrCancelled) {
					return fmt.Errorf("seed %d, after %d bytes: %w", seed, read, err)
				}
				if err != nil && len(p) > 0 {
					t.Error("an error with data")
				}
				for i, b := range p {
					if b != at(read+i) {
						return fmt.Errorf("seed %d: byte %d is wrong", seed, read+i)
					}
				}
				read += len(p)
			}
			if _, err := writing.Await(ctx); err != nil {
				return err
			}
			if p, err := r.Read(ctx, 1); err != io.EOF {
				t.Errorf("seed %d: more than was sent: %q, %v", seed, p, err)
			}
			w.Close()
			if err := server.Shutdown(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// A breaking is a protocol one callback of which panics.
type breaking struct {
	recorder
	at int
}

func (p *breaking) note(at int, event string) {
	if p.recorder.note(event); p.at%5 == at {
		panic("deliberately")
	}
}
func (p *breaking) ConnectionMade(tr asyncio.Transport) {
	p.tr = tr
	p.note(0, "made")
}
func (p *breaking) DataReceived(data []byte) { p.note(1, "data"); p.tr.Write(data) }
func (p *breaking) EOFReceived() bool        { p.note(2, "eof"); return false }
func (p *breaking) ConnectionLost(error)     { p.note(3, "lost") }

// Many connections, each of which goes wrong in some way, leave nothing behind.
func TestFaultyConnectionsLeakNothing(t *testing.T) {
	n := 100_000
	switch {
	case testing.Short() || raceEnabled:
		n = 2000
	case runtime.GOOS != "linux" || len(asyncio.Emulator) > 0: // ports are in use for a minute after a connection
		n = 20_000
	case greenlet.Backend().Name != "assembly": // half a minute
		n = 20_000
	}
	onSockets(t, func(context.Context) error { return nil }) // what is started once and stays
	greenlet.Close()
	stack.Trim()
	before, goroutines := openDescriptors(t), runtime.NumGoroutine()
	onSockets(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // handlers fail on purpose
		handled, made := 0, 0
		streams := serving(t, ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			handled++
			switch handled % 7 {
			case 0:
				return errors.New("deliberately")
			case 1:
				panic("deliberately")
			case 2:
				w.Transport().Abort()
				return nil
			case 3: // more than the peer takes that does not read
				w.Write(make([]byte, 1<<17))
				w.Close()
				return nil
			case 4: // a message of a certain length, which may end in the middle
				p, err := r.ReadExactly(ctx, len("hello"))
				w.Write(p)
				w.Close()
				return err
			}
			return echo(ctx, r, w)
		})
		protocols, err := asyncio.CreateServer(ctx, func() asyncio.Protocol {
			made++
			return &breaking{at: made}
		}, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		reset := func(w *asyncio.StreamWriter) {
			resetOnClose(w)
			w.Close()
		}
		client := func(ctx context.Context, i int) error {
			server := streams
			if i%3 == 0 {
				server = protocols
			}
			r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
			if err != nil {
				return err
			}
			switch i % 8 {
			case 0:
				w.WriteString("hello")
				w.Transport().Abort()
			case 1:
				w.WriteString("hello")
				w.Close()
			case 2:
				w.WriteString("hello")
				asyncio.WaitFor[[]byte](ctx, time.Millisecond, asyncio.Coro[[]byte](func(ctx context.Context) ([]byte, error) { return r.Read(ctx, 1) }))
				reset(w)
			case 3: // half closed
				w.WriteString("hello")
				w.WriteEOF()
				r.Read(ctx, -1)
				w.Close()
			case 4: // a byte at a time
				for _, b := range []byte("hello") {
					w.Write([]byte{b})
					asyncio.Sleep(ctx, 0)
				}
				r.Read(ctx, 1)
				w.Close()
			case 5: // never reads
				w.Transport().(asyncio.Transport).PauseReading()
				w.WriteString("hello")
				asyncio.Sleep(ctx, 0)
				w.Close()
			case 6: // in the middle of a message
				w.WriteString("he")
				asyncio.Sleep(ctx, 0)
				if i%16 < 8 {
					reset(w)
				} else {
					w.Close()
				}
			default:
				w.WriteString("hello")
				r.Read(ctx, 1)
				w.Close()
			}
			w.WaitClosed(ctx)
			return nil
		}
		coros := make([]asyncio.Coro[asyncio.None], n)
		for i := range coros {
			coros[i] = asyncio.Func(func(ctx context.Context) error { return client(ctx, i) })
		}
		if _, err := asyncio.Gather(ctx, asyncio.Limit(50, coros...)...).Await(ctx); err != nil {
			return err
		}
		soon, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		streams.Shutdown(soon)
		protocols.Shutdown(soon)
		for len(l.AllTasks()) > 1 { // handlers that clean up
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
		}
		if handled < n/3 || made < n/6 {
			t.Errorf("of %d connections a stream has had %d, a protocol %d", n, handled, made)
		}
		if timers := asyncio.PendingTimers(l); timers > 1 || timers > 0 && overNetwork == nil { // another network has one
			t.Errorf("there are %d timers", timers)
		}
		return nil
	})
	// A descriptor is closed when the last goroutine lets go of it.
	for start := time.Now(); openDescriptors(t) > before; time.Sleep(time.Millisecond) {
		if time.Since(start) > tooLate {
			t.Fatalf("%d descriptors are open, before it was %d", openDescriptors(t), before)
		}
	}
	// Not all goroutines end at once, and idle ones are kept for the next greenlets.
	for start := time.Now(); runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Since(start) > tooLate {
			all := make([]byte, 1<<16)
			t.Fatalf("there are %d goroutines, before it was %d\n%s", runtime.NumGoroutine(), goroutines, all[:runtime.Stack(all, true)])
		}
		greenlet.Close()
		stack.Trim()
		runtime.GC()
	}
}

// openDescriptors counts the process's open files, if the system tells.
func openDescriptors(t *testing.T) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Log("the system does not tell which files are open:", err)
		return 0
	}
	return len(all)
}
