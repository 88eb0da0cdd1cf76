//go:build gc && !purego

#include "textflag.h"

// getgText returns the running g: its register-based form, R14 into AX.
// It is entered through a func value made from getgPC and so needs no wrapper.
TEXT ·getgText(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ R14, AX
	RET

DATA ·getgPC+0(SB)/8, $·getgText(SB)
GLOBL ·getgPC(SB), RODATA|NOPTR, $8
