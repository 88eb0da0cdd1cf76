//go:build linux && !android && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

#include "go_asm.h"
#include "textflag.h"

// The switch on arm64. The contract is in switch.go; I1 to I9 are its numbered
// invariants. This file follows switch_amd64.s line by line; only what differs
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
// pointer, R14 the return address.

// The thread-local word in which the runtime keeps g. The declaration only tells
// the assembler what kind of symbol it is.
GLOBL runtime·tls_g+0(SB), TLSBSS|DUPOK, $8

// TPIDR reads the thread's base of local storage into R8 (MRS TPIDR_EL0, R8).
#define TPIDR WORD $0xd53bd048

// SETSP is MOVD R13, RSP, spelt so that the assembler does not mark the function
// as one that cannot be unwound: the frame is empty and SP always right.
#define SETSP WORD $0x910001bf

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
	MOVD R8, const_gSchedPC(g); \
	MOVD RSP, R8; \
	MOVD R8, const_gSchedSP(g); \
	MOVD R30, const_gSchedLR(g); \
	MOVD R29, const_gSchedBP(g); \
	MOVD $const_waitCoroutine, R8; \
	MOVB R8, const_gWaitReason(g)

// BECOME leaves the old g in R11.
#define BECOME(nocgo) \
	MOVD  R5, const_mCurg(R7); \
	MOVD  g, R11; \
	MOVD  R5, g; \
	MOVBU runtime·iscgo(SB), R8; \
	CBZ   R8, nocgo; \
	TPIDR; \
	MOVD  runtime·tls_g(SB), R27; \
	MOVD  g, (R8)(R27); \
nocgo: \
	MOVD  const_gSchedSP(R5), R13; \
	MOVD  const_gSchedBP(R5), R29; \
	MOVD  const_gSchedLR(R5), R30; \
	SETSP

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
	CBNZ  R8, again

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

#define RETURN \
	MOVD R1, R0; \
	MOVD R2, R1; \
	MOVD R3, R2; \
	MOVD R4, R3; \
	JMP  (R30)

#define NOVALUE \
	MOVD ZR, R1; \
	MOVD ZR, R2; \
	MOVD ZR, R3; \
	MOVD ZR, R4

#define ENTER(nocgo) \
	MOVD const_gGoid(R5), R8; \
	MOVD R8, hub_running(R6); \
	MOVD R0, hub_current(R6); \
	PARK; \
	MOVD R7, const_gM(R5); \
	MOVD $const_statusRunning, R8; \
	MOVW R8, const_gStatus(R5); \
	BECOME(nocgo); \
	MOVD $const_statusWaiting, R8; \
	MOVW R8, const_gStatus(R11); \
	MOVD ZR, const_gM(R11); \
	RETURN

#define ENTERMARKING(refused, unscanned, claim, nocgo, again, wait, done) \
	CMP  R5, g; \
	BEQ  unscanned; \
	MOVBU const_gScanDone(g), R8; \
	CBZ  R8, unscanned; \
	PARK; \
	CLAIM(claim, refused); \
	MOVD const_gGoid(R5), R8; \
	MOVD R8, hub_running(R6); \
	MOVD R0, hub_current(R6); \
	BECOME(nocgo); \
	RELEASE(again, wait, done); \
	RETURN

#define RESUME \
	MOVD const_gSchedPC(R5), R8; \
	MOVD const_gSchedCtxt(R5), R26; \
	JMP  (R8)

// enterText is Switch.
TEXT ·enterText(SB), NOSPLIT|NOFRAME, $0-0
	CBZ  R0, slow
	MOVD Greenlet_gp(R0), R5
	CBZ  R5, slow
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
	MOVD  const_gM(g), R7
	MOVD  const_gLockedM(g), R8
	CBNZ  R8, locked

unlocked:
	MOVWU runtime·writeBarrier(SB), R8
	CBNZ  R8, marking
	MOVWU const_gStatus(R5), R8
	CMPW  $const_statusWaiting, R8
	BNE   slow
	ENTER(nocgo)

locked:
	DONATE(slow)
	B unlocked

marking:
	ENTERMARKING(refused, unscanned, claim, nocgo2, again, wait, done)

refused:
	CLREX
	MOVD ZR, const_gM(R5)

unscanned:
	TAKEBACK(slow)

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
	MOVD const_gM(g), R7
	MOVD const_gLockedM(g), R8
	CBNZ R8, locked

unlocked:
	MOVWU runtime·writeBarrier(SB), R8
	CBNZ  R8, marking
	MOVWU const_gStatus(R5), R8
	CMPW  $const_statusWaiting, R8
	BNE   slow
	ENTER(nocgo)

locked:
	DONATE(slow)
	B unlocked

marking:
	ENTERMARKING(refused, unscanned, claim, nocgo2, again, wait, done)

refused:
	CLREX
	MOVD ZR, const_gM(R5)

unscanned:
	TAKEBACK(slow)

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
	MOVWU runtime·writeBarrier(SB), R9
	ORR   R9, R8
	MOVD  const_gLockedM(g), R9
	ORR   R9, R8
	CBNZ  R8, slow

	ADD    $pair_paused, R0, R9
claim:
	LDAXRW (R9), R8
	CBZ    R8, taken
	STLXRW ZR, (R9), R10
	CBNZ   R10, claim
	MOVD   pair_hub(R0), R8
	CMP    R8, R6
	BNE    moved
	MOVWU  const_gStatus(R5), R8
	CMPW   $const_statusWaiting, R8
	BNE    moved
	MOVD   const_gM(R5), R8
	CBNZ   R8, moved
	MOVB   ZR, pair_yielded(R0)
	MOVD   const_gM(g), R7
	MOVD   R1, R0
	NOVALUE
	ENTER(nocgo)

moved:
	MOVD  $1, R8
	STLRW R8, (R9)
	B     slow

taken:
	CLREX

slow:
	MOVD R12, R0
	MOVD ·callSlowPC(SB), R8
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
	MOVD  const_gStackGuard(g), R8
	MOVD  RSP, R9
	CMP   R8, R9
	BLS   slow
	GATES
	MOVWU hub_gate(R6), R9
	ORR   R9, R8
	MOVWU runtime·writeBarrier(SB), R9
	ORR   R9, R8
	MOVD  const_gLockedM(g), R9
	ORR   R9, R8
	CBNZ  R8, slow
	MOVWU const_gStatus(R5), R8
	CMPW  $const_statusWaiting, R8
	BNE   slow
	MOVD  const_gM(g), R7
	ADD   $pair_paused, R0, R9
	MOVD  $1, R8
	MOVB  R8, pair_yielded(R0)
	STLRW R8, (R9)
	MOVD  R12, R0
	NOVALUE
	ENTER(nocgo)

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

unlocked:
	MOVWU runtime·writeBarrier(SB), R8
	CBNZ  R8, marking
	MOVWU const_gStatus(R5), R8
	CMPW  $const_statusWaiting, R8
	BNE   slow
	PARK
	MOVD  R7, const_gM(R5)
	MOVD  $const_statusRunning, R8
	MOVW  R8, const_gStatus(R5)
	BECOME(nocgo)
	MOVD  $const_statusWaiting, R8
	MOVW  R8, const_gStatus(R11)
	MOVD  ZR, const_gM(R11)
	RESUME

locked:
	DONATE(slow)
	B unlocked

marking:
	PARK
	CLAIM(claim, refused)
	BECOME(nocgo2)
	RELEASE(again, wait, done)
	RESUME

refused:
	CLREX
	MOVD ZR, const_gM(R5)
	TAKEBACK(slow)

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
DATA ·swapPC+0(SB)/8, $·swapText(SB)
GLOBL ·swapPC(SB), RODATA|NOPTR, $8
DATA ·parkedPC+0(SB)/8, $·parkedText+4(SB)
GLOBL ·parkedPC(SB), RODATA|NOPTR, $8
DATA ·prefetchPC+0(SB)/8, $·prefetchText(SB)
GLOBL ·prefetchPC(SB), RODATA|NOPTR, $8
