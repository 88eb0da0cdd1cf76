package rt

import (
	"runtime"
	"testing"
)

// The check must not take a moment of the scheduler's for a wrong layout: the
// program would run on the slow switch, once in a thousand starts.
func TestSelfCheckIsSteady(t *testing.T) {
	if !Fast {
		t.Skip("the layout is not known: ", Reason)
	}
	stop := make(chan struct{})
	defer close(stop)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
			}
		}()
	}
	runtime.LockOSThread() // as while packages are initialised
	defer runtime.UnlockOSThread()
	n := 3000
	if testing.Short() {
		n = 500
	}
	for i := range n {
		if err := check(); err != nil {
			t.Fatalf("check %d: %v", i, err)
		}
	}
}
