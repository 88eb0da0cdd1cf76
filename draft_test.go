package greenlet_test

import (
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// idle makes n that are suspended and returns how many goroutines were started
// beyond them, when those that are being started have begun.
func idle(t *testing.T, n int) int {
	t.Helper()
	main := greenlet.Current()
	before := stack.Stats().Goroutines
	body := func(v any) (any, error) { return main.Switch(v) }
	for i := range n {
		gives(t, i)(greenlet.New(body).Switch(i))
	}
	return stack.Stats().Goroutines - before - n
}

// Goroutines are started ahead of need, but not many and only for who starts
// many; Close gives them back.
func TestDraft(t *testing.T) {
	if greenlet.Backend().Name != "assembly" {
		t.Skip("the generic backend starts its goroutines one by one")
	}
	ownTree(t)
	greenlet.Close()
	stack.Trim()
	eventually(t, "only busy goroutines are left", func() bool {
		return stack.Stats().Goroutines == greenlet.Stats().Live
	}, runtime.Gosched)
	if n := idle(t, 60); n != 0 {
		t.Errorf("with 60 greenlets %d goroutines are idle", n)
	}
	drafted := false
	for range 50 {
		const n = 1000
		if n := idle(t, n); n > 64 {
			t.Fatalf("with 1000 greenlets more, %d goroutines more are idle", n)
		}
		runtime.Gosched()
		drafted = drafted || stack.Stats().Goroutines > greenlet.Stats().Live
		greenlet.Close()
		stack.Trim()
		eventually(t, "all goroutines are given back", func() bool {
			return stack.Stats().Goroutines == greenlet.Stats().Live
		}, runtime.Gosched)
	}
	if !drafted {
		t.Error("none was started ahead of need")
	}
}
