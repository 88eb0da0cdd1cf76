package asyncio

import (
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// The debug mode looks for what programs do wrong. In it
//
//   - a callback, or a step of a task, that takes long is reported by log/slog:
//     "Executing ... took ...", see SetSlowCallbackDuration;
//   - a loop that does not come back is reported while it is stuck: see
//     WithWatchdog;
//   - futures and tasks know where they were made, and reports about them say
//     so: see ExceptionContext.Source;
//   - calls from another goroutine than the loop's are refused where they would
//     otherwise be a data race: "Non-thread-safe operation ...";
//   - a task that waits with the context of another is refused;
//   - tasks that wait for each other's locks and semaphores are reported when the circle
//     closes; for that semaphores know who has acquired them.
//
// It is on if the environment variable ASYNCIODEBUG has a value that is not 0,
// which may name options: ASYNCIODEBUG=slow=50ms,watchdog=2s. WithDebug and
// Loop.SetDebug decide for one loop. Python: PYTHONASYNCIODEBUG.

const (
	slowDefault     = 100 * time.Millisecond // Python's loop.slow_callback_duration
	watchdogDefault = time.Second            // in debug mode
)

// A debugSetting is what the environment asks for.
type debugSetting struct {
	on             bool
	slow, watchdog time.Duration
}

// debugEnvironment reads ASYNCIODEBUG.
func debugEnvironment() debugSetting {
	d := debugSetting{slow: slowDefault, watchdog: watchdogDefault}
	v := os.Getenv("ASYNCIODEBUG")
	if v == "" || v == "0" {
		return d
	}
	d.on = true
	for option := range strings.SplitSeq(v, ",") {
		name, value, valued := strings.Cut(option, "=")
		if !valued {
			continue // 1, or what a later version knows
		}
		took, err := time.ParseDuration(value)
		switch {
		case err != nil:
			slog.Warn("asyncio: ASYNCIODEBUG is not understood", "option", option, "error", err)
		case name == "slow":
			d.slow = took
		case name == "watchdog":
			d.watchdog = took
		}
	}
	return d
}

// WithDebug turns the debug mode on or off, whatever the environment says. Python:
// run(debug=on).
func WithDebug(on bool) LoopOption { return loopOption(func(o *loopOptions) { o.debug = &on }) }

func init() {
	whenMade = append(whenMade, func(l *Loop, o *loopOptions) {
		environment := debugEnvironment()
		l.slow = environment.slow
		if o.debug != nil && *o.debug || o.debug == nil && environment.on {
			l.SetDebug(true)
		}
	})
}

// SetDebug turns the debug mode on or off. While it is on, a task that waits
// hands over to the loop and not to the next task, which makes a hop several
// times slower; the order of everything stays the same. A watchdog takes part
// from the next run on. Owner only; it does not switch. Python: loop.set_debug.
func (l *Loop) SetDebug(on bool) {
	l.debug = on
	*unitsPart.in(l.parts) = nil
	if on {
		debugging.Store(true)
		l.measured = l.callbackTook
		l.s.Measure(l.stepTook)
	} else {
		l.measured = nil
		l.s.Measure(nil)
	}
}

// Debug reports whether the debug mode is on. Owner only; it does not switch.
// Python: loop.get_debug.
func (l *Loop) Debug() bool { return l.debug }

// SetSlowCallbackDuration sets from which duration on a callback or a step of a
// task is reported in debug mode: 100 ms unless this or ASYNCIODEBUG says
// otherwise. Owner only; it does not switch. Python:
// loop.slow_callback_duration.
func (l *Loop) SetSlowCallbackDuration(d time.Duration) { l.slow = d }

// SlowCallbackDuration returns what SetSlowCallbackDuration has set. Owner only;
// it does not switch. Python: loop.slow_callback_duration.
func (l *Loop) SlowCallbackDuration() time.Duration { return l.slow }

// stepTook is told of each step of a task in debug mode.
func (l *Loop) stepTook(st *sched.Task, took time.Duration) {
	if took >= l.slow {
		t := taskIn(st)
		l.reportSlow(t.String(), took, "task", t.Name())
	}
}

// callbackTook runs a callback in debug mode.
func (l *Loop) callbackTook(fn func()) {
	start := time.Now()
	defer func() {
		if took := time.Since(start); took >= l.slow {
			f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer())
			file, line := f.FileLine(f.Entry())
			l.reportSlow("a callback", took, "callback", fmt.Sprintf("%s (%s:%d)", f.Name(), file, line))
		}
	}()
	fn()
}

func (l *Loop) reportSlow(what string, took time.Duration, about ...any) {
	slog.Warn(fmt.Sprintf("asyncio: Executing %s took %.3f seconds", what, took.Seconds()), about...)
}
