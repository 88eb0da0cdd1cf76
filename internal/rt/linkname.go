//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package rt

import "unsafe"

// gopark parks the running goroutine. Once it is parked, unlockf is called on
// the scheduler's stack; if that answers false the goroutine runs on at once.
//
//go:linkname gopark runtime.gopark
func gopark(unlockf func(gp G, lock unsafe.Pointer) bool, lock unsafe.Pointer, reason, traceReason uint8, traceskip int)

// goready makes a goroutine that gopark or the switch has parked runnable,
// next in line on this processor.
//
//go:linkname goready runtime.goready
func goready(gp G, traceskip int)
