package greenlet_test

import (
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// Greenlets that a goroutine leaves suspended when it ends, without Close, are
// ended once nobody refers to them. Only a backend that knows the runtime can
// tell that a goroutine has ended.
func TestEndedGoroutine(t *testing.T) {
	if greenlet.Backend().Layout == "" {
		t.Skip("the end of a goroutine cannot be seen without a layout table")
	}
	ended := make(chan int, 10)
	done := make(chan bool)
	go func() {
		for i := range 10 {
			greenlet.New(func(any) (any, error) {
				defer func() { ended <- i }()
				greenlet.Current().Parent().Switch(nil)
				return nil, nil
			}).Switch(nil)
		}
		close(done)
	}()
	<-done
	for len(ended) < 10 {
		runtime.GC()
	}
}
