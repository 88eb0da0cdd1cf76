package greenlet_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// Switch must stay inlinable: it is the switch's call in the user's own code
// that the processor learns, and a call in between would double the cost. See
// switch.go. That holds for every build, and in a user's package.
func TestSwitchIsInlined(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command: ", err)
	}
	for _, tags := range []string{"", "purego"} {
		build := func(pkg string) string {
			t.Helper()
			args := []string{"build", "-tags=" + tags, "-gcflags=-m", "-o", filepath.Join(t.TempDir(), "out"), pkg}
			out, err := exec.Command(tool, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("go %v: %v\n%s", args, err, out)
			}
			return string(out)
		}
		notes := build(".")
		for _, method := range []string{"Switch", "Throw", "Prefetch"} {
			if !regexp.MustCompile(`can inline \(\*Greenlet\)\.` + method + `\b`).MatchString(notes) {
				t.Errorf("tags %q: (*Greenlet).%s cannot be inlined", tags, method)
			}
		}
		if notes := build("./examples/basic"); !regexp.MustCompile(`inlining call to greenlet\.\(\*Greenlet\)\.Switch\b`).MatchString(notes) {
			t.Errorf("tags %q: examples/basic does not inline Switch:\n%s", tags, notes)
		}
	}
}
