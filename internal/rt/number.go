//go:build gc && !purego

package rt

import (
	"runtime/debug"
	"unsafe"
)

// Where no table fits, on other architectures and with newer releases, the number of a
// goroutine is what runtime.Stack prints, which takes longer than all else that a switch
// does. So the place of the number in a goroutine's g is looked for when the program
// starts: it is the only one where three goroutines have what is printed of them.

// addressOfG returns the address of the running goroutine's g. Assembly.
func addressOfG() uintptr

// numberAt is where the number is in a g; 0 is unknown.
var numberAt uintptr

// lookForNumber is called when the program starts, if no table fits.
func lookForNumber() { numberAt = findNumber() }

// findNumber returns where the number is in a g, or 0 if it is not the only candidate.
func findNumber() uintptr {
	const (
		words = 40 // of a g, which has more
		word  = unsafe.Sizeof(uintptr(0))
	)
	candidates := make(map[uintptr]bool)
	for at := range uintptr(words) {
		candidates[at*word] = true
	}
	look := func() {
		// What is at addressOfG is no g only if a release has done something new. Then
		// there is no candidate, at most by a fault.
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if recover() != nil {
				clear(candidates)
			}
		}()
		g, printed := addressOfG(), printedID()
		for at := range candidates {
			if numberIn(g, at) != printed {
				delete(candidates, at)
			}
		}
	}
	look()
	for range 2 {
		done := make(chan bool)
		go func() {
			look()
			close(done)
		}()
		<-done
	}
	if len(candidates) == 1 {
		for at := range candidates {
			return at
		}
	}
	return 0
}

// numberIn reads 8 bytes of the g at address g.
//
// SAFETY: the runtime keeps every g, and each is longer than what is read of it.
//
//go:nocheckptr
func numberIn(g, at uintptr) uint64 {
	address := g + at
	return **(**uint64)(unsafe.Pointer(&address))
}

// knownID returns the running goroutine's number; 0 is unknown.
func knownID() uint64 {
	if numberAt == 0 {
		return 0
	}
	return numberIn(addressOfG(), numberAt)
}
