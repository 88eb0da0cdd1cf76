package sight

import (
	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// Vars returns the counters of the loops that run, by their names, and of the greenlets,
// for package expvar, which serves them as JSON:
//
//	expvar.Publish("asyncio", expvar.Func(sight.Vars))
//
// This package does not do it by itself: whoever imports expvar has all its variables
// served by http.DefaultServeMux. Any goroutine may call it; it does not switch. It
// costs a microsecond for each loop.
func Vars() any {
	loops := make(map[string]asyncio.LoopStats)
	for _, s := range loopStats() {
		loops[s.Name] = s
	}
	return map[string]any{"loops": loops, "greenlets": greenlet.Stats(), "backend": greenlet.Backend()}
}
