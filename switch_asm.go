//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

//lint:file-ignore U1000 the assembly uses what looks unused

package greenlet

import (
	"unsafe"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// Names for the assembly, which sees a package's constants as const_NAME and
// the fields of its types as Type_field, through go_asm.h.
const (
	gStackGuard = rt.GStackGuard
	gM          = rt.GM
	gSchedSP    = rt.GSchedSP
	gSchedPC    = rt.GSchedPC
	gSchedCtxt  = rt.GSchedCtxt
	gSchedLR    = rt.GSchedLR
	gSchedBP    = rt.GSchedBP
	gStatus     = rt.GStatus
	gGoid       = rt.GGoid
	gWaitSince  = rt.GWaitSince
	gWaitReason = rt.GWaitReason
	gScanDone   = rt.GGCScanDone
	gLockedM    = rt.GLockedM
	gProfiled   = rt.GProfiled
	gBubble     = rt.GBubble
	gTrace      = rt.GTrace
	gDIT        = rt.GDIT
	mCurg       = rt.MCurg
	mLockedG    = rt.MLockedG
	mLockedInt  = rt.MLockedInt

	statusRunning = rt.StatusRunning
	statusWaiting = rt.StatusWaiting
	waitCoroutine = rt.WaitCoroutine

	cacheLine = 64
	linkFrame = 16 // the least frame on arm64: the stack pointer is a multiple of it
)

// These are assembly. They are never called by these names: the prototypes are
// for vet and for the linker.
func enterText()
func resumeText()
func swapText()
func callText()
func reserveText()
func proceedText()
func backText()
func parkedText()
func pausedText()
func prefetchText()

// Addresses of code: the assembly file fills in those of what it defines, and
// jumps to the others.
var (
	enterPC     uintptr // enterText
	resumePC    uintptr // resumeText
	swapPC      uintptr // swapText
	callPC      uintptr // callText
	reservePC   uintptr // reserveText
	proceedPC   uintptr // proceedText
	backPC      uintptr // backText
	parkedPC    uintptr // parkedText
	pausedPC    uintptr // pausedText
	prefetchPC  uintptr // prefetchText
	slowPC      uintptr // slow
	letterPC    uintptr // byLetter
	schedulerPC uintptr // byScheduler
	callSlowPC  uintptr // callInGo
	backSlowPC  uintptr // backSlow
	arrivePC    uintptr // arriveParked

	proceedSlowPC uintptr // proceedInGo
)

// A carrier must not outgrow a cache line: see there.
const _ = uint(64 - unsafe.Sizeof(carrier{}))

// RUNS stores 8 zeros: the word, and yielded, finished and panicked, which are before how.
const (
	_ = -runs
	_ = -(unsafe.Offsetof(pair{}.paused) % 8)
	_ = -(unsafe.Offsetof(pair{}.yielded) - unsafe.Offsetof(pair{}.paused) - 4)
	_ = -(unsafe.Offsetof(pair{}.how) - unsafe.Offsetof(pair{}.paused) - 8)
)

// codeOf returns where f's code begins, for a jump with the registers of Go's
// internal calling convention.
//
// SAFETY: a func value is a pointer to a word that holds the address.
func codeOf[F any](f F) uintptr { return **(**uintptr)(unsafe.Pointer(&f)) }

// standIn is codeOf for a function that takes over from an entry of the
// assembly. It must have the entry's type: the entry's caller has left room for
// spilling just those arguments, and in what is beside it keeps its own.
func standIn[F any](_ F, f F) uintptr { return codeOf(f) }

// Func values of the assembly's entries.
var (
	enterPtr  = &enterPC
	resumePtr = &resumePC
	swapPtr   = &swapPC
	callPtr   = &callPC
	backPtr   = &backPC
	fetchPtr  = &prefetchPC

	reservePtr = &reservePC
	proceedPtr = &proceedPC
)

// resume is enter without the checks: the caller has made them, has kept the
// tree's books and knows that g.gp is set.
//
// SAFETY: resumeText keeps the internal calling convention for this signature.
var resume = *(*func(g *Greenlet, v any, err error) (any, error))(unsafe.Pointer(&resumePtr))

// swap suspends the caller and resumes next, which finds its value in the
// letter. It returns what the caller is resumed with. If the caller is a coroutine
// that pauses, parked is its pair's word, which is set once it is parked.
//
// SAFETY: swapText keeps the internal calling convention for this signature.
var swap = *(*func(next rt.G, parked *uint32) (any, error))(unsafe.Pointer(&swapPtr))

// enter switches to g. See switch.go.
//
// SAFETY: enterText keeps the internal calling convention for this signature.
var enter func(g *Greenlet, v any, err error) (any, error)

// addressOf is for comparing only: it does not keep g alive.
func addressOf(g *Greenlet) uintptr { return uintptr(unsafe.Pointer(g)) }

// assembly tells which backend is in use. It is set before main starts.
var assembly bool

func init() {
	enter = slow
	slowPC, letterPC, schedulerPC = standIn(enter, slow), standIn(resume, byLetter), standIn(swap, byScheduler)
	callSlowPC, backSlowPC = standIn(call, callInGo), standIn(back, backSlow)
	proceedSlowPC = standIn(proceed, proceedInGo)
	arrivePC = codeOf(arriveParked)
	var ok bool
	if ok, backend.Reason = mayUseAssembly(); ok {
		assembly = true
		backend.Name = "assembly"
		rt.ParkedPC, rt.PausedPC = parkedPC, pausedPC
		enter = *(*func(g *Greenlet, v any, err error) (any, error))(unsafe.Pointer(&enterPtr))
		// SAFETY: callText, reserveText, proceedText and backText keep the internal
		// calling convention for these signatures. called sees the first word of
		// call's results.
		call = *(*func(f *face) (any, error))(unsafe.Pointer(&callPtr))
		called = *(*func(f *face) uintptr)(unsafe.Pointer(&callPtr))
		reserve = *(*func(f *face) bool)(unsafe.Pointer(&reservePtr))
		proceed = *(*func(f *face) (any, error))(unsafe.Pointer(&proceedPtr))
		back = *(*func(p *pair) (any, error))(unsafe.Pointer(&backPtr))
		leaveCall = returns(true, leaveCall)
		leaveYield = returns(true, leaveYield)
		leaveEight = returns(true, leaveEight)
		rt.ReturnError = returns(true, rt.ReturnError)
		// SAFETY: prefetchText keeps the internal calling convention for this
		// signature. It loads from the handle and from its goroutine's g, which
		// the runtime never frees; what else it touches it does not load.
		prefetch = *(*func(g *Greenlet))(unsafe.Pointer(&fetchPtr))
	}
}

// arriveParked is where a greenlet goes on that the assembly parked and the
// scheduler resumed: in place of the Switch in which it waits.
func arriveParked() (any, error) { return self().arrive() }

// slotted returns the carrier on g, the running goroutine, if that was started
// for greenlets.
func slotted(g rt.G) *carrier { return (*carrier)(rt.Owner(g)) }

// byLetter is resume when a gate of the runtime is closed.
func byLetter(g *Greenlet, v any, err error) (any, error) {
	next := g.c
	next.note(v, err)
	return swap(next.g, nil)
}

// byScheduler is swap through the scheduler.
func byScheduler(next rt.G, parked *uint32) (any, error) {
	c := self()
	c.sinks()
	rt.Hand(next, parked)
	c.landed()
	return c.arrive()
}

// exchange suspends c and lets next run, and returns what c is resumed with.
func (c *carrier) exchange(next *carrier, parked *uint32) (any, error) {
	if !next.cold {
		return swap(next.g, parked)
	}
	c.sinks()
	c.park(next, parked)
	c.landed()
	return c.arrive()
}

// park is handOver through the scheduler.
func (c *carrier) park(next *carrier, parked *uint32) {
	if next.cold {
		next.cold = false
		m := &next.hub.meet
		m.Reset()
		go carry(next, nil)()
		if !rt.Locked() && parked == nil {
			m.Start()
			return
		}
		// The lock on the thread can only be given to a goroutine that is known.
		m.StartAndReturn()
	}
	rt.Hand(next.g, parked)
}

// inherit gives c's goroutine the profiler labels of the running one, as a go
// statement would.
func (c *carrier) inherit() {
	if !c.cold {
		c.g.SetLabels(rt.Self())
	}
}

// ready lets c's goroutine run on beside the caller's.
func (c *carrier) ready() { rt.Ready(c.g) }

// start starts the goroutines of b, on a goroutine of its own.
func (b *batch) start() {
	b.muster.Expect(len(b.carriers))
	go func() {
		for _, c := range b.carriers {
			c.cold = false
			go carry(c, b)()
		}
	}()
}

// carry makes the first function of a carrier's goroutine. A go statement of a call
// with arguments would add a frame; and the collector looks at each frame of a
// goroutine that waits, in every cycle. It is not inlined, so that this function
// has one name in profiles, carry.func1, wherever the carrier was started.
//
//go:noinline
func carry(c *carrier, b *batch) func() {
	return func() {
		var slot rt.Slot
		c.register(slot.Set(unsafe.Pointer(c)))
		if b == nil {
			c.hub.meet.Arrive()
		} else {
			b.muster.Arrive()
		}
		defer c.depart()
		c.landed()
		for failed := false; c.serve(failed); failed = true {
		}
		slot.Keep() // till then it refers to c, which hub.lingers relies on
	}
}
