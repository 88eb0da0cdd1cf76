package greenlettest

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
)

// Leaks fails the test if it leaves greenlets suspended, on whichever goroutine, that
// were not there when Leaks was called: with the stacks in which they wait. Call it
// first. It looks when the test has ended, its deferred calls and later cleanups
// included. What is abandoned by then, so that it ends by itself, is no leak.
//
// Tests that run at the same time see the greenlets of each other, so Leaks is not
// for parallel ones. A test that fails waits for a second before, in which greenlets
// of other goroutines can end.
//
// For loops of package asyncio, asynciotest.CheckLeaks looks at the test's own
// goroutine only, and asynciotest.Run by itself.
func Leaks(t testing.TB) {
	t.Helper()
	before := make(map[string]bool)
	for _, g := range suspended() {
		before[g.number] = true
	}
	t.Cleanup(func() {
		t.Helper()
		if left := leftAfter(patience, before); left != "" {
			t.Errorf("greenlets are left suspended:\n\n%s", left)
		}
	})
}

// patience is how long others may take to end.
const patience = time.Second

// leftAfter returns the text of those that are left, once nothing is or d is over.
func leftAfter(d time.Duration, before map[string]bool) string {
	for start := time.Now(); ; {
		var left strings.Builder
		for _, g := range suspended() {
			if !before[g.number] {
				left.WriteString(g.text + "\n\n")
			}
		}
		if left.Len() == 0 || time.Since(start) > d {
			return left.String()
		}
		greenlet.Collect()
		runtime.Gosched()
	}
}

// A leftGreenlet is a suspended greenlet as WriteProfile has it.
type leftGreenlet struct{ number, text string }

func suspended() (all []leftGreenlet) {
	var b strings.Builder
	greenlet.WriteProfile(&b, 2) // a Builder has no errors
	for text := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\n\n"), "\n\n") {
		if words := strings.Fields(text); len(words) > 1 {
			all = append(all, leftGreenlet{words[1], text})
		}
	}
	return all
}
