package asynciotest

import (
	"testing"
)

// CheckLeaks fails the test if it leaves greenlets suspended on its goroutine:
// for tests that make their loops themselves. Call it first; the check is made
// when the test has ended, its deferred calls included. Run does it by itself.
func CheckLeaks(t testing.TB) {
	t.Helper()
	before := suspended()
	t.Cleanup(func() {
		t.Helper()
		for _, g := range left(before) {
			t.Errorf("%v is left suspended; a loop lacks Close?\n%s", g, frames(g))
		}
	})
}
