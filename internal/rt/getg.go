//go:build gc && !purego && (amd64 || arm64)

package rt

import "unsafe"

// getgText is assembly and never called by its name: the prototype is here for
// vet and for the linker.
func getgText()

var _ = getgText

// getgPC holds the address of getgText; the assembly file fills it in.
var getgPC uintptr

var getgPtr = &getgPC

// getg returns the running goroutine's g. A func value is a pointer to a word
// that holds the code's address, so this one enters the assembly with the
// registers of Go's internal calling convention and costs one indirect call.
//
// SAFETY: the assembly changes no register but the result's.
var getg = *(*func() G)(unsafe.Pointer(&getgPtr))
