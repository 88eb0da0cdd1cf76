//go:build !wasm

// A wasm program cannot start the go command.

package layout

import (
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestGoroutineIsAlikeOnAllSystems is why the tables' build lines name no
// operating system: what they say of runtime.g holds on every one. What they
// say of runtime.m does not, which also shows that the test can see a
// difference.
func TestGoroutineIsAlikeOnAllSystems(t *testing.T) {
	if testing.Short() || os.Getenv("CI") != "true" {
		t.Skip("builds the runtime for other systems, which only CI=true asks for")
	}
	version, _, _ := strings.Cut(runtime.Version(), " ")
	tc, err := Find(version)
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range Arches {
		linux, err := tc.probeOn("linux", arch)
		if err != nil {
			t.Fatal(err)
		}
		for _, system := range []string{"freebsd", "darwin", "windows"} {
			other, err := tc.probeOn(system, arch)
			if err != nil {
				t.Fatal(err)
			}
			threads := 0
			for name, want := range linux.constants {
				got := other.constants[name]
				switch {
				case got == want:
				case strings.HasPrefix(name, "M"):
					threads++
				default:
					t.Errorf("%s/%s: %s is %d, on linux %d", system, arch, name, got, want)
				}
			}
			t.Logf("%s/%s: %d fields of runtime.m differ", system, arch, threads)
			if threads == 0 && system == "windows" {
				t.Errorf("%s/%s: runtime.m is as on linux, which cannot be", system, arch)
			}
		}
	}
}
