package asyncio

import (
	"os"
	"time"
)

// slowDefault is Python's loop.slow_callback_duration.
const slowDefault = 100 * time.Millisecond

// debugDefault tells whether the environment asks for the debug mode.
func debugDefault() bool {
	v := os.Getenv("ASYNCIODEBUG")
	return v != "" && v != "0"
}

// SetDebug turns the debug mode on or off. Python: loop.set_debug.
func (l *Loop) SetDebug(on bool) { l.debug = on }

// Debug reports whether the debug mode is on. Python: loop.get_debug.
func (l *Loop) Debug() bool { return l.debug }

// mustOwn panics if another goroutine calls than the loop's.
func (l *Loop) mustOwn() {
	if l.s.Running() && !l.s.Owned() {
		panic(runtimeErrorf("Non-thread-safe operation invoked on an event loop other than the current one"))
	}
}

// watch watches for callbacks and steps that take long.
func (l *Loop) watch() (stop func()) { return func() {} }
