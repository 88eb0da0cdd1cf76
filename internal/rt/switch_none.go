//go:build !(linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go))

package rt

import "unsafe"

// SwitchBuilt tells that the assembly switch is not part of this build.
const SwitchBuilt = false

// What park.go and slot.go offer is never called in such a build.

type Muster struct{}

func (*Muster) Expect(int)     {}
func (*Muster) Arrive()        {}
func (*Muster) Complete() bool { return true }

type Meet struct{}

func (*Meet) Reset()          {}
func (*Meet) Start()          {}
func (*Meet) StartAndReturn() {}
func (*Meet) Arrive()         {}

type Slot struct{}

func (*Slot) Set(unsafe.Pointer) bool { return false }
func (*Slot) Keep()                   {}

func Owner(G) unsafe.Pointer   { return nil }
func Hand(G, *uint32)          {}
func Ready(G)                  {}
func Callers(G, []uintptr) int { return 0 }
func tellParked()              {}
func (G) ParkedInSwitch() bool { return false }
