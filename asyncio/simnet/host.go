package simnet

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Outside is the name of the host on which everything runs that was started on no
// other: the test itself. It has the address 10.0.0.1.
const Outside = "test"

// A Host is a machine of a Network, with a name, an address of IPv4 and one of IPv6,
// ports, unix paths, a wall clock and random numbers of its own. Tasks run on it that
// its Start or Go has begun, the tasks that they begin, and the callbacks that these
// arrange: those of CallSoon, CallLater and so on, of futures, and of the protocols of
// transports and servers that they have made.
type Host struct {
	net    *Network
	name   string
	index  int
	ip4    netip.Addr
	ip6    netip.Addr
	random *rand.Rand

	links []*Link // to others, by their index
	ends  []*end
	tcp   ports
	udp   ports
	paths map[string]any // unix paths: *listener, *packetsEnd

	closing closing

	clockAt time.Duration // on the loop's clock, when the wall clock showed clockIs
	clockIs time.Time
	drift   time.Duration // what the wall clock gains in a second

	down    bool
	life    int   // how many times it has gone down
	lives   *life // the present one, or an earlier one
	onDown  []func(kind Down)
	paused  bool
	waiting []*packet // that have come while it was paused
	frozen  []func()  // have those go on that would have meanwhile

	main    func(ctx context.Context) error
	base    context.Context // of what Start has begun
	running *asyncio.Task[asyncio.None]
}

// Down is how a host has gone down.
type Down uint8

// The ways in which a host goes down.
const (
	Crashed  Down = iota + 1 // its power has failed
	Killed                   // its processes were killed; the system lived on
	ShutDown                 // its programs have ended, when they were told to
)

// String names it in a word.
func (d Down) String() string {
	switch d {
	case Crashed:
		return "crashed"
	case Killed:
		return "killed"
	case ShutDown:
		return "shut down"
	}
	return "?"
}

// A HostOption is a choice made when a host is made.
type HostOption func(*Host)

// Host returns the host of that name, which it makes if there is none; then opts
// apply. The name is also what it is found by in a look-up.
func (n *Network) Host(name string, opts ...HostOption) *Host {
	key := strings.ToLower(name)
	h := n.named[key]
	if h == nil {
		i := len(n.hosts)
		var ip6 [16]byte
		ip6[0], ip6[14], ip6[15] = 0xfd, byte((i+1)>>8), byte(i+1)
		h = &Host{net: n, name: name, index: i, ip4: netip.AddrFrom4([4]byte{10, 0, byte((i + 1) >> 8), byte(i + 1)}), ip6: netip.AddrFrom16(ip6), clockIs: n.cfg.Start}
		n.hosts = append(n.hosts, h)
		n.named[key], n.at[h.ip4], n.at[h.ip6] = h, h, h
	}
	for _, o := range opts {
		o(h)
	}
	return h
}

// Hosts returns the hosts, in the order in which they were made; the first is that
// of the test.
func (n *Network) Hosts() []*Host { return append([]*Host(nil), n.hosts...) }

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// String is Name.
func (h *Host) String() string { return h.name }

// Network returns the network that the host is in.
func (h *Host) Network() *Network { return h.net }

// Addr returns the host's address of IPv4.
func (h *Host) Addr() netip.Addr { return h.ip4 }

// Running reports whether the host is up.
func (h *Host) Running() bool { return !h.down }

// number returns which host it is, counted from one; 0 is none.
func (h *Host) number() int {
	if h == nil {
		return 0
	}
	return h.index + 1
}

type hostKey struct{}

// Context returns ctx with h as the host on which tasks run that are made with it.
func (h *Host) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, hostKey{}, h)
}

// HostOf returns the host that ctx comes from, else that of the current task. It
// panics if the loop has no simulated network.
func HostOf(ctx context.Context) *Host {
	if h, ok := ctx.Value(hostKey{}).(*Host); ok {
		return h
	}
	return Of(ctx).hostOf(ctx)
}

// hostOf returns the host on which the caller runs.
func (n *Network) hostOf(ctx context.Context) *Host {
	if h, ok := ctx.Value(hostKey{}).(*Host); ok {
		return h
	}
	if h := n.hostHere(ctx); h != nil {
		return h
	}
	return n.hosts[0]
}

// hostHere returns the host of the task or callback that calls; nil if it is of none.
func (n *Network) hostHere(ctx context.Context) *Host {
	switch t := asyncio.CurrentTask(ctx); {
	case t != nil:
		return hostOfTask(t)
	case n.calling != nil:
		return n.calling.host
	}
	return nil
}
