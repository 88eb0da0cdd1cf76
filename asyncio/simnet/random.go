package simnet

import (
	"context"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"time"
)

// stream returns the random numbers for the concern of that name, which the seed
// decides. What one draws does not move the others.
func (n *Network) stream(name string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return rand.New(rand.NewPCG(n.seed, h))
}

// Rand returns the random numbers of the host on which ctx's task runs: the same
// ones for the same seed, whatever other hosts draw. They belong to the loop.
func Rand(ctx context.Context) *rand.Rand { return HostOf(ctx).rand() }

func (h *Host) rand() *rand.Rand {
	if h.random == nil {
		h.random = rand.New(&draws{h, h.net.stream("host " + h.name)})
	}
	return h.random
}

// draws is a source whose numbers are events.
type draws struct {
	host *Host
	of   *rand.Rand
}

func (d *draws) Uint64() uint64 {
	x := d.of.Uint64()
	d.host.net.record(Event{Kind: Drawn, From: d.host, Sum: uint32(x) ^ uint32(x>>32)})
	return x
}

// A Latency is how long something takes: a distribution of times. The zero Latency
// is no time at all.
type Latency struct {
	kind     latencyKind
	min, max time.Duration // of an exponential one max is the mean
}

type latencyKind uint8

const (
	constant latencyKind = iota
	uniform
	exponential
)

// Constant is d, always.
func Constant(d time.Duration) Latency { return Latency{constant, d, d} }

// Uniform is anything between min and max.
func Uniform(min, max time.Duration) Latency { return Latency{uniform, min, max} }

// Exponential is at least min and mean on average, most of the time less than that
// and now and then a multiple: as in a network that is in use.
func Exponential(min, mean time.Duration) Latency { return Latency{exponential, min, mean} }

// draw returns a time.
func (l Latency) draw(r *rand.Rand) time.Duration {
	switch {
	case l.kind == constant || l.max <= l.min:
		return l.min
	case l.kind == uniform:
		return l.min + time.Duration(r.Int64N(int64(l.max-l.min)+1))
	}
	return l.min + scaled(l.max-l.min, minusLog(r.Uint64()))
}

// minusLog returns -ln(x/2⁶⁴), in units of 2⁻³². It is of whole numbers, because
// those of floating point are not the same on all processors.
func minusLog(x uint64) uint64 {
	const ln2 = 2977044471 // in units of 2⁻³²
	x |= 1
	whole := bits.LeadingZeros64(x)
	m := x << whole // from 1 to 2, in units of 2⁻⁶³
	var log uint64  // of m, to the base of 2, in units of 2⁻²⁴
	for range 24 {
		hi, lo := bits.Mul64(m, m)
		log <<= 1
		if hi>>63 != 0 {
			log |= 1
			m = hi
		} else {
			m = hi<<1 | lo>>63
		}
	}
	return (uint64(whole)+1)*ln2 - log*ln2>>24
}

// scaled returns d times x, which is in units of 2⁻³².
func scaled(d time.Duration, x uint64) time.Duration {
	hi, lo := bits.Mul64(uint64(d), x)
	return time.Duration(hi<<32 | lo>>32)
}

// String returns the Go expression for l, of a program that imports simnet.
func (l Latency) String() string {
	switch l.kind {
	case uniform:
		return fmt.Sprintf("simnet.Uniform(%s, %s)", goDuration(l.min), goDuration(l.max))
	case exponential:
		return fmt.Sprintf("simnet.Exponential(%s, %s)", goDuration(l.min), goDuration(l.max))
	}
	return fmt.Sprintf("simnet.Constant(%s)", goDuration(l.min))
}

// goDuration returns d as a Go expression.
func goDuration(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Second, "Second"}, {time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"}} {
		if d != 0 && d%unit.of == 0 {
			return fmt.Sprintf("%d*time.%s", d/unit.of, unit.name)
		}
	}
	return fmt.Sprintf("%d", d)
}
