package simnet

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Swarm makes a plan of d at random, by the seed: faults of the hosts, and of the links
// between all hosts but the test's. Each seed has settings of its own: some kinds of
// faults it has often, others not at all, because those that always come together
// hide what one of them would show; and its faults follow each other fast or slowly.
// A smaller MTU is among them if Config.MTU is set; datagrams are damaged only as Config.Corrupt
// says. What goes wrong is put right again after a while, mostly within d. It does not switch.
func Swarm(ctx context.Context, d time.Duration, hosts ...*Host) Plan {
	n := Of(ctx)
	s := &swarm{net: n, random: n.stream("plan"), length: d, hosts: hosts}
	s.settings()
	for at := time.Duration(0); ; {
		at += s.upTo(2 * s.pace)
		if at >= d {
			break
		}
		s.fault(at)
	}
	slices.SortStableFunc(s.plan, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return s.plan
}

type swarm struct {
	net    *Network
	random *rand.Rand
	length time.Duration
	hosts  []*Host
	pace   time.Duration // between two faults, on average
	kinds  []func(at time.Duration)
	until  map[string]time.Duration // when hosts are put right again
	plan   Plan
}

func (s *swarm) upTo(d time.Duration) time.Duration {
	return time.Duration(s.random.Int64N(int64(d/time.Millisecond)+1)) * time.Millisecond
}

func (s *swarm) add(f Fault) { s.plan = append(s.plan, f) }

// settings chooses what this seed is like.
func (s *swarm) settings() {
	r := s.random
	s.until = make(map[string]time.Duration)
	s.pace = []time.Duration{300, 1000, 3000}[r.IntN(3)] * time.Millisecond
	if r.IntN(2) == 0 {
		most := []time.Duration{2, 10, 50, 200}[r.IntN(4)] * time.Millisecond
		s.add(Fault{Do: SetLatency, Latency: Uniform(time.Millisecond, most)})
	}
	if r.IntN(2) == 0 {
		s.add(Fault{Do: SetLoss, Loss: []float64{0.01, 0.1}[r.IntN(2)]})
	}
	for _, kind := range []func(time.Duration){s.split, s.cut, s.hold, s.reset, s.slow, s.crash, s.kill, s.pause, s.clock} {
		for range r.IntN(4) {
			s.kinds = append(s.kinds, kind)
		}
	}
	if s.net.cfg.MTU > 0 {
		for range r.IntN(4) {
			s.kinds = append(s.kinds, s.narrow)
		}
	}
	if s.kinds == nil {
		s.kinds = append(s.kinds, s.crash, s.split)
	}
}

func (s *swarm) fault(at time.Duration) { s.kinds[s.random.IntN(len(s.kinds))](at) }

// sides divides all hosts but the test's in two, at random.
func (s *swarm) sides() (one, other string) {
	var names [2][]string
	for _, h := range s.net.hosts[1:] {
		side := s.random.IntN(2)
		names[side] = append(names[side], h.name)
	}
	return strings.Join(names[0], " "), strings.Join(names[1], " ")
}

// during has a fault begin, and end after a while.
func (s *swarm) during(at time.Duration, begin, end Action, on string) {
	s.add(Fault{At: at, Do: begin, On: on})
	s.add(Fault{At: at + s.upTo(6*s.pace), Do: end, On: on})
}

func (s *swarm) links(at time.Duration, begin, end Action, between string) {
	if one, other := s.sides(); one != "" && other != "" {
		s.during(at, begin, end, one+between+other)
	}
}

func (s *swarm) split(at time.Duration) { s.links(at, Cut, Mend, " | ") }
func (s *swarm) cut(at time.Duration)   { s.links(at, Cut, Mend, " > ") }
func (s *swarm) hold(at time.Duration)  { s.links(at, Hold, Release, " > ") }

func (s *swarm) reset(at time.Duration) {
	if one, other := s.sides(); one != "" && other != "" {
		s.add(Fault{At: at, Do: Reset, On: one + " > " + other})
	}
}

func (s *swarm) slow(at time.Duration) {
	if one, other := s.sides(); one != "" && other != "" {
		on := one + " > " + other
		s.add(Fault{At: at, Do: SetLatency, On: on, Latency: Uniform(50*time.Millisecond, 500*time.Millisecond)})
		s.add(Fault{At: at + s.upTo(6*s.pace), Do: SetLatency, On: on})
	}
}

// narrow has a network of a smaller MTU on the way, for a while.
func (s *swarm) narrow(at time.Duration) {
	if one, other := s.sides(); one != "" && other != "" {
		on := one + " > " + other
		bytes := []int{576, 1280, 1400}[s.random.IntN(3)]
		s.add(Fault{At: at, Do: SetMTU, On: on, Bytes: min(bytes, s.net.cfg.MTU)})
		s.add(Fault{At: at + s.upTo(6*s.pace), Do: SetMTU, On: on})
	}
}

// host has a fault of a host begin, one that is in order, and end after a while.
func (s *swarm) host(at time.Duration, begin, end Action) {
	if len(s.hosts) == 0 {
		return
	}
	h := s.hosts[s.random.IntN(len(s.hosts))].name
	if at <= s.until[h] {
		return
	}
	s.during(at, begin, end, h)
	s.until[h] = s.plan[len(s.plan)-1].At
}

func (s *swarm) crash(at time.Duration) { s.host(at, Crash, Restart) }
func (s *swarm) kill(at time.Duration)  { s.host(at, Kill, Restart) }
func (s *swarm) pause(at time.Duration) { s.host(at, Pause, Resume) }

func (s *swarm) clock(at time.Duration) {
	if len(s.hosts) > 0 {
		h := s.hosts[s.random.IntN(len(s.hosts))].name
		s.add(Fault{At: at, Do: StepClock, On: h, Time: s.upTo(20*time.Second) - 10*time.Second})
	}
}
