//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package rt

import (
	"sync/atomic"
	"unsafe"
)

// What an execution trace leaves behind.
//
// Each goroutine has three words for the tracer, of which a trace's generation
// uses one, by its number modulo three. While a trace is on, the tracer has put
// a 1 into the word of the current generation or of the one before, for every
// goroutine that runs. That closes the switch's gate. The ones stay when the
// trace ends, and would close the gate for ever.
//
// They cannot be set to 0. The end of a trace may still ask for them, and by no
// means can code that runs make sure that no trace is on and will be on until
// it has written. But the tracer asks only whether a word is 0. So the gate
// looks at the low byte of each word, and a 1 that is left over is replaced by
// stale (selfcheck.go), which to the tracer is no different.
//
// When is a 1 left over? A goroutine that parks in Hand replaces its ones while
// it is parked, when nobody asks the gate, and notes its two sequence numbers,
// which belong to odd and even generations. If a trace is on when it runs
// again, the scheduler has told the trace so, in one of two ways:
//
//   - The goroutine is new to the current generation: its word was 0 (the
//     tracer clears the next generation's word of all goroutines before that
//     begins) and is now 1. The gate is closed.
//   - It was known to the current generation before it parked. Then this
//     generation's sequence number is a higher one now, and the words get their
//     ones back before the goroutine does anything else.
//
// Otherwise no trace was on at that moment. One that begins later stops the
// world; then this goroutine runs on by the scheduler, which tells the trace in
// the first of the two ways, because the end of the last trace has cleared the
// word of the first generation of the next.

// traceWord returns the address of the i'th of the tracer's words.
func (g G) traceWord(i uintptr) *uint32 { return (*uint32)(g.field(GTrace + 4*i)) }

// traceSeq returns the sequence numbers.
func (g G) traceSeq() [2]uint64 { return *(*[2]uint64)(g.field(GTraceSeq)) }

// Traced reports whether the gate is closed because a trace has seen g.
func (g G) Traced() bool {
	for i := range uintptr(3) {
		if atomic.LoadUint32(g.traceWord(i)) == traced {
			return true
		}
	}
	return false
}

// swapTraceWords replaces old by new in all words. The tracer may set a word to
// 0 at the same time, on another thread.
func (g G) swapTraceWords(old, new uint32) {
	for i := range uintptr(3) {
		atomic.CompareAndSwapUint32(g.traceWord(i), old, new)
	}
}

// A passage is the way through the scheduler of a goroutine that has been traced,
// or of one that somebody waits for to be parked. It is in the heap because a
// parked goroutine's stack may be moved.
type passage struct {
	next   G
	parked *uint32 // set to 1 when the goroutine may be resumed; or nil
	traced bool
	seq    [2]uint64
}

// pass is hand for a passage. When the word has been set the goroutine may run
// already, on another thread.
func pass(gp G, lock unsafe.Pointer) bool {
	p := (*passage)(lock)
	if p.traced {
		gp.swapTraceWords(traced, stale)
		p.seq = gp.traceSeq()
	}
	next := p.next
	donate(gp, next)
	if p.parked != nil {
		atomic.StoreUint32(p.parked, 1)
	}
	goready(next, 1)
	return true
}

// arrived is the first thing that the goroutine does when it runs again.
func (p *passage) arrived(g G) {
	if p.traced && g.traceSeq() != p.seq {
		g.swapTraceWords(stale, traced)
	}
}
