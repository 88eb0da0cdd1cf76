package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The command, and go vet with it as its tool, on a module of two packages: what one
// of them does is known where the other is looked at, and what was found first is
// told again.
func TestCommand(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "asyncvet")
	out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	dir, err := filepath.Abs("testdata/command")
	require.NoError(t, err)
	run := func(name string, args ...string) (string, bool) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}

	const (
		ofB = "b/b.go:15:3: GL101: a.Nap blocks the loop, in a function that asyncio.Go runs: it calls time.Sleep at a.go:13; use asyncio.Sleep(ctx, d)\n"
		ofA = "a/a.go:17:2: GL101: time.Sleep blocks the loop, in a task, as it calls asyncio.Sleep: use asyncio.Sleep(ctx, d)\n"
	)
	for range 2 { // found, and remembered
		out, fine := run(tool, "./b")
		assert.False(t, fine)
		assert.Contains(t, out, ofB)
		out, fine = run(tool, "./a")
		assert.False(t, fine)
		assert.Contains(t, out, ofA)
		out, fine = run("go", "vet", "-vettool="+tool, "./...")
		assert.False(t, fine)
		assert.Contains(t, out, ofA)
		assert.Contains(t, out, ofB)
		out, fine = run(tool, "./c")
		assert.True(t, fine, out)
		assert.Empty(t, out)
	}
	out2, fine := run(tool, "-files", "./c")
	assert.False(t, fine)
	assert.Contains(t, out2, "GL109: os.ReadFile blocks the loop")
	help, _ := run(tool, "-help")
	assert.Contains(t, help, "//asyncvet:ignore RULE REASON")
	assert.Contains(t, help, "-strict")
}

// Where go is not found there is a message, and the program fails.
func TestWithoutGo(t *testing.T) {
	if os.Getenv("ASYNCVET_MAIN") != "" {
		os.Args = []string{"asyncvet", "./..."}
		main()
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run=TestWithoutGo")
	cmd.Env = append(os.Environ(), "ASYNCVET_MAIN=1", "PATH=")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "asyncvet: go vet does not run: ")
}
