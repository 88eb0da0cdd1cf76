package greenlet_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/stack"
)

// What the generic switch does with goroutines that are locked to their threads, which
// may not take part in the runtime's coroutine switches: see switch_generic.go. With the
// assembly the lock goes with the control, and all the same must come of it.

// lockWhile locks the goroutine to its thread while f runs.
func lockWhile(locks bool, f func()) {
	if locks {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	f()
}

// strands allows for a goroutine that ends locked, and for who stands in for it.
func strands() {
	if greenlet.Backend().Name == "generic" && rt.Fast {
		stranded.Add(2)
	}
}

// Every order of locks on both sides of a switch, of a start and of an end.
func TestLocksOfGenericTrees(t *testing.T) {
	for order := range 1 << 6 {
		locks := func(i int) bool { return order>>i&1 != 0 }
		onGoroutine(func() {
			main := greenlet.Current()
			var log []any
			body := func(other func() *greenlet.Greenlet) func(any) (any, error) {
				return func(v any) (any, error) {
					lockWhile(locks(0), func() {
						log = append(log, v)
						v, _ = main.Switch("a")
						log = append(log, v)
					})
					lockWhile(locks(1), func() {
						v, _ = other().Switch("b")
						log = append(log, v)
					})
					return "end", nil
				}
			}
			var g, h *greenlet.Greenlet
			g = greenlet.New(body(func() *greenlet.Greenlet { return h }))
			h = greenlet.New(body(func() *greenlet.Greenlet { return g }))
			lockWhile(locks(2), func() { gives(t, "a")(g.Switch(1)) })
			lockWhile(locks(3), func() { gives(t, "a")(h.Switch(2)) })
			lockWhile(locks(4), func() { gives(t, "end")(g.Switch(3)) })
			lockWhile(locks(5), func() { gives(t, "end")(h.Switch(4)) })
			assert.Equal(t, []any{1, 2, 3, "b", "b", 4}[:4], log[:4], "order %b", order)
			assert.True(t, g.Dead() && h.Dead())
		})
	}
}

// A body that ends while it has its goroutine locked does not hand that on to the next
// greenlet, and ends no program.
func TestLockedAtTheEnd(t *testing.T) {
	ways := map[string]func(){
		"return": func() {},
		"panic":  func() { panic("p") },
		"Goexit": runtime.Goexit,
	}
	for name, end := range ways {
		for range 5 {
			onGoroutine(func() {
				strands()
				g := greenlet.New(func(any) (any, error) {
					runtime.LockOSThread()
					end()
					return nil, nil
				})
				func() {
					defer func() { recover() }()
					g.Switch(nil)
				}()
				for rt.Locked() {
					runtime.UnlockOSThread() // with the assembly the lock has come to us
				}
				g = greenlet.New(func(any) (any, error) { return rt.Locked(), nil })
				locked, err := g.Switch(nil)
				assert.Equal(t, false, locked, name)
				assert.NoError(t, err)
			})
		}
	}
}

// However many greenlets end locked, few threads are left of them.
func TestManyLockedAtTheEnd(t *testing.T) {
	if greenlet.Backend().Name != "generic" || !rt.Fast {
		t.Skip("the lock goes with the control, or nobody knows of it")
	}
	defer greenlet.StrandedFromZero()()
	defer stack.SetLimit(stack.SetLimit(0))
	stack.Trim() // those would go by call
	steady(t)
	before := runtime.NumGoroutine()
	const n = 4 * greenlet.StrandedMax
	onGoroutine(func() {
		for range n {
			g := greenlet.New(func(any) (any, error) {
				runtime.LockOSThread()
				return nil, nil
			})
			g.Switch(nil)
		}
	})
	// A few more than the limit were under way when it was reached.
	eventually(t, "most have ended", func() bool {
		return runtime.NumGoroutine() <= before+2*2*greenlet.StrandedMax
	}, runtime.Gosched)
	stranded.Add(int64(runtime.NumGoroutine() - before))
}

// Collect does not wait for goroutines that never end.
func TestCollectAfterOneEndedLocked(t *testing.T) {
	onGoroutine(func() {
		cycles := func() uint32 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			before := m.NumGC
			greenlet.Collect()
			runtime.ReadMemStats(&m)
			return m.NumGC - before
		}
		strands()
		g := greenlet.New(func(any) (any, error) {
			runtime.LockOSThread()
			return nil, nil
		})
		g.Switch(nil)
		for rt.Locked() {
			runtime.UnlockOSThread()
		}
		cycles()
		if n := cycles(); n > 5 {
			t.Errorf("Collect took %d cycles with nothing to end", n)
		}
	})
}

// A sequence locks and unlocks while several goroutines, locked or not, pull it in turns.
func TestLocksOfPulledSequences(t *testing.T) {
	n := 300
	if testing.Short() {
		n = 50
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		script := make([]bool, 20)
		for i := range script {
			script[i] = r.IntN(3) == 0
		}
		next, stop := greenlet.Pull(func(yield func(int) bool) {
			for i, locks := range script {
				on := true
				lockWhile(locks, func() { on = yield(i) })
				if !on {
					return
				}
			}
		})
		ends := r.IntN(len(script) + 1)
		for want := range ends {
			pull := func() {
				got, ok := next()
				assert.True(t, ok)
				assert.Equal(t, want, got, "seed %d", seed)
			}
			switch locks := r.IntN(3) == 0; r.IntN(3) {
			case 0:
				lockWhile(locks, pull)
			case 1:
				var wg sync.WaitGroup
				wg.Go(func() { lockWhile(locks, pull) })
				wg.Wait()
			case 2:
				g := greenlet.New(func(any) (any, error) {
					lockWhile(locks, pull)
					return nil, nil
				})
				g.Switch(nil)
			}
		}
		lockWhile(r.IntN(2) == 0, stop)
	}
}

// No goroutine is left over of trees that were locked now and then: neither those of
// greenlets nor the stand-ins of goroutines that were locked.
func TestLockedTreesLeaveNoGoroutines(t *testing.T) {
	defer stack.SetLimit(stack.SetLimit(0))
	stack.Trim()
	steady(t)
	before := runtime.NumGoroutine()
	onGoroutine(func() {
		main := greenlet.Current()
		for i := range 60 {
			g := greenlet.New(func(any) (any, error) {
				lockWhile(i%2 == 0, func() { main.Switch(nil) })
				return i, nil
			})
			lockWhile(i%3 == 0, func() { g.Switch(nil) })
			if i%7 != 0 {
				lockWhile(i%5 == 0, func() { gives(t, i)(g.Switch(nil)) })
			} // else Close kills it
		}
	})
	eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before }, runtime.Gosched)
}
