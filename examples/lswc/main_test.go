package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for _, program := range []string{"ls", "wc"} {
		if _, err := exec.LookPath(program); err != nil || runtime.GOOS == "windows" {
			t.Skip("there is no pipe, or no ", program)
		}
	}
	dir := t.TempDir()
	for i := range 1000 {
		name := fmt.Sprintf("file%d", i)
		if i == 500 {
			name = "a-longer-name"
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const want = `connected: 1000 files
in between: 1000 files, the longest name is a-longer-name
`
	var out strings.Builder
	if err := run(&out, dir); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
	if err := run(&out, filepath.Join(dir, "none")); err == nil {
		t.Error("ls has failed, and nobody notices")
	}
}
