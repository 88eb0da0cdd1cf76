package greenlet

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who waits for the first time has one frame of the switch on its stack, and who waits
// again none: the collector looks at each in every cycle.
func TestFramesOfWaiting(t *testing.T) {
	if !assembly {
		t.Skip("the stack is not read")
	}
	defer Close()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // while it marks, the scheduler parks
	runtime.GC()                                     // that may have begun
	main := Current()
	frames := func(g *Greenlet) (names []string) {
		pcs, _ := g.addresses(nil)
		for all := runtime.CallersFrames(pcs); ; {
			f, more := all.Next()
			if strings.HasPrefix(f.Function, "github.com/go-greenlet/greenlet.") && !strings.Contains(f.Function, "TestFrames") {
				names = append(names, f.Function[len("github.com/go-greenlet/greenlet."):])
			}
			if !more {
				return names
			}
		}
	}
	below := []string{"(*Greenlet).Switch", "(*carrier).serve", "carry.func1"}
	for range 300 { // there are no used goroutines for so many
		g := New(func(any) (any, error) {
			main.Switch(nil)
			return main.Switch(nil)
		})
		g.Switch(nil)
		require.Equal(t, append([]string{"parkedText", "slow"}, below...), frames(g))
		g.Switch(nil)
		require.Equal(t, append([]string{"parkedText"}, below...), frames(g))
	}
}
