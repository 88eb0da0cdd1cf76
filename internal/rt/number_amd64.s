//go:build gc && !purego

#include "textflag.h"

// func addressOfG() uintptr
// The assembler knows where g is.
TEXT ·addressOfG(SB), NOSPLIT, $0-8
	MOVQ TLS, CX
	MOVQ 0(CX)(TLS*1), AX
	MOVQ AX, ret+0(FP)
	RET
