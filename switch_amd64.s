//go:build linux && !android && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

#include "go_asm.h"
#include "textflag.h"

// The switch on amd64. The contract is in switch.go; I1 to I9 are its numbered
// invariants. What is said here is what this architecture does about them.
//
// Registers, as Go's internal calling convention has them:
//
//	entry  AX      g, the target's handle      exit  AX, BX  the value
//	       BX, CX  the value                         CX, DI  the error
//	       DI, SI  the error                         R14     the g that runs
//	       R14     the g that runs
//
// No register survives a call in this convention but SP, BP, R14 and X15 (which
// is zero and which nobody here touches), so nothing else is saved.
//
// The frame is empty (NOFRAME) throughout: SP points at the return address of
// the call, before the switch on the one stack and after it on the other. A
// profiler's signal can therefore unwind at every instruction. The assembler
// marks a function that has SP for a destination as one that cannot be unwound;
// XCHGQ has it for a source, and of pops the assembler knows what they do.
//
// Roles below: DX next g, R8 hub, R12 m, R9, R10, R11 and R13 scratch.

// A goroutine that is asked to yield has its stack guard above every stack. The
// runtime cannot preempt in assembly, and in a loop that only switches there is
// hardly anything else; so the entries for users look, and then let a Go
// function's prologue do what it is there for (I11).

// GATES leaves in R9 whether the runtime must see this switch (I4).
// Of the tracer's three words the low bytes count: see trace.go in internal/rt.
#define GATES \
	MOVBLZX const_gTrace(R14), R9; \
	ORB     (const_gTrace+4)(R14), R9; \
	ORB     (const_gTrace+8)(R14), R9; \
	ORL     const_gProfiled(R14), R9; \
	ORQ     const_gBubble(R14), R9; \
	ORQ     const_gLockedM(DX), R9

// ALSO adds a 32-bit gate, and leaves the 64 bits of the others in place.
#define ALSO(gate) \
	MOVL gate, R11; \
	ORQ  R11, R9

// PARK writes down where the running goroutine can be resumed (I1).
#define PARK \
	LEAQ ·parkedText+1(SB), R11; \
	MOVQ R11, const_gSchedPC(R14); \
	MOVQ SP, const_gSchedSP(R14); \
	MOVQ BP, const_gSchedBP(R14); \
	MOVB $const_waitCoroutine, const_gWaitReason(R14)

// BECOME makes next the current goroutine of the thread (I6) and goes to its
// stack. The running goroutine is not let go yet (I7).
#define BECOME \
	MOVQ  DX, const_mCurg(R12); \
	MOVQ  TLS, R13; \
	MOVQ  DX, 0(R13)(TLS*1); \
	MOVQ  const_gSchedSP(DX), R10; \
	MOVQ  const_gSchedBP(DX), BP; \
	XCHGQ SP, R10

// CLAIM makes next running: first its thread, then its status (I5). While the
// collector marks, others change statuses too, by compare-and-swap. If a scan
// holds next, nothing has changed but next's thread. AX is lost.
#define CLAIM(refused) \
	MOVQ     R12, const_gM(DX); \
	MOVL     $const_statusWaiting, AX; \
	MOVL     $const_statusRunning, R9; \
	LOCK; \
	CMPXCHGL R9, const_gStatus(DX); \
	JNE      refused

// RELEASE makes the goroutine that was left waiting: first its status, then its
// thread (I5). It can only fail while suspendG holds the scan bit, for a few
// instructions.
#define RELEASE(again, done) \
again: \
	MOVL     $const_statusRunning, AX; \
	MOVL     $const_statusWaiting, R9; \
	LOCK; \
	CMPXCHGL R9, const_gStatus(R14); \
	JEQ      done; \
	PAUSE; \
	JMP      again; \
done: \
	MOVQ     $0, const_gM(R14)

// DONATE gives the lock that the user's LockOSThread has put on the running
// goroutine to next, so that the tree stays on its thread. A lock of a cgo
// callback stays.
#define DONATE(slow) \
	CMPL const_mLockedInt(R12), $0; \
	JNE  slow; \
	CMPL const_gStatus(DX), $const_statusWaiting; \
	JNE  slow; \
	MOVQ DX, const_mLockedG(R12); \
	MOVQ R12, const_gLockedM(DX); \
	MOVQ $0, const_gLockedM(R14)

// TAKEBACK undoes DONATE, if that was done.
#define TAKEBACK(notdonated) \
	CMPQ const_mLockedG(R12), DX; \
	JNE  notdonated; \
	MOVQ R14, const_mLockedG(R12); \
	MOVQ $0, const_gLockedM(DX); \
	MOVQ R12, const_gLockedM(R14)

// RETURN brings the value from entry to exit registers and returns from next's
// call, without a return instruction (I8). The push is never reached: it tells the
// assembler that what follows has the frame that was there before the pop.
#define RETURN \
	MOVQ DX, R14; \
	MOVQ BX, AX; \
	MOVQ CX, BX; \
	MOVQ DI, CX; \
	MOVQ SI, DI; \
	POPQ R11; \
	JMP  R11; \
	PUSHQ R11

// NOVALUE fills the registers of value and error with nil.
#define NOVALUE \
	XORL BX, BX; \
	XORL CX, CX; \
	XORL DI, DI; \
	XORL SI, SI

// ENTER is the switch with the value in registers, once all gates are passed.
#define ENTER \
	MOVQ const_gGoid(DX), R9; \
	MOVQ R9, hub_running(R8); \
	MOVQ AX, hub_current(R8); \
	PARK; \
	MOVQ R12, const_gM(DX); \
	MOVL $const_statusRunning, const_gStatus(DX); \
	BECOME; \
	MOVL $const_statusWaiting, const_gStatus(R14); \
	MOVQ $0, const_gM(R14); \
	RETURN

// ENTERMARKING is ENTER while the collector marks. A value may then move from
// stack to stack unshaded only if the stack that it leaves has been scanned
// (I9). A switch to oneself is turned away before it can take the thread from
// the running goroutine. At refused AX is in R13.
#define ENTERMARKING(refused, unscanned, again, done) \
	CMPQ DX, R14; \
	JEQ  unscanned; \
	CMPB const_gScanDone(R14), $0; \
	JEQ  unscanned; \
	PARK; \
	MOVQ AX, R13; \
	CLAIM(refused); \
	MOVQ const_gGoid(DX), R9; \
	MOVQ R9, hub_running(R8); \
	MOVQ R13, hub_current(R8); \
	BECOME; \
	RELEASE(again, done); \
	RETURN

// RESUME does what the scheduler's gogo does: next goes on where it parked,
// and finds its value in the letter.
#define RESUME \
	MOVQ DX, R14; \
	MOVQ const_gSchedPC(DX), R11; \
	MOVQ const_gSchedCtxt(DX), DX; \
	JMP  R11

// enterText is Switch: it suspends the running goroutine and resumes the one
// that AX is suspended on, with the value in registers. What it cannot do it
// leaves to slow, with all arguments still in place.
TEXT ·enterText(SB), NOSPLIT|NOFRAME, $0-0
	// A handle that can receive registers (I2).
	TESTQ AX, AX
	JZ    slow
	MOVQ  Greenlet_gp(AX), DX
	TESTQ DX, DX
	JZ    slow

	// The caller runs for the target's tree (I3).
	MOVQ Greenlet_hub(AX), R8
	MOVQ const_gGoid(R14), R9
	CMPQ R9, hub_running(R8)
	JNE  slow

	CMPQ SP, const_gStackGuard(R14)
	JLS  slow
	GATES
	ALSO(hub_gate(R8))
	JNZ   slow
	MOVQ  const_gM(R14), R12
	CMPQ  const_gLockedM(R14), $0
	JNE   locked

unlocked:
	CMPL runtime·writeBarrier(SB), $0
	JNE  marking
	CMPL const_gStatus(DX), $const_statusWaiting
	JNE  slow
	ENTER

locked:
	DONATE(slow)
	JMP unlocked

marking:
	ENTERMARKING(refused, unscanned, again, done)

refused:
	MOVQ $0, const_gM(DX)
	MOVQ R13, AX

unscanned:
	TAKEBACK(slow)

slow:
	MOVQ ·slowPC(SB), R11
	JMP  R11

// resumeText is enterText for those who know that the switch is allowed and
// that AX can receive registers. What it cannot do it leaves to byLetter.
TEXT ·resumeText(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ  Greenlet_gp(AX), DX
	MOVQ  Greenlet_hub(AX), R8
	GATES
	TESTQ R9, R9
	JNZ   slow
	MOVQ  const_gM(R14), R12
	CMPQ  const_gLockedM(R14), $0
	JNE   locked

unlocked:
	CMPL runtime·writeBarrier(SB), $0
	JNE  marking
	CMPL const_gStatus(DX), $const_statusWaiting
	JNE  slow
	ENTER

locked:
	DONATE(slow)
	JMP unlocked

marking:
	ENTERMARKING(refused, unscanned, again, done)

refused:
	MOVQ $0, const_gM(DX)
	MOVQ R13, AX

unscanned:
	TAKEBACK(slow)

slow:
	MOVQ ·letterPC(SB), R11
	JMP  R11

// callText resumes the coroutine of the face in AX, which must be paused, for
// the consumer whom the pair knows. There is no value: that is in memory. What
// it cannot do it leaves to callInGo.
TEXT ·callText(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ AX, CX
	MOVQ face_g(AX), BX
	MOVQ face_p(AX), AX

	// The caller runs for the tree, and is the consumer (I3, I10).
	MOVQ pair_hub(AX), R8
	MOVQ const_gGoid(R14), R9
	CMPQ R9, hub_running(R8)
	JNE  slow
	MOVQ pair_consumer(AX), R9
	CMPQ R9, hub_current(R8)
	JNE  slow
	TESTQ BX, BX
	JZ    slow
	MOVQ  Greenlet_gp(BX), DX
	TESTQ DX, DX
	JZ    slow
	CMPQ  SP, const_gStackGuard(R14)
	JLS   slow
	GATES
	ALSO(hub_gate(R8))
	ALSO(runtime·writeBarrier(SB))
	ORQ   const_gLockedM(R14), R9
	JNZ   slow

	// Of several that call at once one takes the pair.
	XORL  R9, R9
	XCHGL R9, pair_paused(AX)
	TESTL R9, R9
	JZ    slow
	CMPQ  R8, pair_hub(AX)
	JNE   moved
	CMPL  const_gStatus(DX), $const_statusWaiting
	JNE   moved
	CMPQ  const_gM(DX), $0
	JNE   moved
	MOVB  $0, pair_yielded(AX)
	MOVQ  const_gM(R14), R12
	MOVQ  BX, AX
	NOVALUE
	ENTER

moved:
	MOVL $1, pair_paused(AX)

slow:
	// The caller has room for one argument, should that have to be spilled.
	MOVQ CX, AX
	MOVQ ·callSlowPC(SB), R11
	JMP  R11

// backText pauses the coroutine of the pair in AX, which calls it, and resumes
// the consumer. What it cannot do it leaves to backSlow.
TEXT ·backText(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ  pair_hub(AX), R8
	MOVQ  const_gGoid(R14), R9
	CMPQ  R9, hub_running(R8)
	JNE   slow
	MOVQ  pair_coroutine(AX), R9
	CMPQ  R9, hub_current(R8)
	JNE   slow
	MOVQ  pair_consumer(AX), R10
	TESTQ R10, R10
	JZ    slow
	CMPQ  R8, Greenlet_hub(R10)
	JNE   slow
	MOVQ  Greenlet_gp(R10), DX
	TESTQ DX, DX
	JZ    slow
	CMPQ  SP, const_gStackGuard(R14)
	JLS   slow
	GATES
	ALSO(hub_gate(R8))
	ALSO(runtime·writeBarrier(SB))
	ORQ   const_gLockedM(R14), R9
	JNZ   slow
	CMPL  const_gStatus(DX), $const_statusWaiting
	JNE   slow
	MOVQ  const_gM(R14), R12
	MOVB  $1, pair_yielded(AX)
	MOVL  $1, pair_paused(AX)
	MOVQ  R10, AX
	NOVALUE
	ENTER

slow:
	MOVQ ·backSlowPC(SB), R11
	JMP  R11

// leaveText is a return from the function that calls it, with results that are
// in registers already, by a jump (I8). BP points at that function's saved BP,
// which lies under its return address.
TEXT ·leaveText(SB), NOSPLIT|NOFRAME, $0-0
	LEAQ  8(BP), R12
	MOVQ  0(BP), R13
	XCHGQ SP, R12
	MOVQ  R13, BP
	POPQ  R12
	JMP   R12
	PUSHQ R12 // never reached

// swapText is the switch when there is a letter: it suspends the running
// goroutine like enterText and resumes AX, a g, however that was parked. All
// books of the tree have been kept in Go. What it cannot do it leaves to
// byScheduler.
TEXT ·swapText(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ AX, DX
	GATES
	TESTQ R9, R9
	JNZ  slow
	MOVQ const_gM(R14), R12
	CMPQ const_gLockedM(R14), $0
	JNE  locked

unlocked:
	CMPL runtime·writeBarrier(SB), $0
	JNE  marking
	CMPL const_gStatus(DX), $const_statusWaiting
	JNE  slow
	PARK
	MOVQ R12, const_gM(DX)
	MOVL $const_statusRunning, const_gStatus(DX)
	BECOME
	MOVL $const_statusWaiting, const_gStatus(R14)
	MOVQ $0, const_gM(R14)
	RESUME

locked:
	DONATE(slow)
	JMP unlocked

marking:
	PARK
	CLAIM(refused)
	BECOME
	RELEASE(again, done)
	RESUME

refused:
	MOVQ $0, const_gM(DX)
	TAKEBACK(slow)

slow:
	MOVQ DX, AX
	MOVQ ·schedulerPC(SB), R11
	JMP  R11

// parkedText is where the scheduler, or swapText, resumes a goroutine that
// enterText or swapText has parked: it goes on in arriveParked, which opens the
// letter, in place of the call that it waits in. A parked goroutine's pc is the
// address after the first byte, as if that were a call, because tracebacks look
// up pc-1.
TEXT ·parkedText(SB), NOSPLIT|NOFRAME, $0-0
	BYTE $0x90 // NOP
	MOVQ ·arrivePC(SB), R11
	JMP  R11

// prefetchText is Prefetch of AX: the lines of next's g that a switch to it and
// the switch away from it touch, and the top of its stack. Wherever the stack
// may be by now, a prefetch of it does no harm.
TEXT ·prefetchText(SB), NOSPLIT|NOFRAME, $0-0
	TESTQ AX, AX
	JZ    done
	MOVQ  Greenlet_gp(AX), DX
	TESTQ DX, DX
	JZ    done
	MOVQ  const_gSchedSP(DX), R10
	PREFETCHT0 const_gSchedBP(DX)
	PREFETCHT0 const_gStatus(DX)
	PREFETCHT0 const_gLockedM(DX)
	PREFETCHT0 const_gProfiled(DX)
	PREFETCHT0 const_gTrace(DX)
	PREFETCHT0 (R10)
	PREFETCHT0 const_cacheLine(R10)
	ADDQ       $const_cacheLine, R10
	PREFETCHT0 const_cacheLine(R10)

done:
	RET

DATA ·enterPC+0(SB)/8, $·enterText(SB)
GLOBL ·enterPC(SB), RODATA|NOPTR, $8
DATA ·resumePC+0(SB)/8, $·resumeText(SB)
GLOBL ·resumePC(SB), RODATA|NOPTR, $8
DATA ·callPC+0(SB)/8, $·callText(SB)
GLOBL ·callPC(SB), RODATA|NOPTR, $8
DATA ·backPC+0(SB)/8, $·backText(SB)
GLOBL ·backPC(SB), RODATA|NOPTR, $8
DATA ·leavePC+0(SB)/8, $·leaveText(SB)
GLOBL ·leavePC(SB), RODATA|NOPTR, $8
DATA ·swapPC+0(SB)/8, $·swapText(SB)
GLOBL ·swapPC(SB), RODATA|NOPTR, $8
DATA ·parkedPC+0(SB)/8, $·parkedText+1(SB)
GLOBL ·parkedPC(SB), RODATA|NOPTR, $8
DATA ·prefetchPC+0(SB)/8, $·prefetchText(SB)
GLOBL ·prefetchPC(SB), RODATA|NOPTR, $8
