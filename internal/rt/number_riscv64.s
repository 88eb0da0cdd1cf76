//go:build gc && !purego

#include "textflag.h"

// func addressOfG() uintptr
// The assembler knows where g is.
TEXT ·addressOfG(SB), NOSPLIT, $0-8
	MOV g, X10
	MOV X10, ret+0(FP)
	RET
