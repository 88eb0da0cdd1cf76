package simnet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// An Action is what a Fault does.
type Action string

// What faults do. Links are written "a b > c": those from the hosts a and b to c, and
// "a b | c d": all between the two groups, of which there may be more.
const (
	Cut          Action = "cut"           // the links On
	Mend         Action = "mend"          // the links On
	Hold         Action = "hold"          // the links On
	Release      Action = "release"       // the links On
	Reset        Action = "reset"         // connections over the links On
	SetLatency   Action = "set latency"   // of the links On, to Latency
	SetLoss      Action = "set loss"      // of the links On, to Loss
	SetBandwidth Action = "set bandwidth" // of the links On, to Bytes

	SetCorruption Action = "set corruption" // of the links On, to Loss
	SetMTU        Action = "set MTU"        // of the links On, to Bytes

	Crash    Action = "crash"    // the hosts On
	Kill     Action = "kill"     // the hosts On
	Shutdown Action = "shutdown" // the hosts On
	Restart  Action = "restart"  // the hosts On
	Pause    Action = "pause"    // the hosts On
	Resume   Action = "resume"   // the hosts On

	StepClock  Action = "step clock"  // of the hosts On, by Time
	DriftClock Action = "drift clock" // of the hosts On, by Time in a second

	HealAll Action = "heal all" // as Network.HealAll
)

// A Fault is something that goes wrong, or is put right again, at a time.
type Fault struct {
	At      time.Duration // after the beginning of Play
	Do      Action        // what
	On      string        // hosts or links; no links at all are all between hosts
	Time    time.Duration // for clocks
	Latency Latency       // for SetLatency
	Loss    float64       // for SetLoss, and for SetCorruption
	Bytes   int           // for SetBandwidth, in a second, and for SetMTU
}

// A Plan is faults in the order of their times.
type Plan []Fault

// String returns the Go expression for p, of a program that imports simnet and time.
func (p Plan) String() string {
	if len(p) == 0 {
		return "simnet.Plan{}"
	}
	var b strings.Builder
	b.WriteString("simnet.Plan{\n")
	for _, f := range p {
		fmt.Fprintf(&b, "\t%s,\n", f)
	}
	b.WriteString("}")
	return b.String()
}

// String returns the Go expression for f, as it stands in a Plan.
func (f Fault) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "{At: %s, Do: %q", goDuration(f.At), f.Do)
	if f.On != "" {
		fmt.Fprintf(&b, ", On: %q", f.On)
	}
	if f.Time != 0 {
		fmt.Fprintf(&b, ", Time: %s", goDuration(f.Time))
	}
	if f.Latency != (Latency{}) {
		fmt.Fprintf(&b, ", Latency: %s", f.Latency)
	}
	if f.Loss != 0 {
		fmt.Fprintf(&b, ", Loss: %g", f.Loss)
	}
	if f.Bytes != 0 {
		fmt.Fprintf(&b, ", Bytes: %d", f.Bytes)
	}
	b.WriteString("}")
	return b.String()
}

// Play has the faults of p happen at their times, and returns after the last. Only a
// task may call it; it switches. The errors are those of asyncio.Sleep. It panics if a
// fault is on a host that is not there.
func (n *Network) Play(ctx context.Context, p Plan) error {
	if n.instead != nil {
		p = nil
		if k := len(n.played); k < len(*n.instead) {
			p = (*n.instead)[k]
		}
	}
	n.played = append(n.played, slices.Clone(p))
	began := n.running().now()
	for _, f := range p {
		if left := began + f.At - n.now(); left > 0 {
			if err := asyncio.Sleep(ctx, left); err != nil {
				return err
			}
		}
		n.Do(f)
	}
	return nil
}

// Played returns the plans that Play was called with, in order.
func (n *Network) Played() []Plan { return n.played }

// PlayInstead has the calls of Play play these, in order, whatever they are called
// with: how a plan is made smaller. It is called before the loop runs.
func (n *Network) PlayInstead(plans []Plan) { n.instead = &plans }

// Do has f happen now. It switches if hosts go down.
func (n *Network) Do(f Fault) {
	onHosts := func(do func(*Host)) {
		for _, h := range n.hostsOf(f.On) {
			do(h)
		}
	}
	onLinks := func(do func(*Link)) {
		for _, l := range n.linksOf(f.On) {
			do(l)
		}
	}
	switch f.Do {
	case Cut:
		onLinks((*Link).Cut)
	case Mend:
		onLinks((*Link).Mend)
	case Hold:
		onLinks((*Link).Hold)
	case Release:
		onLinks((*Link).Release)
	case Reset:
		onLinks((*Link).Reset)
	case SetLatency:
		onLinks(func(l *Link) { l.SetLatency(f.Latency) })
	case SetLoss:
		onLinks(func(l *Link) { l.SetLoss(f.Loss) })
	case SetBandwidth:
		onLinks(func(l *Link) { l.SetBandwidth(f.Bytes) })
	case SetCorruption:
		onLinks(func(l *Link) { l.SetCorruption(f.Loss) })
	case SetMTU:
		onLinks(func(l *Link) { l.SetMTU(f.Bytes) })
	case Crash:
		onHosts((*Host).Crash)
	case Kill:
		onHosts((*Host).Kill)
	case Shutdown:
		onHosts((*Host).Shutdown)
	case Restart:
		onHosts((*Host).Restart)
	case Pause:
		onHosts((*Host).Pause)
	case Resume:
		onHosts((*Host).Resume)
	case StepClock:
		onHosts(func(h *Host) { h.Step(f.Time) })
	case DriftClock:
		onHosts(func(h *Host) { h.Drift(f.Time) })
	case HealAll:
		n.HealAll()
	default:
		panic(fmt.Sprintf("simnet: unknown fault %q", f.Do))
	}
}

// hostsOf returns the hosts of a list.
func (n *Network) hostsOf(list string) (hosts []*Host) {
	for _, name := range strings.Fields(list) {
		h := n.named[strings.ToLower(name)]
		if h == nil {
			panic(fmt.Sprintf("simnet: a fault on the host %q, which is not there", name))
		}
		hosts = append(hosts, h)
	}
	return hosts
}

// linksOf returns the links that are written so.
func (n *Network) linksOf(on string) (links []*Link) {
	add := func(l *Link) { links = append(links, l) }
	if from, to, ok := strings.Cut(on, ">"); ok {
		n.eachLink(n.hostsOf(from), n.hostsOf(to), add)
		return links
	}
	if on == "" {
		n.eachLink(n.hosts, n.hosts, add)
		return links
	}
	groups := strings.Split(on, "|")
	for i, a := range groups {
		for j, b := range groups {
			if i != j {
				n.eachLink(n.hostsOf(a), n.hostsOf(b), add)
			}
		}
	}
	return links
}
