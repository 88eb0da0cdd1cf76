package warnings

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// expected is what examples are warned of, as they are made for it: by their folder a
// pattern of the warning.
var expected = map[string]string{
	"sight": `W1 a circle: (books, then till|till, then books) waits|W3 1 task waits for a lock of inventory|W[45679] `,
}

// inTests is what tests of package asyncio are warned of, as it is what they are about.
var inTests = map[string]string{
	"TestCloseKillsWaiting":            `W3 `, // waits for good, until the loop is closed
	"TestDebugOwner":                   `W3 `,
	"TestWorkersHang":                  `W6 `, // its workers do
	"TestWarningOfALockHeldForLong":    `W4 `,
	"TestWarningOfASwallowedCancel":    `W8 `,
	"TestWarningOfTasksThatBecomeMore": `W9 `,
}

const root = "../.."

// A watch has programs built in which package asyncio writes down its own warnings.
type watch struct {
	t       *testing.T
	overlay string
	file    string
}

func newWatch(t *testing.T) *watch {
	t.Helper()
	dir := t.TempDir()
	w := &watch{t, filepath.Join(dir, "overlay.json"), filepath.Join(dir, "warnings")}
	added, err := filepath.Abs(filepath.Join(root, "asyncio", "zz_warnings.go"))
	require.NoError(t, err)
	with, err := filepath.Abs("testdata/watch.go.txt")
	require.NoError(t, err)
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{added: with}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.overlay, text, 0o600))
	return w
}

// run runs a command in a folder, and returns its output. The warnings are those of it alone.
func (w *watch) run(dir string, args ...string) (output string, err error) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(w.file, nil, 0o600))
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GREENLET_WARNINGS="+w.file)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err = cmd.Run()
	return text.String(), err
}

// A warning says which tests ran meanwhile, with spaces between, if it is one of a test.
type warning struct{ Program, ID, Text, Tests string }

// warnings returns what the last command was warned of, and whether anybody has looked.
func (w *watch) warnings() (all []warning, looked bool) {
	w.t.Helper()
	text, err := os.ReadFile(w.file)
	require.NoError(w.t, err)
	for line := range strings.Lines(string(text)) {
		var one warning
		require.NoError(w.t, json.Unmarshal([]byte(line), &one))
		if looked = true; one.ID != "" {
			all = append(all, one)
		}
	}
	return all, looked
}

// check fails for what is warned of and was not to be.
func (w *watch) check(example string) {
	w.t.Helper()
	all, _ := w.warnings()
	for _, one := range all {
		text := one.ID + " " + one.Text
		if want := expected[example]; want != "" && regexp.MustCompile("^(?:"+want+")").MatchString(text) {
			continue
		}
		if slices.ContainsFunc(strings.Fields(one.Tests), func(test string) bool {
			want := inTests[test]
			return example == "asyncio" && want != "" && regexp.MustCompile("^(?:"+want+")").MatchString(text)
		}) {
			continue
		}
		if one.ID == "W11" && os.Getenv("GREENLET_BACKEND") == "generic" {
			continue
		}
		assert.Fail(w.t, "warned of "+example, "%s (%s %s)", text, one.Program, one.Tests)
	}
}

// The watch itself: a program that hangs is warned of, so silence means something.
func TestWatch(t *testing.T) {
	w := newWatch(t)
	output, err := w.run("stuck", "go", "run", "-overlay", w.overlay, ".")
	require.NoError(t, err, output)
	all, looked := w.warnings()
	assert.True(t, looked)
	require.NotEmpty(t, all, output)
	assert.Equal(t, "W3", all[0].ID)
}

// Programs that need nothing but this module, as "make demo" runs them.
func TestExamples(t *testing.T) {
	w := newWatch(t)
	programs := t.TempDir()
	output, err := w.run(root, "go", "build", "-overlay", w.overlay, "-o", programs+string(filepath.Separator), "./examples/...")
	require.NoError(t, err, output)
	all, err := os.ReadDir(programs)
	require.NoError(t, err)
	require.Greater(t, len(all), 25)
	seen := 0
	for _, program := range all {
		name := program.Name()
		t.Run(name, func(t *testing.T) {
			w.t = t
			output, err := w.run(filepath.Join(root, "examples", name), filepath.Join(programs, name))
			require.NoError(t, err, output)
			w.check(name)
			if _, looked := w.warnings(); looked {
				seen++
			}
		})
	}
	assert.Greater(t, seen, 15, "most have a loop, and are looked at")
}

// The tests of package asyncio and of what is made of it, but for one that waits for what a
// loop does when nobody comes to it.
func TestTestsOfAsyncio(t *testing.T) {
	if testing.Short() {
		t.Skip("some minutes")
	}
	w := newWatch(t)
	output, err := w.run(root, "go", "test", "-count=1", "-short", "-vet=off", "-skip", "^TestInterrupts$", "-overlay", w.overlay, "./asyncio/...")
	require.NoError(t, err, output)
	_, looked := w.warnings()
	assert.True(t, looked)
	w.check("asyncio")
}

// The tests of the examples, and of the programs that need more: what that is they say themselves,
// or they skip what they lack.
func TestTestsOfExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("some minutes")
	}
	w := newWatch(t)
	folders, err := filepath.Glob(filepath.Join(root, "examples", "*", "go.mod"))
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	test := func(t *testing.T, name, dir, packages string) {
		w.t = t
		start := time.Now()
		output, err := w.run(dir, "go", "test", "-count=1", "-short", "-vet=off", "-overlay", w.overlay, packages)
		require.NoError(t, err, output)
		t.Log(time.Since(start).Round(time.Second))
		w.check(name)
	}
	t.Run("own", func(t *testing.T) { test(t, "own", root, "./examples/...") })
	for _, mod := range folders {
		dir := filepath.Dir(mod)
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) { test(t, name, dir, "./...") })
	}
}
