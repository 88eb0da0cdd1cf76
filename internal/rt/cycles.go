package rt

import "sync/atomic"

// Cycles counts the collector's cycles. Package greenlet counts them while there
// are carriers; who keeps what it may need again compares the count with the one
// it saw, and lets go of what was not needed in between.
var Cycles atomic.Uint32
