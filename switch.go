package greenlet

// # The protocol of the switch
//
// Read this before switch_amd64.s, switch_arm64.s and carrier.go.
//
// # Terms
//
//	carrier   a goroutine that greenlets run on, one after the other; at the root
//	          of a tree, the plain goroutine where the tree began
//	hub       a tree of greenlets; one of its carriers runs, all others are parked
//	handle    the *Greenlet that users hold
//	gp, next  the runtime.g of the carrier that is left and of the one resumed
//	m         the runtime.m, the thread that runs gp and will run next
//	letter    what a greenlet finds that is not resumed with values in registers
//
// # Why a goroutine for each greenlet
//
// Go moves stacks, scans them precisely and knows each by its g. Memory of our
// own could be none of that, so each greenlet has a goroutine, and a switch
// makes the thread leave one goroutine and go on in another without asking the
// scheduler. Growth, scanning, shrinking, tracebacks, panics and deferred calls
// then work because nothing about a stack is unusual. For the runtime a
// suspended greenlet is a goroutine that waits, with reason "coroutine".
//
// # The stacks
//
//	a suspended greenlet                       the one that runs
//	(addresses grow upwards)
//
//	hi ┌──────────────────────┐                hi ┌──────────────────────┐
//	   │ carry  (rt.Slot)     │                   │ carry  (rt.Slot)     │
//	   │ carrier.serve        │                   │ carrier.serve        │
//	   │ the body             │                   │ the body             │
//	   │ ... the user's calls │                   │ ... the user's calls │
//	   ├──────────────────────┤                   ├──────────────────────┤
//	   │ frame that inlined   │ sched.bp          │ frame that inlined   │ BP
//	   │ Switch               │                   │ Switch               │
//	   ├──────────────────────┤                   └──────────────────────┘ SP
//	   │ return address       │ sched.sp          On arm64 the return address is not
//	   └──────────────────────┘                   on the stack but in sched.lr.
//	sched.pc = parkedText+1; of a paused coroutine pausedText+1
//
// The frame that waits is always the caller of a function of the shape
//
//	func(...) (any, error)
//
// with results in registers: enter (Switch and Throw), resume, call, proceed, back
// or swap. So any of three can resume it: enterText, with the results in registers,
// at the return address; swapText, by a jump to sched.pc, which goes to arriveParked
// and returns from there with what is in the letter; and the scheduler, which does
// the same.
//
// # The ways of a switch
//
//	enter      the assembly that Switch calls: all is checked, values in registers
//	slow       where enter goes on that a gate turned away: finds out why
//	resume     enter without the checks, for those who have made them
//	call       the assembly between a consumer and its coroutine, without a value;
//	           or in two steps, reserve and proceed; and back: see pair.go
//	post       with a letter: by swap, else byScheduler
//	send       post for a value, without a letter that is copied
//	handOver   the generic backend's (switch_generic.go has its invariant, I16), and
//	           that of a goroutine about to end
//
// # Invariants
//
//	I1  A goroutine that a switch has parked has status waiting, no m, and
//	    sched.{pc,sp,bp,lr} from which the scheduler could resume it.
//	    Kept by PARK, RELEASE. Tested by TestStateAtEveryInstruction,
//	    TestGoroutineProfile, TestHammer.
//	I2  A handle's gp is set only while its carrier, if it is suspended, is
//	    parked as drawn above. Kept by sinks, landed, give, end, handleOf.
//	    Tested by TestGatesOfSwitch, TestOracle, TestHammer.
//	I3  hub.running is the goid of the goroutine that runs for the tree, or 0
//	    while that must not switch in assembly, because it has to be enlisted
//	    first. A caller of another goroutine never finds its own goid there,
//	    since goids are not used twice. Kept by ENTER, expected, suspend, short,
//	    serve, begin. Tested by TestGatesOfSwitch, TestGatesOfCall, TestGatesOfReserve,
//	    TestGatesOfBack and
//	    the tests of goroutines_test.go.
//	I4  No gate is closed: gp is not in a goroutine profile, has not been seen
//	    by an execution trace that may still be on (internal/rt/trace.go), is in
//	    no synctest bubble; next is locked to no thread; next waits and no scan
//	    holds it; on arm64 both want the same timing mode. The gates are read and
//	    the switch is made in assembly, where the runtime never preempts, so
//	    nothing can come between.
//	    Kept by GATES, Hand. Tested by TestGatesOfSwitch, TestGatesOfCall and
//	    TestGatesOfBack, gate by gate; TestHammer, TestGoroutineProfile,
//	    TestEverySwitchIsTraced, TestTraceParses, TestTraceLeavesNothing.
//	I5  A running goroutine always has an m: next's m is set before its status,
//	    gp's status before its m is cleared. Kept by ENTER, CLAIM, RELEASE.
//	    Tested by TestStateAtEveryInstruction, TestHammer with GOGC=1.
//	I6  m.curg, the g in thread-local storage and the g register change together
//	    while no signal can see next without an m. Kept by BECOME.
//	    Tested by TestStateAtEveryInstruction, TestHammer under CPU profiles.
//	I7  gp is let go only when the thread has left its stack: a goroutine that
//	    waits may be scanned, moved and its old stack freed at once.
//	    Kept by the order of BECOME and RELEASE. Tested by
//	    TestStateAtEveryInstruction, TestHammer.
//	I8  next goes on by a return instruction only if it waits where gp was called
//	    from, which is what the processor predicts of a return; its stack of calls
//	    is then right further up, too. Else by a jump. call and back never meet
//	    at one place, and always jump. Kept by RETURN, LEAVE. Seen by bench/.
//	I9  While the collector marks, a pointer leaves an unscanned stack only
//	    through the heap, where the write barrier shades it. A scanned (black)
//	    stack may hand it on in registers: whatever such a stack can hold is
//	    marked already or will be reached from a grey object, wherever it is
//	    held. A switch without value and error hands on no pointer: next gets nil
//	    in all registers that a return can bring, what else is in registers its
//	    code may not read, and hub.current is a number. So it stays in assembly
//	    also from an unscanned stack, and so do call and back always: what they
//	    pass has been written to the heap by compiled code. Kept by the test of
//	    GGCScanDone and of the two types in ENTERMARKING, and by LEAVE. Tested by
//	    TestHotPotato, TestHotPotatoOfCoroutines.
//
//	I10 pair.consumer is the greenlet that waits in call, or waited there last;
//	    no other may call or be gone back to in assembly. Kept by pair.run,
//	    startsShort. Tested by TestCoroConsumers, TestGatesOfCall, TestGatesOfBack.
//	I15 A paused coroutine (claim.go) is parked at pausedText, or by the scheduler,
//	    and let go of; whoever resumes it has claimed it. pair.paused says so
//	    from the end of the park, its last store, to the claim. enterText and
//	    backText resume only what is parked at parkedText, and read the place
//	    before the tree.
//	    Kept by backText, callText, reserveText, swapText, pass, handOver, seize. Tested by
//	    TestClaimModel, TestStateAtEveryInstruction,
//	    TestPullSwitchedToByItsHandleBlocks.
//	I11 A goroutine that is asked to yield does so at its next switch: the stack
//	    guard is compared as by a function's prologue. Else a loop that only
//	    switches would hold up whoever stops the world.
//	    Kept by enterText, callText, proceedText, backText. Tested by TestPreempt.
//
// The plain stores to statuses, when the collector does not mark, are safe
// because only four kinds of code change a foreign goroutine's status:
// suspendG for the collector (it marks then), suspendG for the tracer (the gate
// is closed then), the scheduler's ready (nobody readies our carriers but we),
// and code that has stopped the world, which cannot happen inside assembly.
//
// A build with the tag greenlet_invariants looks whether I2, I3 and I10 hold each time
// that the switch is in Go: see invariants.go.
//
// tools/mutants/known.txt says of each gate and of each two stores which test dies
// if the gate is dropped or the stores are swapped. "make mutants" finds it out.
//
// # What if
//
//   - a body panics: carrier.serve recovers it and the parent's Switch panics
//     with a PanicError (TestPanic).
//   - a body calls runtime.Goexit: the goroutine ends, after carrier.depart has
//     sent the same to the parent (TestGoexit).
//   - the tree's goroutine is locked to its thread: DONATE passes the lock on,
//     so that all of the tree stays there (TestLocked).
//   - a cgo callback is in progress: the thread belongs to C, the gate is
//     closed, the scheduler does it.
//   - a signal arrives between two instructions: a profiler can unwind (I12).
//   - the stack must grow: the assembly needs no frame; slow and arriveParked
//     are ordinary functions that may grow it.
//   - a finalizer or a timer switches: it is on a goroutine of its own and has
//     its own tree.
//
// # Another architecture
//
// It must define enterText, resumeText, callText, reserveText, proceedText, backText,
// swapText, parkedText, pausedText and prefetchText, with their addresses in the
// variables of switch_asm.go that end in PC, and parkedReturn in internal/rt. leaveText and
// returns are for those only where a return is predicted by a stack of calls:
// switch_leave_none.go does without. In ten steps: generate the layout table;
// write getg; write the register table; PARK; BECOME; ENTER without marking;
// CLAIM and RELEASE; DONATE; widen the build line, which a test keeps equal in
// all files; run "make hostile".

// slow is Switch and Throw in Go. In the generic backend it is all there is. In
// the assembly backend it is where a switch goes on that a gate has turned
// away: it finds out why, does what must be done in Go, and tries again or goes
// by the scheduler.
func slow(g *Greenlet, v any, err error) (any, error) {
	c := selfFor(g)
	c.mustHold()
	switch c.short(g, err) {
	case byRegisters:
		return resume(g, v, err)
	case byNote:
		// This is carrier.send, whose frame would be on the stack of who waits for the
		// first time until it has run again: the collector looks at each frame in every
		// cycle, which for that one took a quarter of all that a greenlet takes.
		g.c.note(v, err)
		if assembly {
			return swap(g.c.g, nil)
		}
		c.handOver(g.c, nil)
		return c.arrive()
	}
	return c.long(g, v, err)
}

// long is slow without the short ways.
func (c *carrier) long(g *Greenlet, v any, err error) (any, error) {
	if refused := c.maySwitch(g); refused != nil {
		return nil, refused
	}
	c.tidy()
	return c.mail(g, v, err, nil)
}

// tidy does its share of the sweep that the collector has asked for. The deferred
// calls of those that are ended may do anything, so it is called where the caller
// has begun nothing yet.
func (c *carrier) tidy() {
	if c.hub.gate.has(gateSweep) {
		c.sweep(sweepSlice)
	}
}

// mail is the switch to g by a letter; if c pauses, parked is the word of its
// pair. It is not inlined: a letter takes much stack, and the frame of slow stays
// on the stack of a greenlet that waits, which while the collector marks is every
// one. A goroutine has little before its stack must grow.
//
//go:noinline
func (c *carrier) mail(g *Greenlet, v any, err error, parked *uint32) (any, error) {
	h := c.hub
	if g.loadState() == started && !g.c.wakes(h) {
		return nil, c.movedOn(g, "switch to")
	}
	var l letter // a literal would be made elsewhere on the stack, and copied
	l.v, l.err, l.to = v, err, g
	if h.traced() {
		l.from = Current()
	}
	next := h.route(&l)
	if next.c == c {
		if l.events != nil {
			h.tell(l.events)
		}
		return l.v, l.err
	}
	c.suspend()
	if parked == nil && l.plain() && !next.gp.IsNil() {
		return resume(next, l.v, l.err)
	}
	return c.post(next.c, &l, parked)
}

// A way is how c may switch to a greenlet, all but the switch being done.
type way uint8

const (
	byLong      way = iota // nothing is done
	byRegisters            // by resume
	byNote                 // by carrier.send: it is parked by the scheduler, or by handOver, and not cold
)

// short does what is to be done before c may switch to g, if that is little: g
// is suspended, and c only has to be enlisted; or g is fresh and a carrier is at
// hand. It is what long does in general. Who is told byRegisters or byNote must
// switch at once: that sets hub.running.
func (c *carrier) short(g *Greenlet, err error) way {
	h := c.hub
	if g == nil || g.hub != h || !h.gate.none() {
		return byLong
	}
	switch g.state {
	case started:
		if g.c == c || !g.c.wakes(h) {
			return byLong
		}
		c.enroll()
	case fresh:
		if g.body == nil || err != nil {
			return byLong
		}
		next, warm := h.free.Get()
		if !warm {
			return byLong
		}
		c.enroll()
		h.give(next, g)
	default:
		return byLong
	}
	if g.gp.IsNil() {
		return byNote
	}
	return byRegisters
}
