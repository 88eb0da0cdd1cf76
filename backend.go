package greenlet

import (
	"fmt"
	"os"
	"runtime"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// BackendInfo tells which switch a program uses.
type BackendInfo struct {
	Name   string // "assembly" or "generic"
	Go     string // the Go release that built the program
	Layout string // the release whose runtime layout is used, as "go1.26"; "" for none
	Reason string // why this backend
}

// String is Name and Reason in one line.
func (b BackendInfo) String() string {
	return fmt.Sprintf("%s (%s, %s/%s): %s", b.Name, b.Go, runtime.GOOS, runtime.GOARCH, b.Reason)
}

var backend = BackendInfo{
	Name:   "generic",
	Go:     runtime.Version(),
	Reason: "this build has no assembly switch (it is for linux on amd64 and arm64, Go 1.25 to 1.27, without -race, -msan, -asan and the tag purego)",
}

// Backend tells which switch the program uses and why. The choice is made when
// the program starts: the assembly where it is built in and the runtime passes
// a self-check, else the generic switch, which does the same more slowly. The
// environment variable GREENLET_BACKEND=generic asks for the generic one.
// Nothing is printed; a program that needs the speed can test for it.
//
// Any goroutine may call it; it does not switch.
func Backend() BackendInfo {
	b := backend
	if rt.Fast {
		b.Layout = rt.LayoutGo
	}
	return b
}

// backendVar is the environment variable that forces the generic backend.
const backendVar = "GREENLET_BACKEND"

// mayUseAssembly decides at start whether an assembly switch that is built in
// may be used.
func mayUseAssembly() (bool, string) {
	switch want := os.Getenv(backendVar); {
	case want == "generic":
		return false, "the environment variable " + backendVar + " asks for it"
	case !rt.Fast:
		return false, rt.Reason
	}
	return true, "the self-check passed with the layout of " + rt.LayoutGo
}
