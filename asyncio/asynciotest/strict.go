package asynciotest

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// StrictVar is the environment variable for Explore's strict mode. 1 stands for the
// command simwasm, anything else is the name of its file.
const StrictVar = "ASYNCIOTEST_STRICT"

// folder is that of the test's package.
var folder, _ = os.Getwd()

// inWasm reports whether this is the program of a strict worker.
func inWasm() bool { return runtime.GOOS == "wasip1" && os.Getenv(workerVar) != "" }

// A strictly is how the workers of strict mode are started.
type strictly struct {
	runner, program, dir string
}

// newStrictly builds the test's program for wasip1.
func newStrictly() (*strictly, error) {
	runner := os.Getenv(StrictVar)
	if runner == "1" {
		var err error
		if runner, err = exec.LookPath("simwasm"); err != nil {
			return nil, errors.New("there is no command simwasm; this installs it: go install github.com/go-greenlet/greenlet/tools/simwasm@latest")
		}
	}
	dir, err := os.MkdirTemp("", "asynciotest")
	if err != nil {
		return nil, err
	}
	s := &strictly{runner, filepath.Join(dir, "test.wasm"), dir}
	args := []string{"test", "-c", "-o", s.program}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, set := range info.Settings {
			if set.Key == "-tags" {
				args = append(args, "-tags="+set.Value)
			}
		}
	}
	build := exec.Command("go", append(args, ".")...)
	build.Dir = folder
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS="+withoutRace(os.Getenv("GOFLAGS")))
	if out, err := build.CombinedOutput(); err != nil {
		s.remove()
		return nil, fmt.Errorf("the test cannot be built for wasip1: %w\n%s", err, out)
	}
	return s, nil
}

func withoutRace(flags string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(" "+flags+" ", " -race ", " ")), " ")
}

func (s *strictly) remove() { os.RemoveAll(s.dir) }

// command returns what a worker is. Its arguments and environment are in the program's
// memory, so they are those that the test itself makes use of: the same ones make the
// same run.
func (s *strictly) command(x *exploration, call int) *exec.Cmd {
	args := []string{s.program, "-test.run=" + pattern(x.t.Name()), "-test.timeout=0"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	flag.Visit(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	c := exec.Command(s.runner, append(args, flag.Args()...)...)
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case SeedVar, SeedsVar, WorkersVar, StateVar, FailuresVar, EventsVar, "_", "OLDPWD", "SHLVL", "PWD":
		default:
			c.Env = append(c.Env, e)
		}
	}
	c.Env = append(c.Env, workerVar+"="+workerName(call, x.t.Name()), "PWD="+folder)
	return c
}

// read reads what the worker's programs say, each of which says what any worker does, to
// the runner's word that it has ended; the last reply is the answer.
func (s *strictly) read(w *worker, lines *bufio.Reader, answers chan<- answer) {
	answers <- answer{w, &reply{Ready: true}}
	var last *reply
	for {
		line, err := lines.ReadString('\n')
		if text, ok := strings.CutPrefix(line, mark); ok {
			var r reply
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				panic(err)
			}
			switch {
			case !r.Ended:
				last = &r
			case last == nil || last.Ready: // it has not come to Explore, or has died
				w.cmd.Process.Kill()
			default:
				answers <- answer{w, last}
				last = nil
			}
			continue
		}
		if err != nil {
			answers <- answer{w, nil}
			return
		}
		w.output.Write([]byte(line))
	}
}
