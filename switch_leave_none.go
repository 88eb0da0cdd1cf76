//go:build !(linux && !android && amd64 && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go))

package greenlet

// Without leaveText hot functions return as all others do.

func returns[F any](_ bool, plain F) F { return plain }

func fitsRegisters[V any]() bool { return false }

func areIntegers[V any]() bool { return false }

func hasNoPointers[V any]() bool { return false }
