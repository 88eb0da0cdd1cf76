//go:build gc && !purego

package rt

import "testing"

// The search takes tens of microseconds of each start of a program.
func TestNumberIsLookedForOnlyWithoutATable(t *testing.T) {
	if Fast && numberAt != 0 {
		t.Errorf("it was, and found at %d", numberAt)
	}
}

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
