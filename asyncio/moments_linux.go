package asyncio

import "golang.org/x/sys/unix"

// startedOnClock is started on the clock by which Go counts, which other processes have,
// too: for those who look from outside.
var startedOnClock = monotonic()

func monotonic() int64 {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return now.Nano()
}
