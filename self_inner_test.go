package greenlet

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A carrier whose goroutine has ended is not found by its number any more, nor kept by
// the cache of the generic backend.
func TestEndedCarriersAreNotKept(t *testing.T) {
	if assembly {
		t.Skip("carriers are found by their slots")
	}
	var numbers []uint64
	for range 20 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			New(func(any) (any, error) {
				Current()
				numbers = append(numbers, self().number)
				runtime.Goexit()
				return nil, nil
			}).Switch(nil)
		}()
		<-done
	}
	for _, n := range numbers {
		require.Eventually(t, func() bool {
			_, found := carriers.Load(n)
			c := carrierCache[n%uint64(len(carrierCache))].Load()
			return !found && (c == nil || c.number != n)
		}, time.Minute, time.Millisecond, "the carrier of goroutine %d", n)
	}
}
