package simnet

import (
	"cmp"
	"context"
	"net/netip"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A Config says how a Network is to be. The zero Config is a network in good order:
// a latency of a millisecond, nothing lost.
type Config struct {
	// Latency is how long a packet is under way from one host to another. The zero
	// Latency stands for Constant(time.Millisecond). Within a host it is 10 µs.
	Latency Latency

	Loss      float64 // which part of the packets is lost between hosts, 0 to 1
	Duplicate float64 // which part of the datagrams comes twice
	Bandwidth int     // of a direction between two hosts, in bytes a second; 0: no limit
	Queue     int     // how many bytes may wait for the bandwidth, others are lost; 0: 1 MiB

	// Corrupt is which part of the datagrams arrives with a bit turned over, 0 to 1:
	// damage that no checksum has noticed. In life that is one in many millions, if the
	// checksums are on.
	Corrupt float64

	// MTU is the most that a packet of datagrams has between hosts, in bytes, its headers
	// included (28 of IPv4, 48 of IPv6). A longer datagram goes in pieces, and arrives
	// if all of them do. 0: no limit but that of a datagram, 65,507 bytes of payload, or
	// 65,527 with IPv6.
	// Connections need none: the systems at both ends find out what passes.
	MTU int

	// TimeWait is how long an address is kept when a connection from it has ended, of
	// the side that has closed first: Linux has 60 s. Meanwhile it cannot be listened at
	// exclusively (asyncio.WithReuseAddress(false)), and no new connection leads from it to
	// the same other address. Kill and Shutdown keep it, a crash does not. 0: addresses
	// are free at once.
	TimeWait time.Duration

	// Window is how much a direction of a connection takes that is not read, in
	// bytes. 0 stands for 64 KiB.
	Window int

	// Segment is the most that a packet of a connection carries, in bytes. 0 stands
	// for 64 KiB, and what is written at once mostly comes at once. A small one
	// finds programs that rely on that.
	Segment int

	// GiveUp is how long a connection sends again what nobody acknowledges, before
	// it fails with ETIMEDOUT. 0 stands for Linux's: 127 s for a new one, 15 minutes
	// after that.
	GiveUp time.Duration

	// Start is what the wall clocks show at the beginning. The zero time stands for
	// 2000-01-01 UTC.
	Start time.Time

	// Goroutines has goroutines that are no tasks use connections, too, as net/http
	// starts them: what they call is done by tasks of the loop, each on the host that
	// the connection is on, or for Dial and Listen that of the context. Their order is
	// not the seed's, except in strict mode, and neither is how far they get before
	// the clock goes forward: outside of strict mode they have a millisecond after each
	// call. A crash does not end them, but what they call fails from then on.
	Goroutines bool

	Keep  int  // how many Events are kept; 0: the last 10,000, below zero: all
	Steps bool // steps of tasks are Events, too (the Hash has them in any case), and packets that set out
}

// A Network is a simulated network of hosts, for one loop. It is made by New, or by
// asynciotest.WithNetwork. Its methods are for the tasks and callbacks of its loop,
// except where they say otherwise; none of them switches, except where they say so.
type Network struct {
	seed  uint64
	cfg   Config
	loop  *asyncio.Loop
	log   eventLog
	hosts []*Host
	named map[string]*Host
	at    map[netip.Addr]*Host
	conns int // how many there have been

	calling  *life     // of the callback that runs; nil: it is of no host, or none runs
	aside    bool      // what is being arranged is the network's own
	standing int       // how many hosts are paused
	played   []Plan    // by Play
	instead  *[]Plan   // what Play plays instead
	reached  []reached // by Sometimes

	queue queue
	look  func() // run
	busy  bool   // what is due happens
	ended bool

	packets  []*packet // that are free
	segments segments
}

// withDefaults returns c with what its zeros stand for.
func (c Config) withDefaults() Config {
	if c.Latency == (Latency{}) {
		c.Latency = Constant(time.Millisecond)
	}
	c.Queue = cmp.Or(c.Queue, 1<<20)
	c.Window = cmp.Or(c.Window, 64<<10)
	c.Segment = cmp.Or(c.Segment, 64<<10)
	c.Keep = cmp.Or(c.Keep, 10_000)
	if c.Start.IsZero() {
		c.Start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return c
}

// New makes a network in which everything random is decided by seed. The loop must
// be made with its Options. Any goroutine may call it.
func New(seed uint64, cfg Config) *Network {
	n := &Network{seed: seed, cfg: cfg.withDefaults(), named: make(map[string]*Host), at: make(map[netip.Addr]*Host)}
	n.log.keep, n.log.steps = n.cfg.Keep, cfg.Steps
	n.look = n.run
	n.Host(Outside)
	return n
}

// Options are those that the loop of n is to be made with, and no other loop.
func (n *Network) Options() []asyncio.LoopOption {
	return []asyncio.LoopOption{
		asyncio.WithNetwork(n), asyncio.WithGate(n.mayGo), asyncio.WithTrace(n.step),
		asyncio.WithCallbacks(n.caller), asyncio.WithTaskContexts(n.taskContext),
	}
}

// AllowsGoroutines reports whether goroutines that are no tasks may use connections:
// Config.Goroutines. Any goroutine may call it.
func (n *Network) AllowsGoroutines() bool { return n.cfg.Goroutines }

// mayGo reports whether a task's step is taken now.
func (n *Network) mayGo(t asyncio.AnyTask) bool {
	if n.log.check != nil {
		n.log.check.task = t
	}
	if n.standing == 0 {
		return true
	}
	h := hostOfTask(t)
	if h == nil || !h.paused {
		return true
	}
	h.frozen = append(h.frozen, func() { asyncio.Ungate(t) })
	return false
}

// step is called for each step of a task.
func (n *Network) step(task uint32) {
	n.log.fold(uint64(task))
	if n.log.steps {
		n.record(Event{Kind: Step, Size: int(task)})
	}
}

// Of returns the network of the loop that ctx comes from. It panics if that has none.
func Of(ctx context.Context) *Network {
	if l, err := asyncio.RunningLoop(ctx); err == nil {
		if n, ok := l.Network().(*Network); ok {
			n.loop = l
			return n
		}
	}
	panic("simnet: the loop has no simulated network")
}

// running returns n, which knows its loop now. It panics if that does not run.
func (n *Network) running() *Network {
	if n.loop == nil {
		return Of(context.Background())
	}
	return n
}

// now returns the time on the loop's clock.
func (n *Network) now() time.Duration {
	if n.loop == nil {
		return 0
	}
	return n.loop.Time()
}

// Now returns what the wall clock of the calling task's host shows.
func (n *Network) Now(ctx context.Context) time.Time { return n.hostOf(ctx).clock() }

// Close ends the network: all hosts crash, but for the test itself, and nothing is
// under way any more. A task of the loop or, when it has stopped, the caller on its
// goroutine may call it. It switches.
func (n *Network) Close() {
	for _, h := range n.hosts[1:] {
		h.Crash()
	}
	n.ended = true
	n.queue.end()
}
