package rt

import (
	"context"
	"fmt"
	"math"
	"runtime/pprof"
	"testing"
	"testing/synctest"
)

// What runtime.Stack prints of a goroutine tells its bubble, whatever its labels say.
func TestPrintedBubble(t *testing.T) {
	t.Setenv("GODEBUG", "tracebacklabels=1")
	check := func(inside bool) {
		t.Helper()
		pprof.Do(context.Background(), pprof.Labels("label", "x, synctest bubble 7777777"), func(context.Context) {
			if n := printedBubble(); n == 7777777 || (n != 0) != inside {
				t.Errorf("number %d", n)
			}
		})
	}
	check(false)
	for range 2 {
		synctest.Test(t, func(*testing.T) { check(true) })
	}
}

// There is room for the longest line.
func TestPrintedLineFits(t *testing.T) {
	const most = uint64(math.MaxUint64)
	longest := fmt.Sprintf("goroutine %d [running, locked to thread, synctest bubble %d", most, most)
	if len(longest) > len(line{}) {
		t.Errorf("it has %d bytes", len(longest))
	}
}
