//go:build !wasm

// A wasm program cannot start the go command that most of these tests need.

package rt_test

import (
	"bytes"
	"go/build"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-greenlet/greenlet/internal/rt/layoutgen/layout"
)

// TestLayoutTables reads every table again from the toolchain it names and
// compares. Without CI=true, or with -short, it is the running toolchain's table
// alone: the others take downloads and minutes.
func TestLayoutTables(t *testing.T) {
	running := layout.Release(runningVersion())
	for _, release := range layout.Releases {
		version, err := layout.RecordedVersion(readTable(t, release, layout.Arches[0]))
		if err != nil {
			t.Fatal(err)
		}
		// The architectures share one search for the toolchain.
		find := sync.OnceValues(func() (layout.Toolchain, error) { return layout.Find(version) })
		for _, arch := range layout.Arches {
			t.Run(release+"/"+arch, func(t *testing.T) {
				if (testing.Short() || !onCI) && (release != running || arch != runtime.GOARCH) {
					t.Skip("not the running toolchain's table, which only CI=true asks for")
				}
				t.Parallel()
				tc, err := find()
				if err != nil {
					skipUnlessCI(t, err)
				}
				compare(t, layout.FileName(release, arch), regenerate(t, tc, arch), readTable(t, release, arch))
			})
		}
	}
}

// TestLayoutOfRunningToolchain holds the table against the toolchain that runs
// the tests. It is often another patch of the release than the one the table
// was read from, and all patches share the table.
func TestLayoutOfRunningToolchain(t *testing.T) {
	version := runningVersion()
	release := layout.Release(version)
	if !slices.Contains(layout.Releases, release) {
		t.Skipf("%s has no table", runtime.Version())
	}
	if !slices.Contains(layout.Arches, runtime.GOARCH) {
		t.Skipf("%s has no table", runtime.GOARCH)
	}
	t.Parallel()
	tc, err := layout.Find(version)
	if err != nil {
		skipUnlessCI(t, err)
	}
	committed := readTable(t, release, runtime.GOARCH)
	recorded, err := layout.RecordedVersion(committed)
	if err != nil {
		t.Fatal(err)
	}
	if recorded == version {
		t.Skipf("%s is what the table was read from: TestLayoutTables compares it", version)
	}
	got := bytes.Replace(regenerate(t, tc, runtime.GOARCH),
		[]byte("GOVERSION="+version+" "), []byte("GOVERSION="+recorded+" "), 1)
	compare(t, layout.FileName(release, runtime.GOARCH), got, committed)
}

func TestLayoutNone(t *testing.T) {
	want, err := os.ReadFile(layout.NoneFileName)
	if err != nil {
		t.Fatal(err)
	}
	got, err := layout.NoneSource()
	if err != nil {
		t.Fatal(err)
	}
	compare(t, layout.NoneFileName, got, want)
}

// TestLayoutChoice checks that each build takes exactly one of the layout
// files, and which. Two would not compile, nor would none.
func TestLayoutChoice(t *testing.T) {
	first := minor(t, layout.Releases[0])
	last := minor(t, layout.Releases[len(layout.Releases)-1])
	for _, goos := range []string{"linux", "darwin", "freebsd", "windows", "js"} {
		for _, arch := range []string{"amd64", "arm64", "386", "riscv64", "wasm"} {
			for _, compiler := range []string{"gc", "gccgo"} {
				for _, tag := range []string{"", "purego", "greenlet_untested_go"} {
					for m := first - 1; m <= last+2; m++ {
						ctx := build.Context{GOOS: goos, GOARCH: arch, Compiler: compiler, BuildTags: []string{tag}}
						for i := 1; i <= m; i++ {
							ctx.ReleaseTags = append(ctx.ReleaseTags, "go1."+strconv.Itoa(i))
						}
						taken := m
						if tag == "greenlet_untested_go" {
							taken = min(m, last)
						}
						want := layout.NoneFileName
						if slices.Contains(layout.Arches, arch) && compiler == "gc" &&
							tag != "purego" && first <= taken && taken <= last {
							want = layout.FileName("go1."+strconv.Itoa(taken), arch)
						}
						if got := chosen(t, ctx); !slices.Equal(got, []string{want}) {
							t.Errorf("%s/%s, %s, go1.%d, tag %q: takes %v, want %s", goos, arch, compiler, m, tag, got, want)
						}
					}
				}
			}
		}
	}
}

// chosen returns the layout files that a build takes.
func chosen(t *testing.T, ctx build.Context) []string {
	t.Helper()
	files, err := filepath.Glob("layout_*.go")
	if err != nil {
		t.Fatal(err)
	}
	var taken []string
	for _, f := range files {
		match, err := ctx.MatchFile(".", f)
		if err != nil {
			t.Fatal(err)
		}
		if match && !strings.HasSuffix(f, "_test.go") {
			taken = append(taken, f)
		}
	}
	return taken
}

// runningVersion returns the version of the toolchain that built the test,
// without the experiments that may follow it.
func runningVersion() string {
	version, _, _ := strings.Cut(runtime.Version(), " ")
	return version
}

func minor(t *testing.T, release string) int {
	t.Helper()
	m, err := strconv.Atoi(strings.TrimPrefix(release, "go1."))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var onCI = os.Getenv("CI") == "true"

// skipUnlessCI skips for want of a toolchain, but not where nobody would
// notice that the test never runs.
func skipUnlessCI(t *testing.T, err error) {
	t.Helper()
	if onCI {
		t.Fatal(err)
	}
	t.Skip(err)
}

func readTable(t *testing.T, release, arch string) []byte {
	t.Helper()
	source, err := os.ReadFile(layout.FileName(release, arch))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func regenerate(t *testing.T, tc layout.Toolchain, arch string) []byte {
	t.Helper()
	table, err := tc.Probe(arch)
	if err != nil {
		t.Fatal(err)
	}
	source, err := table.Source()
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// compare reports the lines in which a file differs from what the generator
// writes.
func compare(t *testing.T, name string, got, committed []byte) {
	t.Helper()
	if bytes.Equal(got, committed) {
		return
	}
	t.Errorf("%s is not what layoutgen writes; run go run ./internal/rt/layoutgen", name)
	g, c := strings.Split(string(got), "\n"), strings.Split(string(committed), "\n")
	for i := range max(len(g), len(c)) {
		var gl, cl string
		if i < len(g) {
			gl = g[i]
		}
		if i < len(c) {
			cl = c[i]
		}
		if gl != cl {
			t.Errorf("line %d:\n\tcommitted: %s\n\tgenerated: %s", i+1, cl, gl)
		}
	}
}
