//go:build gc && !purego && (mips64 || mips64le)

#include "textflag.h"

// func addressOfG() uintptr
// The assembler knows where g is.
TEXT ·addressOfG(SB), NOSPLIT, $0-8
	MOVV g, R1
	MOVV R1, ret+0(FP)
	RET
