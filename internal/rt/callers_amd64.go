//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package rt

// parkedReturn is the return address that lies under the stack pointer of a
// goroutine which the switch parked.
func parkedReturn(g G) uintptr { return load(g.SP()) }
