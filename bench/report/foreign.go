package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// foreign is how many processors other programs kept busy in a round.
var foreign = key{"Machine", "", "greenlet", "foreign-processors"}

// quiet reports whether the machine did next to nothing else.
func (m *measurements) quiet() bool {
	busy, ok := m.of(foreign)
	return !ok || busy.Center <= 0.1
}

// A meter says how many processors were busy with something else than the
// benchmarks. What they used must be added to own.
type meter struct {
	own   time.Duration
	begin time.Time
	busy  time.Duration
}

func startMeter() meter {
	busy, _ := busyTime()
	return meter{begin: time.Now(), busy: busy}
}

// foreign reports false where the system does not tell.
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
	first, _, _ := strings.Cut(string(stat), "\n")
	var name string
	var user, nice, system, idle, wait, irq, softirq, steal int64
	if _, err := fmt.Sscan(first, &name, &user, &nice, &system, &idle, &wait, &irq, &softirq, &steal); err != nil {
		return 0, false
	}
	const tick = 10 * time.Millisecond
	return time.Duration(user+nice+system+irq+softirq+steal) * tick, true
}
