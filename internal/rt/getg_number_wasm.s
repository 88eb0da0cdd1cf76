//go:build gc && !purego

#include "textflag.h"

// func wasmG() uintptr
TEXT ·wasmG(SB), NOSPLIT, $0-8
	MOVD g, ret+0(FP)
	RET
