package stack

import "sync/atomic"

var (
	pooled, started, retired, ended atomic.Int64
)

// Counts says how many goroutines this package's users have. The numbers are
// read one after the other while others may change them.
type Counts struct {
	Goroutines int // started for greenlets and not yet ended
	Pooled     int // idle in the store that all trees share
	Started    int // started since the program began
	Retired    int // told to end because they were idle
	Limit      int // see SetLimit
}

// Stats returns the counts. Any goroutine may call it; it does not switch.
func Stats() Counts {
	e := ended.Load()
	s := started.Load()
	return Counts{
		Goroutines: int(s - e),
		Pooled:     int(pooled.Load()),
		Started:    int(s),
		Retired:    int(retired.Load()),
		Limit:      int(limit.Load()),
	}
}

// Began counts a goroutine that was started.
func Began() { started.Add(1) }

// Ended counts a goroutine that is about to end.
func Ended() { ended.Add(1) }
