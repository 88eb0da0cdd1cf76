//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package rt

// SwitchBuilt tells that the assembly switch is part of this build. The build
// line above is the one that every file of it carries.
const SwitchBuilt = true
