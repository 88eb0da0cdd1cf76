package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The program does what no seed decides elsewhere; the same number repeats it.
func TestRepeats(t *testing.T) {
	program := filepath.Join(t.TempDir(), "habits.wasm")
	build := exec.Command("go", "build", "-o", program, "habits.go")
	build.Dir = "testdata"
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	says := func(seed int, env ...string) string {
		var out, errs bytes.Buffer
		in := strings.NewReader(fmt.Sprintf("{\"From\":%d}\n", seed))
		if err := run(t.Context(), []string{program, "a", "b"}, env, in, &out, &errs); err != nil || errs.Len() > 0 {
			t.Fatalf("%v\n%s", err, &errs)
		}
		text, ok := strings.CutSuffix(out.String(), "\n\x16asynciotest {\"Ended\":true}\n")
		if !ok {
			t.Fatalf("the end is missing: %q", out.String())
		}
		return text
	}
	first, other := strings.Split(says(1), "\n"), strings.Split(says(2), "\n")
	for i, line := range strings.Split(says(1), "\n") {
		if line != first[i] {
			t.Errorf("it was %s, and then %s", first[i], line)
		}
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "map", "select", "math/rand", "crypto/rand", "maphash", "goroutines", "net/http":
			if line == other[i] {
				t.Errorf("another number has the same: %s", line)
			}
		}
	}
	if len(first) < 10 {
		t.Error(first)
	}
}
