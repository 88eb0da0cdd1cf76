//go:build linux

// Package load is the client side of the benchmark: it asks an echo server as
// fast as that answers, with one request in flight on each connection.
//
// One thread drives all connections from one epoll, by calls that bypass Go's
// scheduler, and it allocates nothing: it must cost less than the leanest
// server. How much of a processor it takes is in its result.
package load

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/go-greenlet/greenlet/bench/net/process"
)

// A Config says what to ask for.
type Config struct {
	Addr     string        // host and port of the server, IPv4
	Conns    int           // connections that are busy
	Idle     int           // connections that are held besides
	Size     int           // bytes of a message
	Warmup   time.Duration // before the clock starts
	Duration time.Duration // of the measurement
	Churn    bool          // one request for each connection, then a new one
	Server   int           // process whose use of processors is read; 0: none
	Probe    bool          // count system calls and sample user time: not a run to time
}

// A Result is what was measured. A request is a message and its echo or, with
// Churn, a connection with one of them.
type Result struct {
	Seconds   float64 `json:"seconds"`
	Requests  int     `json:"requests"`
	PerSecond float64 `json:"per_second"`

	// Latency in microseconds.

	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`

	// Microseconds of a processor for each request. The sum is exact to
	// nanoseconds; its parts are what the kernel estimates at its ticks.

	Server       float64 `json:"server_us"`
	ServerUser   float64 `json:"server_user_us"`
	ServerSystem float64 `json:"server_system_us"`

	// Processors in use, 1 being one of them all the time.

	ServerShare float64 `json:"server_share"`
	LoadShare   float64 `json:"load_share"`

	IdleBytes float64 `json:"idle_bytes"` // growth of the server for each idle connection

	Probed  *Probed `json:"probed,omitempty"`
	NoProbe string  `json:"no_probe,omitempty"` // why there is none, though it was asked for
}

// Probed is what only a run with a probe says.
type Probed struct {
	UserShare float64            `json:"user_share"` // of the server's time
	Samples   int                `json:"samples"`
	Calls     map[string]float64 `json:"calls"` // system calls for each request
}

// Run makes the connections, warms up, measures. It takes the whole process for
// itself: the collector is off from here on.
func Run(c Config) (Result, error) {
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	if c.Size < 1 || c.Conns < 1 {
		return Result{}, fmt.Errorf("load: %d connections of %d bytes: want positive numbers", c.Conns, c.Size)
	}
	l, err := newLoop(c)
	if err != nil {
		return Result{}, err
	}
	idleBytes, err := l.hold(c.Idle)
	if err != nil {
		return Result{}, err
	}
	for range c.Conns {
		if err := l.begin(l.newConn()); err != nil {
			return Result{}, err
		}
	}
	// A server that has stalled would keep the loop waiting for ever.
	stalled := time.AfterFunc(c.Warmup+c.Duration+20*time.Second, func() {
		fmt.Fprintln(os.Stderr, "load: the server does not answer any more")
		os.Exit(1)
	})
	defer stalled.Stop()

	if err := l.run(c.Warmup); err != nil {
		return Result{}, err
	}
	before, err := l.read(c)
	if err != nil {
		return Result{}, err
	}
	if err := l.run(c.Duration); err != nil {
		return Result{}, err
	}
	r, err := l.result(before)
	r.IdleBytes = idleBytes
	l.close()
	return r, err
}

// A reading is taken at the beginning of the measurement and at its end.
type reading struct {
	at           time.Duration
	server, load time.Duration
	user, system time.Duration
	probe        *process.Probe
	noProbe      error
}

func (l *loop) read(c Config) (r reading, err error) {
	if c.Server != 0 {
		if r.user, r.system, err = process.UserSystem(c.Server); err != nil {
			return r, err
		}
		if c.Probe {
			r.probe, r.noProbe = process.Watch(c.Server)
		}
		if r.server, err = process.Clock(c.Server); err != nil {
			return r, err
		}
	}
	r.load, err = process.Clock(os.Getpid())
	l.latency = histogram{}
	r.at = l.now()
	return r, err
}

func (l *loop) result(before reading) (Result, error) {
	c := l.Config
	var seen process.Seen
	if before.probe != nil {
		defer before.probe.Close()
		seen = before.probe.Seen()
	}
	c.Probe = false
	requests, latency := l.latency.count, l.latency
	after, err := l.read(c)
	if err != nil || requests == 0 {
		return Result{}, fmt.Errorf("load: %d requests were answered: %w", requests, err)
	}
	span := after.at - before.at
	each := func(d time.Duration) float64 { return us(d) / float64(requests) }
	r := Result{
		Seconds:   span.Seconds(),
		Requests:  requests,
		PerSecond: float64(requests) / span.Seconds(),
		P50:       us(latency.quantile(0.5)),
		P99:       us(latency.quantile(0.99)),
		P999:      us(latency.quantile(0.999)),

		Server:       each(after.server - before.server),
		ServerUser:   each(after.user - before.user),
		ServerSystem: each(after.system - before.system),
		ServerShare:  float64(after.server-before.server) / float64(span),
		LoadShare:    float64(after.load-before.load) / float64(span),
	}
	if before.noProbe != nil {
		r.NoProbe = before.noProbe.Error()
	}
	if samples := seen.User + seen.Kernel; samples > 0 {
		r.Probed = &Probed{float64(seen.User) / float64(samples), samples, make(map[string]float64)}
		for name, n := range seen.Calls {
			if n > 0 {
				r.Probed.Calls[name] = math.Round(1e4*float64(n)/float64(requests)) / 1e4
			}
		}
	}
	return r, nil
}

func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
