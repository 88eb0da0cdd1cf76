// Package sys makes those system calls of the loop that are too frequent for the
// way of package syscall: by it each call tells the scheduler that the thread may
// be gone for long, which costs as much as a short call itself.
//
// # The rules
//
//	rule                                               kept by                     tested by
//	S1  only calls that cannot block are made here:    callers: sched's pollers,   TestCallsDoNotWait, and
//	    on non-blocking sockets and pipes, or with     asyncio's descriptors       every test of a peer that
//	    a time-out of zero                                                         never reads
//	S2  what the kernel writes into stays where it     the conversion to uintptr   go vet; TestCallsFromGrowingStack
//	    is during the call, also on a stack that       stands in the call itself   make hostile
//	    could move
//	S3  a thread that is in a call is not preempted,   S1; Max bounds what one     TestMax
//	    so a collector that wants to begin waits for   call copies
//	    it
//
// What is sent is released before the call and acquired after it, for the race
// detector: package syscall does so for its own (see Release).
//
// Where a call may block (epoll_wait with a time-out) package unix makes it.
package sys

// Max is the most that one call copies: what a processor copies in some tens of
// microseconds. Longer reads and writes are done in part, which callers expect of
// a socket anyway.
const Max = 256 << 10
