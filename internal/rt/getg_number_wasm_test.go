//go:build gc && !purego

package rt

import "testing"

func TestNumberIsFound(t *testing.T) {
	for range 100 {
		done := make(chan bool)
		go func() {
			defer close(done)
			if got, want := knownID(), printedID(); got != want {
				t.Errorf("%d, and printed is %d", got, want)
			}
		}()
		<-done
	}
}
