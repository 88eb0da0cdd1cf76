package debuggers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
)

// dlv runs commands of delve, at path, on a program, and returns what it prints.
func dlv(t *testing.T, path, program string, commands ...string) string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte(strings.Join(append(commands, "exit"), "\n")+"\n"), 0o600))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "exec", "--check-go-version=false", "--allow-non-terminal-interactive=true", "--init", script, program)
	cmd.Env = append(os.Environ(), "TERM=dumb", "ASYNCIOLABELS=1", "XDG_CONFIG_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// build skips the test where no debugger is, and builds the program that they look at.
func build(t *testing.T) (program string) {
	t.Helper()
	if greenlet.Backend().Name != "assembly" {
		t.Skip("there the state is another")
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("no debugger here")
	}
	program = filepath.Join(t.TempDir(), "target")
	run(t, "go", "build", "-gcflags=./...=-N -l", "-o", program, "./target")
	return program
}

// run runs a command and returns what it prints.
func run(t *testing.T, command string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, command, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// What docs/sight.md says of gdb, whose stacks go through an assembly frame as others.
func TestGDB(t *testing.T) {
	program := build(t)
	gdb, err := exec.LookPath("gdb")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("no gdb here")
	}
	require.NoError(t, err)
	script := filepath.Join(strings.TrimSpace(run(t, "go", "env", "GOROOT")), "src", "runtime", "runtime-gdb.py")
	said := run(t, gdb, "-q", "-nx", "-batch", "-ex", "source "+script, "-ex", "break main.look", "-ex", "run",
		"-ex", "info goroutines", "-ex", "goroutine all bt 12", program)
	list, stacks, _ := strings.Cut(said, "#0 ")
	assert.GreaterOrEqual(t, len(regexp.MustCompile(`(?m)^\s+\d+ waiting  github\.com/go-greenlet/greenlet\.parkedText$`).FindAllString(list, -1)), 2, said)
	for _, body := range []string{"main.pause", "main.answer"} {
		assert.Regexp(t, `(?m)greenlet\.parkedText \((?:.*\n#[1-9].*)*in `+regexp.QuoteMeta(body)+` \((?:.*\n#[0-9].*)*\(\*carrier\)\.serve`, "#0 "+stacks)
	}
}

// What docs/sight.md says of delve.
func TestDelve(t *testing.T) {
	program := build(t)
	debugger := filepath.Join(t.TempDir(), "dlv")
	run(t, "go", "build", "-o", debugger, "github.com/go-delve/delve/cmd/dlv")
	said := dlv(t, debugger, program, "break main.look", "continue", "goroutines -t 20", "goroutines -with label task=answerer")
	list, labelled, _ := strings.Cut(said, " goroutines]\n")
	blocks := regexp.MustCompile(`(?m)^[* ] Goroutine `).Split(list, -1)
	for _, calls := range [][]string{
		{"greenlet.parkedText", "greenlet.(*Greenlet).Switch", "main.pause", "greenlet.(*carrier).serve"},
		{"greenlet.parkedText", "greenlet/asyncio.(*Event).Wait", "main.answer", "greenlet.(*carrier).serve"},
	} {
		found := 0
		for _, block := range blocks {
			if !strings.Contains(block, " in "+calls[2]+"\n") {
				continue
			}
			found++
			head, stack, _ := strings.Cut(block, "\n")
			assert.Contains(t, head, "[coroutine]")
			for _, call := range calls {
				at := strings.Index(stack, call+"\n")
				require.GreaterOrEqual(t, at, 0, "%s in\n%s", call, block)
				stack = stack[at:]
			}
		}
		assert.Equal(t, 1, found, "%s in\n%s", calls[2], said)
	}
	assert.Contains(t, labelled, "[1 goroutines]")
	assert.Contains(t, labelled, "[coroutine]")
}
