//go:build gc && !purego

package rt

import "testing"

// Where a table is known, too, though it is not needed there.
func TestNumberIsFound(t *testing.T) {
	defer func(was uintptr) { numberAt = was }(numberAt)
	numberAt = findNumber()
	if Fast && numberAt != GGoid {
		t.Errorf("at %d, and the table says %d", numberAt, GGoid)
	}
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
