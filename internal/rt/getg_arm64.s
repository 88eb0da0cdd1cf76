//go:build gc && !purego

#include "textflag.h"

// getgText returns the running g: its register-based form, R28 into R0.
// It is entered through a func value made from getgPC and so needs no wrapper.
TEXT ·getgText(SB), NOSPLIT|NOFRAME, $0-0
	MOVD g, R0
	RET

DATA ·getgPC+0(SB)/8, $·getgText(SB)
GLOBL ·getgPC(SB), RODATA|NOPTR, $8
