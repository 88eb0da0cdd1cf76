// Package stack keeps the goroutines that greenlets run on: it takes them back
// when a greenlet ends, hands them out again to the next, and says how much
// stack they use.
//
// A greenlet's stack is a goroutine's stack: it starts at 2 KiB, grows by
// doubling when a call needs more, up to the limit of debug.SetMaxStack, and is
// halved by the collector when less than a quarter of it is in use. An ended
// greenlet's goroutine is kept, so starting the next greenlet costs a switch
// and no goroutine. Every tree of greenlets keeps a few for itself (Local) and
// shares the rest with all others (Depot).
package stack
