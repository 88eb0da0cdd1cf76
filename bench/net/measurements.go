//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/bench/net/load"
)

// The metrics, in the units of load.Result.
const (
	perSecond = "per_second"
	p99       = "p99_us"
	cpu       = "server_us"
	user      = "user_us"  // sampled, in the run with a probe
	calls     = "calls"    // system calls for each request
	butPoll   = "but_poll" // those other than epoll_wait and its like
	loadShare = "load_share"
	idleBytes = "idle_bytes"
	foreign   = "foreign" // processors that other programs used meanwhile
)

// measurements are all figures of all rounds.
type measurements struct {
	Machine string   `json:"machine"`
	Rounds  string   `json:"rounds"`
	Idle    int      `json:"idle"`
	Servers []string `json:"servers"`
	Cases   []string `json:"cases"`
	Series  []series `json:"series"`

	at map[key]int // where in Series
}

type key struct{ server, what, metric string }

type series struct {
	Server string          `json:"server"`
	Case   string          `json:"case"`
	Metric string          `json:"metric"`
	Values map[int]float64 `json:"values"` // by round
}

func newMeasurements(p *plan) *measurements {
	m := &measurements{
		Machine: fmt.Sprintf("%s, %d processors, %s/%s, %s", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version()),
		Rounds:  fmt.Sprintf("%d of %v", p.rounds, p.each),
		Idle:    p.idle,
		at:      make(map[key]int),
	}
	for _, s := range p.servers {
		m.Servers = append(m.Servers, s.name)
	}
	for _, c := range p.cases {
		m.Cases = append(m.Cases, c.String())
	}
	return m
}

func (m *measurements) add(round int, server, what, metric string, value float64) {
	k := key{server, what, metric}
	i, ok := m.at[k]
	if !ok {
		i = len(m.Series)
		m.at[k] = i
		m.Series = append(m.Series, series{server, what, metric, make(map[int]float64)})
	}
	m.Series[i].Values[round] = value
}

// result takes from a run with a probe only what the probe says: it was slowed.
func (m *measurements) result(round int, server, what string, r load.Result) {
	add := func(metric string, value float64) { m.add(round, server, what, metric, value) }
	if p := r.Probed; p != nil {
		// Both of the same run. Counting slows the kernel's side of a call only.
		add(user, p.UserShare*r.Server)
		add("samples", float64(p.Samples))
		if p.Calls["all"] == 0 {
			return // the kernel has no trace points
		}
		polls := 0.0
		for name, n := range p.Calls {
			if strings.HasPrefix(name, "epoll_") && name != "epoll_ctl" {
				polls += n
			}
			add("calls_"+name, n)
		}
		add(calls, p.Calls["all"])
		add(butPoll, p.Calls["all"]-polls)
		return
	}
	add(perSecond, r.PerSecond)
	add("p50_us", r.P50)
	add(p99, r.P99)
	add("p999_us", r.P999)
	add(cpu, r.Server)
	add("tick_user_us", r.ServerUser)
	add("server_share", r.ServerShare)
	add(loadShare, r.LoadShare)
	if r.IdleBytes != 0 {
		add(idleBytes, r.IdleBytes)
	}
}

// foreign notes what other programs did during a measurement.
func (m *measurements) foreign(round int, server, what string, meter *meter) {
	if processors, ok := meter.foreign(); ok {
		m.add(round, server, what, foreign, processors)
	}
}

// noise is the mean of what other programs did; false where the system does not
// tell.
func (m *measurements) noise() (processors float64, ok bool) {
	n := 0
	for _, s := range m.Series {
		if s.Metric == foreign {
			for _, v := range s.Values {
				processors += v
				n++
			}
		}
	}
	return processors / float64(max(n, 1)), n > 0
}

// values are those of all rounds.
func (m *measurements) values(server, what, metric string) (all []float64) {
	if i, ok := m.at[key{server, what, metric}]; ok {
		for _, v := range m.Series[i].Values {
			all = append(all, v)
		}
	}
	return all
}

// ratios are taken inside each round.
func (m *measurements) ratios(over, under key) (all []float64) {
	i, ok := m.at[over]
	j, both := m.at[under]
	if !ok || !both {
		return nil
	}
	for round, v := range m.Series[i].Values {
		if w := m.Series[j].Values[round]; w != 0 {
			all = append(all, v/w)
		}
	}
	return all
}

// quantile interpolates between the two that are nearest.
func quantile(values []float64, part float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := part * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// spread is half the distance of the quartiles, in parts of the median.
func spread(values []float64) float64 {
	return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / math.Abs(median(values))
}

// A meter says how many processors were busy with something else.
type meter struct {
	own   time.Duration
	begin time.Time
	busy  time.Duration
}

func startMeter() meter {
	busy, _ := busyTime()
	return meter{begin: time.Now(), busy: busy}
}

func (m *meter) foreign() (processors float64, ok bool) {
	busy, ok := busyTime()
	return max(0, float64(busy-m.busy-m.own)/float64(time.Since(m.begin))), ok
}

// busyTime is what all processors together have worked since the system began.
func busyTime() (time.Duration, bool) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	var name string
	var user, nice, system, idle, wait, irq, softirq, steal int64
	_, err = fmt.Sscan(string(stat), &name, &user, &nice, &system, &idle, &wait, &irq, &softirq, &steal)
	const tick = 10 * time.Millisecond
	return time.Duration(user+nice+system+irq+softirq+steal) * tick, err == nil
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func drawn(draw func(io.Writer)) []byte {
	var b bytes.Buffer
	draw(&b)
	return b.Bytes()
}
