// Package target builds and runs the program in testdata/target, for tests that look
// at it.
package target

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Folder returns where the program's sources are.
func Folder() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "testdata", "target")
}

var (
	mu    sync.Mutex
	dir   string
	built = make(map[string]string)
)

// Build returns the path of the program, built with these flags.
func Build(t testing.TB, flags ...string) string {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	key := strings.Join(append([]string{os.Getenv("GOARCH")}, flags...), " ")
	if built[key] != "" {
		return built[key]
	}
	if dir == "" {
		var err error
		dir, err = os.MkdirTemp("", "greenlet-target")
		require.NoError(t, err)
		require.NoError(t, os.Chmod(dir, 0o755)) // other users run it, too
	}
	path := filepath.Join(dir, fmt.Sprint("target", len(built)))
	cmd := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), ".")...)
	cmd.Dir = Folder()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	built[key] = path
	return path
}

// Clean removes what was built. TestMain calls it.
func Clean() {
	if dir != "" {
		os.RemoveAll(dir)
	}
}

// Start runs a program until the test ends, and returns its number when it is in the
// state that the arguments say.
func Start(t testing.TB, path string, args ...string) (pid int) {
	t.Helper()
	pid, _ = StartTalking(t, path, args...)
	return pid
}

// StartAndEnd is Start with a function that ends the program.
func StartAndEnd(t testing.TB, path string, args ...string) (pid int, end func()) {
	t.Helper()
	cmd, _, _ := start(t, path, args...)
	return cmd.Process.Pid, func() {
		require.NoError(t, cmd.Process.Kill())
		cmd.Wait()
	}
}

// StartTalking is Start with a function that asks the program for its own snapshot.
func StartTalking(t testing.TB, path string, args ...string) (pid int, ask func() string) {
	t.Helper()
	cmd, lines, in := start(t, path, args...)
	return cmd.Process.Pid, func() string {
		_, err := io.WriteString(in, "\n")
		require.NoError(t, err)
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		return line
	}
}

func start(t testing.TB, path string, args ...string) (*exec.Cmd, *bufio.Reader, io.Writer) {
	t.Helper()
	cmd := exec.Command(path, args...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		go io.Copy(io.Discard, out)
		cmd.Wait()
	})
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	return cmd, lines, in
}

// Line returns the line of the sources that ends with this comment.
func Line(t testing.TB, comment string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Folder(), "main.go"))
	require.NoError(t, err)
	for i, line := range strings.Split(string(text), "\n") {
		if strings.HasSuffix(line, "// "+comment) {
			return i + 1
		}
	}
	require.Fail(t, "no line", "%s", comment)
	return 0
}
