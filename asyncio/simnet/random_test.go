package simnet

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestMinusLog(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		x := r.Uint64() >> (r.Uint64() % 60)
		want := -math.Log(float64(x|1) / (1 << 63) / 2)
		assert.InDelta(t, want, float64(minusLog(x))/(1<<32), 1e-6, "%d", x)
	}
}

func TestLatencies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, l := range []Latency{Constant(5 * time.Second), Uniform(2*time.Second, 8*time.Second), Exponential(time.Second, 5*time.Second)} {
		var sum, least time.Duration = 0, 1 << 62
		for range 10_000 {
			d := l.draw(r)
			sum, least = sum+d, min(least, d)
		}
		assert.InDelta(t, 5, (sum / 10_000).Seconds(), 0.1, "%v", l)
		assert.InDelta(t, l.min.Seconds(), least.Seconds(), 0.01, "%v", l)
	}
	assert.Equal(t, "simnet.Exponential(1*time.Second, 5*time.Second)", Exponential(time.Second, 5*time.Second).String())
	assert.Equal(t, time.Duration(0), Latency{}.draw(r))
}
