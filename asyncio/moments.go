package asyncio

import "time"

// started is what moments are counted from.
var started = time.Now()

// centiseconds is the time, counted from started.
func centiseconds() uint32 { return uint32(time.Since(started) / (10 * time.Millisecond)) }
