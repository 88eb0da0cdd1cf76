package greenlet_test

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// A loop of inlined switches has no function prologue and is almost all
// assembly, where the runtime cannot preempt. Whoever stops the world must get
// his turn all the same: this test hangs if he does not.
func TestPreempt(t *testing.T) {
	loops := map[string]func(stop *atomic.Bool){
		"Switch": func(stop *atomic.Bool) {
			main := greenlet.Current()
			g := greenlet.New(func(any) (any, error) {
				for {
					if _, err := main.Switch(nil); err != nil {
						return nil, err
					}
				}
			})
			for !stop.Load() {
				g.Switch(nil)
			}
			g.Throw(nil)
		},
		"Resume": func(stop *atomic.Bool) {
			c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], v int) error {
				for {
					v = c.Yield(v)
				}
			})
			for !stop.Load() {
				c.Resume(1)
			}
			c.Close()
		},
		"Next": func(stop *atomic.Bool) {
			g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
				for {
					if _, err := y.Yield(1); err != nil {
						return 0, err
					}
				}
			})
			for !stop.Load() {
				g.Next()
			}
			g.Close()
		},
		"Pull": func(stop *atomic.Bool) {
			next, end := greenlet.Pull(func(yield func(int) bool) {
				for yield(1) {
				}
			})
			for !stop.Load() {
				next()
			}
			end()
		},
	}
	for name, loop := range loops {
		t.Run(name, func(t *testing.T) {
			var stop atomic.Bool
			running, ended := make(chan bool), make(chan bool)
			go func() {
				defer close(ended)
				close(running)
				loop(&stop)
			}()
			<-running
			for range 50 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m) // stops the world
			}
			stop.Store(true)
			<-ended
		})
	}
}
