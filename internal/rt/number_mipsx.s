//go:build gc && !purego && (mips || mipsle)

#include "textflag.h"

// func addressOfG() uintptr
// The assembler knows where g is.
TEXT ·addressOfG(SB), NOSPLIT, $0-4
	MOVW g, R1
	MOVW R1, ret+0(FP)
	RET
