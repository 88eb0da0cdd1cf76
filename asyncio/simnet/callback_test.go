package simnet_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// ways in which a callback is arranged, by a task or by a callback.
var arranged = map[string]func(l *asyncio.Loop, fn func()){
	"CallSoon":           func(l *asyncio.Loop, fn func()) { l.CallSoon(fn) },
	"CallLater":          func(l *asyncio.Loop, fn func()) { l.CallLater(time.Second, fn) },
	"CallAt":             func(l *asyncio.Loop, fn func()) { l.CallAt(l.Time()+time.Second, fn) },
	"CallWhenQuiet":      func(l *asyncio.Loop, fn func()) { l.CallWhenQuiet(fn) },
	"CallSoonThreadsafe": func(l *asyncio.Loop, fn func()) { l.CallSoonThreadsafe(fn) },
	"AddDoneCallback": func(l *asyncio.Loop, fn func()) {
		f := asyncio.NewFuture[int](l)
		f.AddDoneCallback(asyncio.NewCallback(func(asyncio.AnyFuture) { fn() }))
		l.CallLater(time.Second, func() { f.SetResult(1) })
	},
	"a callback of a callback": func(l *asyncio.Loop, fn func()) { l.CallSoon(func() { l.CallLater(time.Second, fn) }) },
	"a task of NewTask": func(l *asyncio.Loop, fn func()) {
		asyncio.NewTask(l, func(ctx context.Context) (int, error) {
			err := asyncio.Sleep(ctx, time.Second)
			if err == nil {
				fn()
			}
			return 0, err
		})
	},
	"a task of a callback": func(l *asyncio.Loop, fn func()) {
		l.CallSoon(func() {
			asyncio.NewTask(l, func(ctx context.Context) (int, error) { fn(); return 0, nil })
		})
	},
}

// A callback is on the host whose task has arranged it, and on no other when it is called.
func TestCallbacksAreOfTheirHost(t *testing.T) {
	for name, arrange := range arranged {
		t.Run(name, func(t *testing.T) {
			simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
				h := n.Host("h", simnet.WithClockSkew(time.Hour))
				called := false
				_, err := h.Go(ctx, func(ctx context.Context) error {
					l, err := asyncio.RunningLoop(ctx)
					arrange(l, func() {
						called = true
						assert.Equal(t, "h", simnet.HostOf(context.Background()).Name())
						assert.Equal(t, 2000, asyncio.Now(context.Background()).Year())
						assert.Equal(t, 1, asyncio.Now(context.Background()).Hour(), "its wall clock")
						ln, err := asyncio.Listen(context.Background(), "tcp", ":7000")
						if assert.NoError(t, err) {
							t.Cleanup(func() { ln.Close() })
						}
					})
					return err
				}).Await(ctx)
				require.NoError(t, err)
				require.NoError(t, asyncio.Sleep(ctx, 3*time.Second))
				require.True(t, called)
				assert.Equal(t, simnet.Outside, simnet.HostOf(context.Background()).Name())
				dial(t, ctx, "h:7000")
			})
		})
	}
}

// When a host goes down its callbacks are not called any more, also when it is up again:
// those that its programs arrange from then on are.
func TestCallbacksEndWithTheirHost(t *testing.T) {
	for name, arrange := range arranged {
		for how, down := range map[string]func(*simnet.Host){"crash": (*simnet.Host).Crash, "kill": (*simnet.Host).Kill, "shutdown": (*simnet.Host).Shutdown} {
			t.Run(name+"/"+how, func(t *testing.T) {
				simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
					h := n.Host("h")
					var called []int
					lives := 0
					l, err := asyncio.RunningLoop(ctx)
					require.NoError(t, err)
					begun := asyncio.NewEvent()
					h.Start(func(ctx context.Context) error {
						lives++
						life := lives
						begun.Set()
						arrange(l, func() { called = append(called, life) })
						defer arrange(l, func() { called = append(called, -life) }) // of one that ends
						return asyncio.Sleep(ctx, time.Hour)
					})
					require.NoError(t, begun.Wait(ctx))
					down(h)
					for h.Running() {
						require.NoError(t, asyncio.Sleep(ctx, 0))
					}
					if how != "shutdown" { // which leaves it the time to do what it does at once
						assert.Empty(t, called)
					}
					called = nil
					h.Restart()
					require.NoError(t, asyncio.Sleep(ctx, time.Minute))
					assert.Equal(t, []int{2}, called)
				})
			})
		}
	}
}

// A host that stands still calls no callback. Those whose time has come meanwhile are called
// when it goes on, in their order, but for what is cancelled by then.
func TestPauseStopsCallbacks(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("h")
		var called []string
		notes := func(what string) func() { return func() { called = append(called, what) } }
		h.Start(func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			var second *asyncio.TimerHandle
			l.CallLater(time.Second, func() {
				notes("first")()
				second.Cancel()
				l.CallSoon(notes("of the first"))
			})
			second = l.CallLater(2*time.Second, notes("second"))
			l.CallLater(3*time.Second, notes("third"))
			l.CallLater(time.Hour, notes("later"))
			asyncio.Sleep(ctx, 4*time.Second)
			notes("the task")()
			return err
		})
		require.NoError(t, asyncio.Sleep(ctx, time.Millisecond))
		h.Pause()
		require.NoError(t, asyncio.Sleep(ctx, time.Minute))
		assert.Empty(t, called)
		h.Resume()
		require.NoError(t, asyncio.Sleep(ctx, time.Millisecond))
		assert.Equal(t, []string{"first", "third", "the task", "of the first"}, called)
		h.Pause()
		require.NoError(t, asyncio.Sleep(ctx, 2*time.Hour))
		h.Crash()
		h.Resume()
		h.Restart()
		require.NoError(t, asyncio.Sleep(ctx, time.Millisecond))
		assert.Len(t, called, 4, "what was kept has gone with the crash")
	})
}

// A talker is a protocol that tells what it was told.
type talker struct {
	asyncio.NopProtocol
	name string
	told *[]string
	t    asyncio.Transport
}

func (p *talker) ConnectionMade(t asyncio.Transport) {
	p.t = t
	*p.told = append(*p.told, p.name+" made on "+simnet.HostOf(context.Background()).Name())
}

func (p *talker) DataReceived(data []byte) {
	*p.told = append(*p.told, p.name+" got "+string(data)+" on "+simnet.HostOf(context.Background()).Name())
	p.t.Write([]byte("answer"))
}

func (p *talker) ConnectionLost(error) {
	*p.told = append(*p.told, p.name+" lost on "+simnet.HostOf(context.Background()).Name())
}

// A protocol is called on the host whose task has made its server or its transport, and not
// after that has gone down.
func TestProtocolsAreOfTheirHost(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		server, client := n.Host("server"), n.Host("client")
		var told []string
		server.Start(func(ctx context.Context) error {
			srv, err := asyncio.CreateServer(ctx, func() *talker { return &talker{name: "server's", told: &told} }, "tcp", ":7000")
			if err != nil {
				return err
			}
			return srv.ServeForever(ctx)
		})
		require.NoError(t, asyncio.Sleep(ctx, ms))
		client.Go(ctx, func(ctx context.Context) error {
			_, p, err := asyncio.CreateConnection(ctx, func() *talker { return &talker{name: "client's", told: &told} }, "tcp", "server:7000")
			require.NoError(t, err)
			return p.t.Write([]byte("question"))
		})
		require.NoError(t, asyncio.Sleep(ctx, 3*ms+ms/2)) // the answer is under way
		client.Crash()
		assert.Equal(t, []string{"client's made on client", "server's made on server", "server's got question on server"}, told)
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		server.Kill()
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		assert.Len(t, told, 3, "the one got no answer, and neither was told of the end")
	})
}

// A transport that was closed in the turn of the crash tells nobody.
func TestNobodyIsToldAfterACrash(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		n.Host("server").Start(echo)
		require.NoError(t, asyncio.Sleep(ctx, ms))
		client := n.Host("client")
		var told []string
		client.Go(ctx, func(ctx context.Context) error {
			tr, _, err := asyncio.CreateConnection(ctx, func() *talker { return &talker{name: "client's", told: &told} }, "tcp", "server:7000")
			require.NoError(t, err)
			tr.Close()
			client.Crash()
			return nil
		})
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		assert.Equal(t, []string{"client's made on client"}, told)
	})
}

// A task that has its own host crash ends where it waits next, and a callback goes on to
// its end: what either arranges from then on is not called, though the host is up again.
func TestCrashOfOneself(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("h")
		l, err := asyncio.RunningLoop(ctx)
		require.NoError(t, err)
		var steps []string
		step := func(what string) func() { return func() { steps = append(steps, what) } }
		h.Go(ctx, func(ctx context.Context) error {
			h.Crash()
			step("a task goes on")()
			l.CallSoon(step("a callback of the task"))
			l.CallLater(time.Second, step("a timer of the task"))
			defer step("and its deferred calls run")()
			err := asyncio.Sleep(ctx, time.Second)
			step("further than its next wait")()
			return err
		})
		require.NoError(t, asyncio.Sleep(ctx, 3*time.Second))
		assert.Equal(t, []string{"a task goes on", "and its deferred calls run"}, steps)
		steps = nil
		h.Restart()
		h.Go(ctx, func(ctx context.Context) error {
			l.CallSoon(func() {
				h.Crash()
				h.Restart()
				step("a callback goes on")()
				l.CallSoon(step("a callback of it"))
				l.CallLater(time.Second, step("a timer of it"))
			})
			return nil
		})
		require.NoError(t, asyncio.Sleep(ctx, 3*time.Second))
		assert.Equal(t, []string{"a callback goes on"}, steps)
	})
}

// A protocol that was told to read in the very turn in which its host crashes does not.
func TestDatagramProtocolEndsWithItsHost(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("h")
		got := &ears{}
		h.Start(func(ctx context.Context) error {
			_, _, err := asyncio.CreateDatagramEndpoint(ctx, func() *ears { return got }, "udp", asyncio.WithLocalAddr(":7000"))
			if err != nil {
				return err
			}
			return asyncio.Sleep(ctx, time.Hour)
		})
		require.NoError(t, asyncio.Sleep(ctx, ms))
		c, err := asyncio.Dial(ctx, "udp", "h:7000")
		require.NoError(t, err)
		defer c.Close()
		c.Write([]byte("one"))
		require.NoError(t, asyncio.Sleep(ctx, 2*ms))
		c.Write([]byte("two"))
		l, err := asyncio.RunningLoop(ctx)
		require.NoError(t, err)
		crashed := asyncio.NewEvent()
		l.CallLater(ms, func() { // comes in the turn in which the datagram does, before the protocol's
			h.Crash()
			crashed.Set()
		})
		require.NoError(t, crashed.Wait(ctx))
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		assert.Equal(t, []string{"one"}, got.heard)
		assert.Zero(t, got.failed)
	})
}

type ears struct {
	asyncio.NopDatagramProtocol
	heard  []string
	failed int
}

func (p *ears) DatagramReceived(data []byte, from net.Addr) { p.heard = append(p.heard, string(data)) }
func (p *ears) ErrorReceived(error)                         { p.failed++ }

// What the network does because a host has asked for it does not end with that host: a
// packet that is under way arrives, and another host that it has restarted is watched.
func TestNetworkOutlivesTheHostThatCalled(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		pc, err := asyncio.ListenPacket(ctx, "udp", ":7000")
		require.NoError(t, err)
		defer pc.Close()
		var failed []string
		l, err := asyncio.RunningLoop(ctx)
		require.NoError(t, err)
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { failed = append(failed, c.Message) })
		other := n.Host("other")
		other.Start(func(ctx context.Context) error {
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			return net.ErrClosed
		})
		h := n.Host("h")
		_, err = h.Go(ctx, func(ctx context.Context) error {
			other.Restart()
			c, err := asyncio.Dial(ctx, "udp", simnet.Outside+":7000")
			if err != nil {
				return err
			}
			_, err = c.Write([]byte("last words"))
			return err
		}).Await(ctx)
		require.NoError(t, err)
		h.Crash()
		p := make([]byte, 100)
		k, _, err := pc.ReadFrom(p)
		require.NoError(t, err)
		assert.Equal(t, "last words", string(p[:k]))
		require.NoError(t, asyncio.Sleep(ctx, 2*time.Second))
		assert.Equal(t, []string{"host other has failed"}, failed)
	})
}
