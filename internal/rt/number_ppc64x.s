//go:build gc && !purego && (ppc64 || ppc64le)

#include "textflag.h"

// func addressOfG() uintptr
// The assembler knows where g is.
TEXT ·addressOfG(SB), NOSPLIT, $0-8
	MOVD g, R3
	MOVD R3, ret+0(FP)
	RET
