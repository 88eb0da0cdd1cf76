package stack_test

import (
	"fmt"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/stack"
)

// deep uses some n KiB of stack and calls at the bottom.
//
//go:noinline
func deep(n int, bottom func()) byte {
	var frame [1 << 10]byte
	if n == 0 {
		bottom()
	} else {
		frame[n&1023] = deep(n-1, bottom)
	}
	return frame[(n+1)&1023]
}

func needLayout(t *testing.T) {
	if !rt.Fast {
		t.Skip("stack sizes are not known without a layout table: " + rt.Reason)
	}
}

func TestUsageOfSuspended(t *testing.T) {
	needLayout(t)
	main := greenlet.Current()
	g := greenlet.New(func(any) (any, error) {
		main.Switch(nil)
		deep(100, func() { main.Switch(nil) })
		main.Switch(nil)
		return nil, nil
	})
	if u := g.StackUsage(); u != (stack.Usage{}) {
		t.Errorf("before the start: %+v", u)
	}
	g.Switch(nil)
	shallow := g.StackUsage()
	g.Switch(nil)
	full := g.StackUsage()
	g.Switch(nil)
	back := g.StackUsage()
	for _, u := range []stack.Usage{shallow, full, back} {
		if u.Size != int(u.Hi-u.Lo) || u.InUse <= 0 || u.InUse > u.Size || u.HighWater < u.Size {
			t.Errorf("%+v", u)
		}
	}
	if full.InUse < 100<<10 || full.InUse < shallow.InUse+100<<10 || back.InUse >= full.InUse {
		t.Errorf("in use: %d, then %d, then %d", shallow.InUse, full.InUse, back.InUse)
	}
	if back.HighWater < full.Size {
		t.Errorf("high water %d after a stack of %d", back.HighWater, full.Size)
	}
	g.Switch(nil)
	if u := g.StackUsage(); u != (stack.Usage{}) {
		t.Errorf("after the end: %+v", u)
	}
}

func TestUsageOfOneself(t *testing.T) {
	needLayout(t)
	g := greenlet.Current()
	above := g.StackUsage()
	var below stack.Usage
	deep(50, func() { below = g.StackUsage() })
	if below.InUse < above.InUse+50<<10 {
		t.Errorf("in use: %d, and 50 KiB deeper %d", above.InUse, below.InUse)
	}
}

// After Reserve, and in a greenlet made WithStack, a call of that depth does not
// make the stack any larger.
func TestReserve(t *testing.T) {
	needLayout(t)
	check := func(what string) {
		before := greenlet.Current().StackUsage().Size
		var at int
		deep(60, func() { at = greenlet.Current().StackUsage().Size })
		if at != before || before < 64<<10 {
			t.Errorf("%s: the stack grew from %d to %d", what, before, at)
		}
	}
	done := make(chan bool)
	go func() { // a fresh, small stack
		defer close(done)
		stack.Reserve(80 << 10)
		check("Reserve")
	}()
	<-done
	greenlet.New(func(any) (any, error) {
		check("WithStack")
		return nil, nil
	}, greenlet.WithStack(80<<10)).Switch(nil)
}

func TestReserveNothing(t *testing.T) {
	stack.Reserve(0)
	stack.Reserve(-1)
}

func ExampleReserve() {
	g := greenlet.New(func(any) (any, error) {
		stack.Reserve(1 << 20) // now, so that the hot part below does not have to
		return "hot work", nil
	})
	fmt.Println(g.Switch(nil))
	// Output: hot work <nil>
}

func ExampleSetLimit() {
	old := stack.SetLimit(100_000) // a server with waves of many greenlets
	defer stack.SetLimit(old)
	fmt.Println(stack.Stats().Limit)
	// Output: 100000
}

func ExampleTrim() {
	for range 100 {
		greenlet.New(func(v any) (any, error) { return v, nil }).Switch(nil)
	}
	greenlet.Close() // the tree gives its idle goroutines back
	stack.Trim()
	fmt.Println(stack.Stats().Pooled)
	// Output: 0
}
