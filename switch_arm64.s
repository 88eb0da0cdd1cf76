//go:build linux && !android && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

#include "go_asm.h"
#include "textflag.h"

// The switch on arm64. The contract is in switch.go; I1 to I15 are its
// numbered invariants. This file follows switch_amd64.s line by line; only what differs
// is said here.
//
//	entry  R0      g, the target's handle      exit  R0, R1  the value
//	       R1, R2  the value                         R2, R3  the error
//	       R3, R4  the error                         g       the g that runs
//	       g       the g that runs
//
// The return address of a call is in the link register, not on the stack. It is
// parked in sched.lr, where a traceback looks for that of an empty frame and
// from where the scheduler loads it before it jumps to sched.pc.
//
// With cgo the g is kept in thread-local storage too, for signals that arrive
// in C code; without it only the g register counts.
//
// Memory order: the plain stores are seen by other threads only after these
// have synchronised with this one (I5); while the collector marks, the
// exchanges have acquire and release semantics.
//
// Roles below: R5 next g, R6 hub, R7 m, R8 to R12 scratch, R13 next stack
// pointer, R14 the return address of the goroutine that is left.

// The thread-local word in which the runtime keeps g. The declaration only tells
// the assembler what kind of symbol it is.
GLOBL runtime·tls_g+0(SB), TLSBSS|DUPOK, $8

// TPIDR reads the thread's base of local storage into R8 (MRS TPIDR_EL0, R8).
#define TPIDR WORD $0xd53bd048

#define GATES \
	MOVWU const_gProfiled(g), R8; \
	MOVBU const_gTrace(g), R9; \
	ORR   R9, R8; \
	MOVBU (const_gTrace+4)(g), R9; \
	ORR   R9, R8; \
	MOVBU (const_gTrace+8)(g), R9; \
	ORR   R9, R8; \
	MOVD  const_gBubble(g), R9; \
	ORR   R9, R8; \
	MOVD  const_gLockedM(R5), R9; \
	ORR   R9, R8; \
	MOVBU const_gDIT(g), R9; \
	MOVBU const_gDIT(R5), R10; \
	EOR   R10, R9; \
	ORR   R9, R8

#define PARK \
	MOVD $·parkedText+4(SB), R8; \
	PARKAT

#define PARKAT \
	MOVD R8, const_gSchedPC(g); \
	MOVD RSP, R8; \
	MOVD R8, const_gSchedSP(g); \
	MOVD R30, const_gSchedLR(g); \
	MOVD R29, const_gSchedBP(g); \
	MOVD $const_waitCoroutine, R8; \
	MOVB R8, const_gWaitReason(g)

#define STACK \
	MOVD const_gSchedSP(R5), R13

// BECOME leaves the old g in R11. For an unwinder (I12) the stack pointer and the
// link register must change at once, which no instruction can do. But in a frame
// that is not empty it reads the return address from the stack. So one is made on
// next's stack before, and given up when the link register is right: the assembler
// takes the SUB for the making of a frame, although it has another register for
// its source, and the ADD for its end. The return address is in const_link: see
// RESUME.
#define BECOME(nocgo, const_link) \
	MOVD  R5, const_mCurg(R7); \
	MOVD  g, R11; \
	MOVD  R5, g; \
	MOVBU runtime·iscgo(SB), R8; \
	CBZ   R8, nocgo; \
	TPIDR; \
	MOVD  runtime·tls_g(SB), R27; \
	MOVD  g, (R8)(R27); \
nocgo: \
	MOVD  const_link(R5), R8; \
	MOVD  const_gSchedBP(R5), R29; \
	MOVD  R8, -const_linkFrame(R13); \
	SUB   $const_linkFrame, R13, RSP; \
	MOVD  R8, R30; \
	ADD   $const_linkFrame, RSP

#define CLAIM(again, refused) \
	MOVD  R7, const_gM(R5); \
	MOVD  $const_gStatus, R9; \
	ADD   R5, R9; \
	MOVD  $const_statusRunning, R10; \
again: \
	LDAXRW (R9), R8; \
	CMPW  $const_statusWaiting, R8; \
	BNE   refused; \
	STLXRW R10, (R9), R8; \
	CBNZ  R8, again; \
	MOVD  ZR, const_gWaitSince(R5)

#define RELEASE(again, wait, done) \
	MOVD  $const_gStatus, R9; \
	ADD   R11, R9; \
	MOVD  $const_statusWaiting, R10; \
again: \
	LDAXRW (R9), R8; \
	CMPW  $const_statusRunning, R8; \
	BNE   wait; \
	STLXRW R10, (R9), R8; \
	CBNZ  R8, again; \
	B     done; \
wait: \
	YIELD; \
	B     again; \
done: \
	MOVD  ZR, const_gM(R11)

#define DONATE(slow) \
	MOVWU const_mLockedInt(R7), R8; \
	CBNZ  R8, slow; \
	MOVWU const_gStatus(R5), R8; \
	CMPW  $const_statusWaiting, R8; \
	BNE   slow; \
	MOVD  R5, const_mLockedG(R7); \
	MOVD  R7, const_gLockedM(R5); \
	MOVD  ZR, const_gLockedM(g)

#define TAKEBACK(notdonated) \
	MOVD  const_mLockedG(R7), R8; \
	CMP   R5, R8; \
	BNE   notdonated; \
	MOVD  g, const_mLockedG(R7); \
	MOVD  ZR, const_gLockedM(R5); \
	MOVD  R7, const_gLockedM(g)

// RETURN compares the return addresses, since no flags last from BECOME to here.
#define RETURN(alike) \
	MOVD R1, R0; \
	MOVD R2, R1; \
	MOVD R3, R2; \
	MOVD R4, R3; \
	CMP  R14, R30; \
	BEQ  alike; \
	JMP  (R30); \
alike: \
	RET

#define LEAVE \
	MOVD ZR, R0; \
	MOVD ZR, R1; \
	MOVD ZR, R2; \
	MOVD ZR, R3; \
	JMP  (R30)

#define EXPECTED \
	MOVD const_gGoid(R5), R8; \
	MOVD R8, hub_running(R6)

#define TAKE \
	MOVD R7, const_gM(R5); \
	MOVD $const_statusRunning, R8; \
	MOVW R8, const_gStatus(R5); \
	MOVD ZR, const_gWaitSince(R5)

#define LETGO \
	MOVD $const_statusWaiting, R8; \
	MOVW R8, const_gStatus(R11); \
	MOVD ZR, const_gM(R11)

#define ENTER(nocgo, alike) \
	STACK; \
	EXPECTED; \
	MOVD R0, hub_current(R6); \
	PARK; \
	MOVD R30, R14; \
	TAKE; \
	BECOME(nocgo, const_gSchedLR); \
	LETGO; \
	RETURN(alike)

#define ENTERMARKING(refused, black, unscanned, claim, nocgo, again, wait, done, alike) \
	CMP  R5, g; \
	BEQ  unscanned; \
	MOVBU const_gScanDone(g), R8; \
	CBNZ R8, black; \
	ORR  R1, R3, R8; \
	CBNZ R8, unscanned; \
black: \
	PARK; \
	CLAIM(claim, refused); \
	EXPECTED; \
	MOVD R0, hub_current(R6); \
	MOVD R30, R14; \
	STACK; \
	BECOME(nocgo, const_gSchedLR); \
	RELEASE(again, wait, done); \
	RETURN(alike)

// PASSED's labels say what those of switch_amd64.s do; at refused R0 is the handle. The
// exclusive monitor may still be set there, from the claim. In ENTERMARKING, at claim
// next is still to be claimed, at wait a scan holds the caller, which was left. At nocgo
// and nocgo2 next is in the g register, and the stack is still the caller's.
#define PASSED(slow) \
	MOVD  const_gM(g), R7; \
	MOVD  const_gLockedM(g), R8; \
	CBNZ  R8, locked; \
unlocked: \
	MOVWU runtime·writeBarrier(SB), R8; \
	CBNZ  R8, marking; \
	MOVWU const_gStatus(R5), R8; \
	CMPW  $const_statusWaiting, R8; \
	BNE   slow; \
	ENTER(nocgo, alike); \
locked: \
	DONATE(slow); \
	B     unlocked; \
marking: \
	ENTERMARKING(refused, black, unscanned, claim, nocgo2, again, wait, done, same); \
refused: \
	CLREX; \
	MOVD  ZR, const_gM(R5); \
unscanned: \
	TAKEBACK(slow)

// RESUME finds sched.pc in the link register, as if it had called swapText. What
// the switch has parked needs its sched.lr there; what the scheduler has parked
// needs nothing, and has none.
#define RESUME \
	MOVD R30, R8; \
	MOVD const_gSchedCtxt(R5), R26; \
	MOVD const_gSchedLR(R5), R9; \
	CMP  $0, R9; \
	CSEL EQ, R30, R9, R30; \
	JMP  (R8)

// Here R0 is the pair throughout, R1 the coroutine's handle and R12 the face.
#define PROCEED(nocgo, marking, claim, nocgo2, again, wait, done, refused, failed) \
	MOVD  const_gM(g), R7; \
	MOVWU runtime·writeBarrier(SB), R8; \
	CBNZ  R8, marking; \
	MOVWU const_gStatus(R5), R8; \
	CMPW  $const_statusWaiting, R8; \
	BNE   failed; \
	STACK; \
	RUNS; \
	EXPECTED; \
	MOVD  R1, hub_current(R6); \
	PARK; \
	TAKE; \
	BECOME(nocgo, const_gSchedLR); \
	LETGO; \
	LEAVE; \
marking: \
	PARK; \
	CLAIM(claim, refused); \
	RUNS; \
	EXPECTED; \
	MOVD  R1, hub_current(R6); \
	STACK; \
	BECOME(nocgo2, const_gSchedLR); \
	RELEASE(again, wait, done); \
	LEAVE; \
refused: \
	CLREX; \
	MOVD  ZR, const_gM(R5)

#define RUNS \
	ADD   $pair_paused, R0, R9; \
	MOVD  $const_runs, R8; \
	STLR  R8, (R9); \
	MOVD  $·errAway(SB), R8; \
	MOVD  R8, pair_how(R0)

// Here R0 is the pair throughout, and R12 the consumer.
#define PARKBACK \
	MOVD  $1, R8; \
	MOVB  R8, pair_yielded(R0); \
	MOVD  $·errNone(SB), R8; \
	MOVD  R8, pair_how(R0); \
	MOVD  $·pausedText+4(SB), R8; \
	PARKAT

#define PAUSED \
	ADD   $pair_paused, R0, R9; \
	MOVD  $const_paused, R8; \
	STLRW R8, (R9)

#define PARKSWAP(park) \
	MOVD $·parkedText+4(SB), R8; \
	CBZ  R1, park; \
	MOVD $·pausedText+4(SB), R8; \
park: \
	PARKAT

// enterText is Switch.
TEXT ·enterText(SB), NOSPLIT|NOFRAME, $0-0
	CBZ  R0, slow
	MOVD Greenlet_gp(R0), R5
	CBZ  R5, slow
	ADD  $const_gSchedPC, R5, R8
	LDAR (R8), R8 // before the tree is read (I15)
	MOVD $·parkedText+4(SB), R9
	CMP  R8, R9
	BNE  slow
	MOVD Greenlet_hub(R0), R6
	MOVD const_gGoid(g), R8
	MOVD hub_running(R6), R9
	CMP  R8, R9
	BNE  slow

	MOVD  const_gStackGuard(g), R8
	MOVD  RSP, R9
	CMP   R8, R9
	BLS   slow
	GATES
	MOVWU hub_gate(R6), R9
	ORR   R9, R8
	CBNZ  R8, slow
	PASSED(slow)

// The caller runs, on its stack, and has all arguments in place. It has no part of
// next: neither the claim nor the lock of the thread. The same holds at the
// next slow.
slow:
	MOVD ·slowPC(SB), R8
	JMP  (R8)

// resumeText is enterText for those who know that the switch is allowed and
// that R0 can receive registers.
TEXT ·resumeText(SB), NOSPLIT|NOFRAME, $0-0
	MOVD Greenlet_gp(R0), R5
	MOVD Greenlet_hub(R0), R6
	GATES
	CBNZ R8, slow
	PASSED(slow)

slow:
	MOVD ·letterPC(SB), R8
	JMP  (R8)

// callText resumes the coroutine of the face in R0.
TEXT ·callText(SB), NOSPLIT|NOFRAME, $0-0
	MOVD  R0, R12
	MOVD  face_g(R0), R1
	MOVD  face_p(R0), R0
	MOVD  pair_hub(R0), R6
	MOVD  const_gGoid(g), R8
	MOVD  hub_running(R6), R9
	CMP   R8, R9
	BNE   slow
	MOVD  pair_consumer(R0), R8
	MOVD  hub_current(R6), R9
	CMP   R8, R9
	BNE   slow
	CBZ   R1, slow
	MOVD  Greenlet_gp(R1), R5
	CBZ   R5, slow
	MOVD  const_gStackGuard(g), R8
	MOVD  RSP, R9
	CMP   R8, R9
	BLS   slow
	GATES
	MOVWU hub_gate(R6), R9
	ORR   R9, R8
	MOVD  const_gLockedM(g), R9
	ORR   R9, R8
	CBNZ  R8, slow

	MOVBU  pair_floats(R0), R8
	CBZ    R8, owned
	ADD    $pair_paused, R0, R9
	MOVD   $const_claimed, R10
// Nothing is claimed. R9 is the address of the pair's word.
claim:
	LDAXRW (R9), R8
	CMPW   $const_paused, R8
	BNE    taken
	STLXRW R10, (R9), R8
	CBNZ   R8, claim
	MOVD   pair_hub(R0), R8
	CMP    R8, R6
	BNE    unclaim
	B      claimed

// The pair is of this goroutine only. Nothing is claimed.
owned:
	MOVWU pair_paused(R0), R8
	CMPW  $const_paused, R8
	BNE   slow
	MOVD  $const_claimed, R8
	MOVW  R8, pair_paused(R0)

// The coroutine is claimed, and not resumed. The caller runs, on its stack.
claimed:
	PROCEED(nocgo, marking, again, nocgo2, release, wait, done, refused, unclaim)

// The coroutine is claimed, and cannot be resumed here.
unclaim:
	ADD   $pair_paused, R0, R9
	MOVD  $const_paused, R8
	STLRW R8, (R9)
	B     slow

// Somebody else has the claim, or the coroutine runs: the exclusive monitor is set.
taken:
	CLREX

// Nothing is claimed, and the caller runs, on its stack. R12 is the face.
slow:
	MOVD R12, R0
	MOVD ·callSlowPC(SB), R8
	JMP  (R8)

// reserveText claims the coroutine of the face in R0.
TEXT ·reserveText(SB), NOSPLIT|NOFRAME, $0-0
	MOVD  face_g(R0), R1
	MOVD  face_p(R0), R0
	MOVD  pair_hub(R0), R6
	MOVD  const_gGoid(g), R8
	MOVD  hub_running(R6), R9
	CMP   R8, R9
	BNE   no
	MOVD  pair_consumer(R0), R8
	MOVD  hub_current(R6), R9
	CMP   R8, R9
	BNE   no
	CBZ   R1, no

	MOVBU  pair_floats(R0), R8
	CBZ    R8, owned
	ADD    $pair_paused, R0, R9
	MOVD   $const_claimed, R10
// Nothing is claimed. R9 is the address of the pair's word.
claim:
	LDAXRW (R9), R8
	CMPW   $const_paused, R8
	BNE    taken
	STLXRW R10, (R9), R8
	CBNZ   R8, claim
	MOVD   pair_hub(R0), R8
	CMP    R8, R6
	BNE    unclaim

// The coroutine is claimed, for the caller, who runs.
yes:
	MOVD $1, R0
	RET

// The pair is of this goroutine only. Nothing is claimed.
owned:
	MOVWU pair_paused(R0), R8
	CMPW  $const_paused, R8
	BNE   no
	MOVD  $const_claimed, R8
	MOVW  R8, pair_paused(R0)
	B     yes

// The coroutine was claimed when it had gone to another tree.
unclaim:
	MOVD  $const_paused, R8
	STLRW R8, (R9)
	B     no

// Somebody else has the claim, or the coroutine runs: the exclusive monitor is set.
taken:
	CLREX

// Nothing is claimed.
no:
	MOVD ZR, R0
	RET

// proceedText is callText after reserveText.
TEXT ·proceedText(SB), NOSPLIT|NOFRAME, $0-0
	MOVD  R0, R12
	MOVD  face_g(R0), R1
	MOVD  face_p(R0), R0
	MOVD  pair_hub(R0), R6
	MOVD  Greenlet_gp(R1), R5
	CBZ   R5, slow
	MOVD  const_gStackGuard(g), R8
	MOVD  RSP, R9
	CMP   R8, R9
	BLS   slow
	GATES
	MOVWU hub_gate(R6), R9
	ORR   R9, R8
	MOVD  const_gLockedM(g), R9
	ORR   R9, R8
	CBNZ  R8, slow
	PROCEED(nocgo, marking, claim, nocgo2, again, wait, done, refused, slow)

// The coroutine is still claimed, by reserveText. The caller runs, on its stack.
// R12 is the face.
slow:
	MOVD R12, R0
	MOVD ·proceedSlowPC(SB), R8
	JMP  (R8)

// backText pauses the coroutine of the pair in R0.
TEXT ·backText(SB), NOSPLIT|NOFRAME, $0-0
	MOVD  pair_hub(R0), R6
	MOVD  const_gGoid(g), R8
	MOVD  hub_running(R6), R9
	CMP   R8, R9
	BNE   slow
	MOVD  pair_coroutine(R0), R8
	MOVD  hub_current(R6), R9
	CMP   R8, R9
	BNE   slow
	MOVD  pair_consumer(R0), R12
	CBZ   R12, slow
	MOVD  Greenlet_hub(R12), R8
	CMP   R6, R8
	BNE   slow
	MOVD  Greenlet_gp(R12), R5
	CBZ   R5, slow
	MOVD  const_gSchedPC(R5), R8
	MOVD  $·parkedText+4(SB), R9
	CMP   R8, R9
	BNE   slow
	MOVD  const_gStackGuard(g), R8
	MOVD  RSP, R9
	CMP   R8, R9
	BLS   slow
	GATES
	MOVWU hub_gate(R6), R9
	ORR   R9, R8
	MOVD  const_gLockedM(g), R9
	ORR   R9, R8
	CBNZ  R8, slow
	MOVD  const_gM(g), R7
	MOVWU const_gStatus(R5), R8
	CMPW  $const_statusWaiting, R8
	BNE   slow
	MOVWU runtime·writeBarrier(SB), R8
	CBNZ  R8, marking
	STACK
	EXPECTED
	MOVD  R12, hub_current(R6)
	PARKBACK
	TAKE
	BECOME(nocgo, const_gSchedLR)
	LETGO
	PAUSED
	LEAVE

// Nothing is written yet. The coroutine runs, on its stack. R0 is the pair, R12 the
// consumer.
marking:
	PARKBACK
	CLAIM(claim, refused)
	EXPECTED
	MOVD  R12, hub_current(R6)
	STACK
	BECOME(nocgo2, const_gSchedLR)
	RELEASE(again, wait, done)
	PAUSED
	LEAVE

// The coroutine is written down as parked, though it runs, and the consumer has the
// thread: a scan holds the consumer. Nobody resumes the coroutine, which is not paused.
refused:
	CLREX
	MOVD ZR, const_gM(R5)

// The coroutine runs, on its stack. R0 is the pair.
slow:
	MOVD ·backSlowPC(SB), R8
	JMP  (R8)

// swapText is the switch when there is a letter.
TEXT ·swapText(SB), NOSPLIT|NOFRAME, $0-0
	MOVD R0, R5
	GATES
	CBNZ R8, slow
	MOVD const_gM(g), R7
	MOVD const_gLockedM(g), R8
	CBNZ R8, locked

// The caller runs, on its stack. Its thread, R7, has no lock of the user's, or that
// is next's now.
unlocked:
	MOVWU runtime·writeBarrier(SB), R8
	CBNZ  R8, marking
	MOVWU const_gStatus(R5), R8
	CMPW  $const_statusWaiting, R8
	BNE   slow
	PARKSWAP(park)
	TAKE
	STACK
	BECOME(nocgo, const_gSchedPC)
	LETGO
	B     left

// The thread is locked to the caller.
locked:
	DONATE(slow)
	B unlocked

// As at unlocked, and the collector marks.
marking:
	PARKSWAP(park2)
	CLAIM(claim, refused)
	STACK
	BECOME(nocgo2, const_gSchedPC)
	RELEASE(again, wait, done)

// Next runs, on its stack, and the caller may be resumed by anybody, unless it is a
// coroutine that pauses: that is published here.
left:
	CBZ   R1, go
	MOVD  $const_paused, R8
	STLRW R8, (R1)

// Next runs, on its stack, and goes on where it was parked.
go:
	RESUME

// The caller is written down as parked, though it runs, and next has the thread: a
// scan holds next.
refused:
	CLREX
	MOVD ZR, const_gM(R5)
	TAKEBACK(slow)

// The caller runs, on its stack. Next is in R5.
slow:
	MOVD R5, R0
	MOVD ·schedulerPC(SB), R8
	JMP  (R8)

// parkedText is where the scheduler, or swapText, resumes a goroutine that
// enterText or swapText has parked; a parked goroutine's pc is the address after
// the first instruction.
TEXT ·parkedText(SB), NOSPLIT|NOFRAME, $0-0
	NOOP
	MOVD ·arrivePC(SB), R8
	JMP  (R8)

// pausedText is parkedText for a coroutine that has gone back.
TEXT ·pausedText(SB), NOSPLIT|NOFRAME, $0-0
	NOOP
	MOVD ·arrivePC(SB), R8
	JMP  (R8)

// prefetchText is Prefetch of R0.
TEXT ·prefetchText(SB), NOSPLIT|NOFRAME, $0-0
	CBZ  R0, done
	MOVD Greenlet_gp(R0), R5
	CBZ  R5, done
	MOVD const_gSchedSP(R5), R6
	ADD  $const_gSchedBP, R5, R7
	PRFM (R7), PLDL1KEEP
	ADD  $const_gStatus, R5, R7
	PRFM (R7), PLDL1KEEP
	ADD  $const_gLockedM, R5, R7
	PRFM (R7), PLDL1KEEP
	ADD  $const_gProfiled, R5, R7
	PRFM (R7), PLDL1KEEP
	ADD  $const_gTrace, R5, R7
	PRFM (R7), PLDL1KEEP
	PRFM (R6), PLDL1KEEP
	ADD  $const_cacheLine, R6, R7
	PRFM (R7), PLDL1KEEP
	ADD  $const_cacheLine, R7, R7
	PRFM (R7), PLDL1KEEP

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
DATA ·swapPC+0(SB)/8, $·swapText(SB)
GLOBL ·swapPC(SB), RODATA|NOPTR, $8
DATA ·parkedPC+0(SB)/8, $·parkedText+4(SB)
GLOBL ·parkedPC(SB), RODATA|NOPTR, $8
DATA ·pausedPC+0(SB)/8, $·pausedText+4(SB)
GLOBL ·pausedPC(SB), RODATA|NOPTR, $8
DATA ·prefetchPC+0(SB)/8, $·prefetchText(SB)
GLOBL ·prefetchPC(SB), RODATA|NOPTR, $8
