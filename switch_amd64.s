//go:build linux && !android && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

#include "go_asm.h"
#include "textflag.h"

// The switch on amd64. The contract is in switch.go; I1 to I15 are its
// numbered invariants. What is said here is what this architecture does about them.
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

// PARK writes down where the running goroutine can be resumed (I1). PARKAT does
// it with the address in R11.
#define PARK \
	LEAQ ·parkedText+1(SB), R11; \
	PARKAT

#define PARKAT \
	MOVQ R11, const_gSchedPC(R14); \
	MOVQ SP, const_gSchedSP(R14); \
	MOVQ BP, const_gSchedBP(R14); \
	MOVB $const_waitCoroutine, const_gWaitReason(R14)

// STACK loads next's stack pointer. All that comes after the switch waits for it,
// so it is loaded as soon as nothing can change it any more: for the time that a
// switch takes this counts more than all other instructions.
#define STACK \
	MOVQ const_gSchedSP(DX), R10

// BECOME makes next the current goroutine of the thread (I6) and goes to its
// stack, in R10. The running goroutine is not let go yet (I7).
#define BECOME \
	MOVQ  DX, const_mCurg(R12); \
	MOVQ  TLS, R13; \
	MOVQ  DX, 0(R13)(TLS*1); \
	MOVQ  const_gSchedBP(DX), BP; \
	XCHGQ SP, R10

// BECOMEANY is BECOME for a goroutine that the scheduler may have parked, in a
// frame of the runtime's: its stack pointer does not point at a return address.
// So the place where it goes on is written there as one. From here to RESUME an
// unwinder sees swapText as called by that place (I12).
#define BECOMEANY \
	STACK; \
	MOVQ const_gSchedPC(DX), R11; \
	SUBQ $8, R10; \
	MOVQ R11, (R10); \
	BECOME

// CLAIM makes next running: first its thread, then its status (I5). While the
// collector marks, others change statuses too, by compare-and-swap. If a scan
// holds next, nothing has changed but next's thread. AX is lost.
#define CLAIM(refused) \
	MOVQ     R12, const_gM(DX); \
	MOVL     $const_statusWaiting, AX; \
	MOVL     $const_statusRunning, R9; \
	LOCK; \
	CMPXCHGL R9, const_gStatus(DX); \
	JNE      refused; \
	MOVQ     $0, const_gWaitSince(DX)

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
// call, whose return address is in R11: by a return instruction if R13, that of the
// goroutine that was left, is the same, else by a jump (I8). The push is never
// reached: it tells the assembler that what follows has the frame that was there
// before the pop.
#define RETURN(alike) \
	MOVQ  DX, R14; \
	MOVQ  BX, AX; \
	MOVQ  CX, BX; \
	MOVQ  DI, CX; \
	MOVQ  SI, DI; \
	CMPQ  R11, R13; \
	JEQ   alike; \
	POPQ  R9; \
	JMP   R11; \
	PUSHQ R9; \
alike: \
	RET

// LEAVE is RETURN without a value, by a jump.
#define LEAVE \
	MOVQ  DX, R14; \
	XORL  AX, AX; \
	XORL  BX, BX; \
	XORL  CX, CX; \
	XORL  DI, DI; \
	POPQ  R11; \
	JMP   R11; \
	PUSHQ R11

// EXPECTED notes that next's goroutine runs for the tree (I3). Which greenlet that
// is comes after it.
#define EXPECTED \
	MOVQ const_gGoid(DX), R9; \
	MOVQ R9, hub_running(R8)

// TAKE makes next running, as CLAIM does, while the collector does not mark.
#define TAKE \
	MOVQ R12, const_gM(DX); \
	MOVL $const_statusRunning, const_gStatus(DX); \
	MOVQ $0, const_gWaitSince(DX)

// LETGO makes the goroutine that was left waiting, as RELEASE does.
#define LETGO \
	MOVL $const_statusWaiting, const_gStatus(R14); \
	MOVQ $0, const_gM(R14)

// ENTER is the switch with the value in registers, once all gates are passed.
#define ENTER(alike) \
	STACK; \
	EXPECTED; \
	MOVQ AX, hub_current(R8); \
	PARK; \
	MOVQ (R10), R11; \
	TAKE; \
	BECOME; \
	MOVQ (R10), R13; \
	LETGO; \
	RETURN(alike)

// ENTERMARKING is ENTER while the collector marks. A value may then move from
// stack to stack unshaded only if the stack that it leaves has been scanned, or if
// there is none (I9): then the types of value and error are nil. A switch to oneself is turned away before it can take the thread
// from the running goroutine. At refused AX is in R13.
#define ENTERMARKING(refused, black, unscanned, again, done, alike) \
	CMPQ DX, R14; \
	JEQ  unscanned; \
	CMPB const_gScanDone(R14), $0; \
	JNE  black; \
	MOVQ BX, R9; \
	ORQ  DI, R9; \
	JNZ  unscanned; \
black: \
	PARK; \
	MOVQ AX, R13; \
	CLAIM(refused); \
	EXPECTED; \
	MOVQ R13, hub_current(R8); \
	STACK; \
	MOVQ (R10), R11; \
	BECOME; \
	MOVQ (R10), R13; \
	RELEASE(again, done); \
	RETURN(alike)

// PASSED is the rest of enterText and of resumeText, once all gates of the pair are
// passed: next is in DX, its hub in R8, and the call's arguments are where they were at
// entry. At each label, and at slow, the goroutine that calls runs on its own stack,
// R14 is its g, and nothing of the switch is published but what is said here.
//
//	unlocked   R12 is the thread. It has no lock of the user's, or that is next's now.
//	locked     The thread is locked to the caller.
//	marking    The collector marks; else as at unlocked.
//	refused    The caller is written down as parked, though it runs, and next has the
//	           thread: a scan holds next, so it was not claimed. R13 is the handle.
//	unscanned  Nothing is claimed. AX is the handle again.
//
// In ENTERMARKING, black is where the value may move, again where the caller that was
// left is still to be let go: next runs then, on its stack, and nobody can resume the
// caller before done. At same and alike the return is one from the same place.
#define PASSED(slow) \
	MOVQ  const_gM(R14), R12; \
	CMPQ  const_gLockedM(R14), $0; \
	JNE   locked; \
unlocked: \
	CMPL  runtime·writeBarrier(SB), $0; \
	JNE   marking; \
	CMPL  const_gStatus(DX), $const_statusWaiting; \
	JNE   slow; \
	ENTER(alike); \
locked: \
	DONATE(slow); \
	JMP   unlocked; \
marking: \
	ENTERMARKING(refused, black, unscanned, again, done, same); \
refused: \
	MOVQ  $0, const_gM(DX); \
	MOVQ  R13, AX; \
unscanned: \
	TAKEBACK(slow)

// RESUME does what the scheduler's gogo does: next goes on where it parked,
// and finds its value in the letter. The push is as in RETURN.
#define RESUME \
	MOVQ  DX, R14; \
	MOVQ  const_gSchedCtxt(DX), DX; \
	POPQ  R11; \
	JMP   R11; \
	PUSHQ R11

// PROCEED resumes the coroutine of the pair in DI, whose handle is BX and which is
// claimed. There is no value, so while the collector marks it does not matter which
// stacks are scanned (I9). If it cannot be it is still claimed.
#define PROCEED(marking, again, done, refused, failed) \
	MOVQ const_gM(R14), R12; \
	CMPL runtime·writeBarrier(SB), $0; \
	JNE  marking; \
	CMPL const_gStatus(DX), $const_statusWaiting; \
	JNE  failed; \
	STACK; \
	RUNS; \
	EXPECTED; \
	MOVQ BX, hub_current(R8); \
	PARK; \
	TAKE; \
	BECOME; \
	LETGO; \
	LEAVE; \
marking: \
	PARK; \
	CLAIM(refused); \
	RUNS; \
	EXPECTED; \
	MOVQ BX, hub_current(R8); \
	STACK; \
	BECOME; \
	RELEASE(again, done); \
	LEAVE; \
refused: \
	MOVQ $0, const_gM(DX)

// RUNS ends a claim: the coroutine runs, and has not yielded, nor ended.
#define RUNS \
	MOVQ $const_runs, pair_paused(DI); \
	LEAQ ·errAway(SB), R9; \
	MOVQ R9, pair_how(DI)

// PARKBACK is PARK for a coroutine that goes back: AX is its pair. PAUSED comes
// when it has been let go of, CX being the pair: from then on whoever claims the
// pair may resume it, on another thread too (I15).
#define PARKBACK \
	MOVB $1, pair_yielded(AX); \
	LEAQ ·errNone(SB), R11; \
	MOVQ R11, pair_how(AX); \
	LEAQ ·pausedText+1(SB), R11; \
	PARKAT

#define PAUSED \
	MOVL $const_paused, pair_paused(CX)

// PARKSWAP is PARK for swapText.
#define PARKSWAP \
	LEAQ    ·parkedText+1(SB), R11; \
	LEAQ    ·pausedText+1(SB), R9; \
	TESTQ   BX, BX; \
	CMOVQNE R9, R11; \
	PARKAT

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

	// A paused coroutine must be claimed first (I15). This is read before the
	// tree is: one that has moved since was paused then.
	LEAQ ·parkedText+1(SB), R11
	CMPQ R11, const_gSchedPC(DX)
	JNE  slow

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
	PASSED(slow)

// The caller runs, on its stack, and has all arguments in place. It has no part of
// next: neither the claim nor the lock of the thread. The same holds at the
// next slow.
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
	PASSED(slow)

slow:
	MOVQ ·letterPC(SB), R11
	JMP  R11

// callText resumes the coroutine of the face in AX, which must be paused, for
// the consumer whom the pair knows. There is no value: that is in memory. What
// it cannot do it leaves to callInGo.
TEXT ·callText(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ AX, CX
	MOVQ face_g(AX), BX
	MOVQ face_p(AX), DI

	// The caller runs for the tree, and is the consumer (I3, I10).
	MOVQ pair_hub(DI), R8
	MOVQ const_gGoid(R14), R9
	CMPQ R9, hub_running(R8)
	JNE  slow
	MOVQ pair_consumer(DI), R9
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
	ORQ   const_gLockedM(R14), R9
	JNZ   slow

	// Of several that call at once one claims the pair (I15).
	CMPB     pair_floats(DI), $0
	JEQ      owned
	MOVL     $const_paused, AX
	MOVL     $const_claimed, R9
	LOCK
	CMPXCHGL R9, pair_paused(DI)
	JNE      slow
	CMPQ     R8, pair_hub(DI)
	JNE      unclaim
	JMP      claimed

// The pair is of this goroutine only. Nothing is claimed.
owned:
	CMPL pair_paused(DI), $const_paused
	JNE  slow
	MOVL $const_claimed, pair_paused(DI)

// The coroutine is claimed, and not resumed. The caller runs, on its stack.
claimed:
	PROCEED(marking, again, done, refused, unclaim)

// The coroutine is claimed, and cannot be resumed here.
unclaim:
	MOVL $const_paused, pair_paused(DI)

// Nothing is claimed, and the caller runs, on its stack. CX is the face.
slow:
	// The caller has room for one argument, should that have to be spilled.
	MOVQ CX, AX
	MOVQ ·callSlowPC(SB), R11
	JMP  R11

// reserveText claims the coroutine of the face in AX, if that may be called and is
// paused, and says whether it has. What is to be passed may be written then.
TEXT ·reserveText(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ  face_g(AX), BX
	MOVQ  face_p(AX), DI
	MOVQ  pair_hub(DI), R8
	MOVQ  const_gGoid(R14), R9
	CMPQ  R9, hub_running(R8)
	JNE   no
	MOVQ  pair_consumer(DI), R9
	CMPQ  R9, hub_current(R8)
	JNE   no
	TESTQ BX, BX
	JZ    no

	CMPB     pair_floats(DI), $0
	JEQ      owned
	MOVL     $const_paused, AX
	MOVL     $const_claimed, R9
	LOCK
	CMPXCHGL R9, pair_paused(DI)
	JNE      no
	CMPQ     R8, pair_hub(DI)
	JNE      unclaim

// The coroutine is claimed, for the caller, who runs.
yes:
	MOVL $1, AX
	RET

// The pair is of this goroutine only. Nothing is claimed.
owned:
	CMPL pair_paused(DI), $const_paused
	JNE  no
	MOVL $const_claimed, pair_paused(DI)
	JMP  yes

// The coroutine was claimed when it had gone to another tree.
unclaim:
	MOVL $const_paused, pair_paused(DI)

// Nothing is claimed.
no:
	XORL AX, AX
	RET

// proceedText is callText after reserveText. What it cannot do it leaves to
// proceedInGo.
TEXT ·proceedText(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ  AX, CX
	MOVQ  face_g(AX), BX
	MOVQ  face_p(AX), DI
	MOVQ  pair_hub(DI), R8
	MOVQ  Greenlet_gp(BX), DX
	TESTQ DX, DX
	JZ    slow
	CMPQ  SP, const_gStackGuard(R14)
	JLS   slow
	GATES
	ALSO(hub_gate(R8))
	ORQ   const_gLockedM(R14), R9
	JNZ   slow
	PROCEED(marking, again, done, refused, slow)

// The coroutine is still claimed, by reserveText. The caller runs, on its stack.
// CX is the face.
slow:
	MOVQ CX, AX
	MOVQ ·proceedSlowPC(SB), R11
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
	LEAQ  ·parkedText+1(SB), R11
	CMPQ  R11, const_gSchedPC(DX) // it may be a coroutine that is paused itself
	JNE   slow
	CMPQ  SP, const_gStackGuard(R14)
	JLS   slow
	GATES
	ALSO(hub_gate(R8))
	ORQ   const_gLockedM(R14), R9
	JNZ   slow
	CMPL  const_gStatus(DX), $const_statusWaiting
	JNE   slow
	MOVQ  const_gM(R14), R12
	MOVQ  AX, CX
	MOVQ  R10, BX
	CMPL  runtime·writeBarrier(SB), $0
	JNE   marking
	STACK
	EXPECTED
	MOVQ BX, hub_current(R8)
	PARKBACK
	TAKE
	BECOME
	LETGO
	PAUSED
	LEAVE

// Nothing is written yet. The coroutine runs, on its stack. CX is the pair, BX the
// consumer.
marking:
	PARKBACK
	CLAIM(refused)
	EXPECTED
	MOVQ BX, hub_current(R8)
	STACK
	BECOME
	RELEASE(again, done)
	PAUSED
	LEAVE

// The coroutine is written down as parked, though it runs, and the consumer has the
// thread: a scan holds the consumer. Nobody resumes the coroutine, which is not paused.
refused:
	MOVQ $0, const_gM(DX)
	MOVQ CX, AX

// The coroutine runs, on its stack. AX is the pair.
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
// books of the tree have been kept in Go. If BX is not 0 it is the word of a
// coroutine that pauses. What it cannot do it leaves to byScheduler.
TEXT ·swapText(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ AX, DX
	GATES
	TESTQ R9, R9
	JNZ  slow
	MOVQ const_gM(R14), R12
	CMPQ const_gLockedM(R14), $0
	JNE  locked

// The caller runs, on its stack. Its thread, R12, has no lock of the user's, or that
// is next's now.
unlocked:
	CMPL runtime·writeBarrier(SB), $0
	JNE  marking
	CMPL const_gStatus(DX), $const_statusWaiting
	JNE  slow
	PARKSWAP
	TAKE
	BECOMEANY
	LETGO
	JMP  left

// The thread is locked to the caller.
locked:
	DONATE(slow)
	JMP unlocked

// As at unlocked, and the collector marks.
marking:
	PARKSWAP
	CLAIM(refused)
	BECOMEANY
	RELEASE(again, done)

// Next runs, on its stack, and the caller may be resumed by anybody, unless it is a
// coroutine that pauses: that is published here.
left:
	TESTQ BX, BX
	JZ    go
	MOVL  $const_paused, (BX)

// Next runs, on its stack, and goes on where it was parked.
go:
	RESUME

// The caller is written down as parked, though it runs, and next has the thread: a
// scan holds next.
refused:
	MOVQ $0, const_gM(DX)
	TAKEBACK(slow)

// The caller runs, on its stack. Next is in DX.
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

// pausedText is parkedText for a coroutine that has gone back. That it is
// another one tells them apart: see enterText.
TEXT ·pausedText(SB), NOSPLIT|NOFRAME, $0-0
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

// Nothing has changed.
done:
	RET

DATA ·enterPC+0(SB)/8, $·enterText(SB)
GLOBL ·enterPC(SB), RODATA|NOPTR, $8
DATA ·resumePC+0(SB)/8, $·resumeText(SB)
GLOBL ·resumePC(SB), RODATA|NOPTR, $8
DATA ·callPC+0(SB)/8, $·callText(SB)
GLOBL ·callPC(SB), RODATA|NOPTR, $8
DATA ·reservePC+0(SB)/8, $·reserveText(SB)
GLOBL ·reservePC(SB), RODATA|NOPTR, $8
DATA ·proceedPC+0(SB)/8, $·proceedText(SB)
GLOBL ·proceedPC(SB), RODATA|NOPTR, $8
DATA ·backPC+0(SB)/8, $·backText(SB)
GLOBL ·backPC(SB), RODATA|NOPTR, $8
DATA ·leavePC+0(SB)/8, $·leaveText(SB)
GLOBL ·leavePC(SB), RODATA|NOPTR, $8
DATA ·swapPC+0(SB)/8, $·swapText(SB)
GLOBL ·swapPC(SB), RODATA|NOPTR, $8
DATA ·parkedPC+0(SB)/8, $·parkedText+1(SB)
GLOBL ·parkedPC(SB), RODATA|NOPTR, $8
DATA ·pausedPC+0(SB)/8, $·pausedText+1(SB)
GLOBL ·pausedPC(SB), RODATA|NOPTR, $8
DATA ·prefetchPC+0(SB)/8, $·prefetchText(SB)
GLOBL ·prefetchPC(SB), RODATA|NOPTR, $8
