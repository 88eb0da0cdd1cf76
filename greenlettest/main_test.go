package greenlettest

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
)

// sceneVar is the environment variable that makes this program one of scenes: a package
// whose tests leave what the scene says.
const sceneVar = "GREENLETTEST_SCENE"

func TestMain(m *testing.M) {
	if s, ok := scenes[os.Getenv(sceneVar)]; ok {
		os.Exit(exitCode(s.tests, os.Stderr, s.patience))
	}
	Main(m)
}

// tests is what Main runs: a function that returns the exit code.
type tests func() int

func (f tests) Run() int { return f() }

var scenes = map[string]struct {
	tests    tests
	patience time.Duration
	code     int
	says     string
}{
	"nothing is left": {func() int { return 0 }, time.Minute, 0, ""},
	"what it left has an end": {func() int {
		greenlet.New(waits).Switch(nil) // of this goroutine, whose tree is closed
		go func() { time.Sleep(time.Millisecond) }()
		return 0
	}, time.Minute, 0, ""},
	"it has failed, and that is all": {func() int {
		go func() { select {} }()
		return 3
	}, 0, 3, ""},
	"a goroutine": {func() int {
		go func() { select {} }()
		return 0
	}, 0, 1, "something lacks Close?"},
	"a greenlet of another goroutine": {func() int {
		made := make(chan bool)
		go func() {
			defer greenlet.Close()
			g := greenlet.New(waits)
			g.Switch(nil)
			close(made)
			select {}
		}()
		<-made
		return 0
	}, 0, 1, "something lacks Close?"},
}

func waits(any) (any, error) { return greenlet.Current().Parent().Switch(nil) }

func TestMainOfAPackage(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no processes on " + runtime.GOOS)
	}
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) {
			argv := append(strings.Fields(os.Getenv("TEST_EXEC")), os.Args[0]) // an emulator runs the child, too
			cmd := exec.Command(argv[0], argv[1:]...)
			cmd.Env = append(os.Environ(), sceneVar+"="+name, "GOCOVERDIR="+t.TempDir())
			var said strings.Builder
			cmd.Stderr = &said
			cmd.Run()
			assert.Equal(t, s.code, cmd.ProcessState.ExitCode(), said.String())
			if s.says == "" {
				assert.Empty(t, said.String())
			} else {
				assert.Contains(t, said.String(), "FAIL: after the tests ")
				assert.Contains(t, said.String(), s.says)
				assert.Contains(t, said.String(), "goroutine profile: ")
			}
		})
	}
}
