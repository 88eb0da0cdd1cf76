package greenlet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
)

// Tests of what ends a process: the test binary runs itself as a child, which
// plays one scene, named in this variable, instead of the tests.
const sceneVar = "GREENLET_TEST_SCENE"

// scenes are what the children do. One that returns is a main that returns.
var scenes = map[string]func(main *greenlet.Greenlet){
	"recursion": func(*greenlet.Greenlet) {
		debug.SetMaxStack(1 << 20)
		greenlet.New(func(any) (any, error) { return recurse(1), nil }).Switch(nil)
	},
	"panic": func(*greenlet.Greenlet) {
		greenlet.New(panicking("ouch"), greenlet.WithName("unlucky")).Switch(nil)
	},
	"panic of a grandchild": func(main *greenlet.Greenlet) {
		greenlet.New(func(any) (any, error) {
			return greenlet.New(func(any) (any, error) {
				main.Switch(nil)
				theCulprit(errBoom)
				return nil, nil
			}).Switch(nil)
		}).Switch(nil)
		for g := range greenlet.All() {
			if g.Parent() != nil && g.Parent() != main {
				g.Switch(nil)
			}
		}
	},
	"exit": func(main *greenlet.Greenlet) {
		defer fmt.Println("main's deferred call")
		leaveSuspended(main)
		greenlet.New(func(any) (any, error) {
			defer fmt.Println("the greenlet's deferred call")
			os.Exit(7)
			return nil, nil
		}).Switch(nil)
	},
	"return": func(main *greenlet.Greenlet) {
		leaveSuspended(main)
		fmt.Println("main returns")
	},
	"backend": func(*greenlet.Greenlet) {
		fmt.Println(greenlet.New(returning("works")).Switch(nil))
		fmt.Println(greenlet.Backend())
	},
	"dump": func(main *greenlet.Greenlet) {
		leaveSuspended(main)
		greenlet.New(func(any) (any, error) {
			waitHere(main)
			return nil, nil
		}).Switch(nil)
		debug.SetTraceback("all")
		panic("dump")
	},
}

// failNow is the scene that is a test: see TestFailNowInAGreenlet.
const failNow = "failnow"

func playScene(name string) {
	scenes[name](greenlet.Current())
	os.Exit(0)
}

// leaveSuspended leaves greenlets waiting, deferred calls pending.
func leaveSuspended(main *greenlet.Greenlet) {
	for range 100 {
		g := greenlet.New(func(any) (any, error) {
			defer fmt.Println("deferred call of a suspended greenlet")
			return main.Switch(nil)
		})
		g.Switch(nil)
	}
}

//go:noinline
func recurse(n int) int {
	if n < 0 {
		return 0
	}
	return recurse(n+1) + 1
}

// An outcome is how a child has ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// has checks what a child has written, and lacks what it has not.
func (o outcome) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(o.stdout+o.stderr, text) {
			t.Errorf("it did not write %q\n%s%s", text, o.stdout, o.stderr)
		}
	}
}

func (o outcome) lacks(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(o.stdout+o.stderr, text) {
			t.Errorf("it wrote %q\n%s%s", text, o.stdout, o.stderr)
		}
	}
}

// child plays a scene and checks with which code the process ends.
func child(t *testing.T, scene string, code int, env ...string) outcome {
	t.Helper()
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no processes on " + runtime.GOOS)
	}
	if scenes[scene] == nil && scene != failNow && scene != "init" { // of TestLockOfTheRuntime
		t.Fatalf("there is no scene %q", scene)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	// An emulator that runs this program must run the child too.
	argv := append(strings.Fields(os.Getenv("TEST_EXEC")), os.Args[0], "-test.run=^TestSceneOfFailNow$")
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), sceneVar+"="+scene, "GOTRACEBACK=single", "GOCOVERDIR="+t.TempDir())
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	o := outcome{stdout: stdout.String(), stderr: stderr.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		o.code = exit.ExitCode()
	case errors.Is(err, syscall.ENOEXEC):
		t.Skip("this program is run by an emulator and cannot run itself: ", err)
	case err != nil:
		t.Fatal(err)
	}
	if o.code != code {
		t.Errorf("it ended with %d, want %d\n%s%s", o.code, code, o.stdout, o.stderr)
	}
	return o
}

// Recursion without end meets Go's own limit, with Go's own message.
func TestEndlessRecursion(t *testing.T) {
	o := child(t, "recursion", 2)
	o.has(t, "goroutine stack exceeds 1048576-byte limit", "stack overflow", ".recurse(")
}

// A panic that nobody recovers ends the process as any does: exit code 2, the
// value, and the stack of the greenlet it happened in.
func TestUnrecoveredPanic(t *testing.T) {
	o := child(t, "panic", 2)
	o.has(t, `panic in greenlet `, `"unlucky": ouch`, ".theCulprit(", "goroutine ")
	o = child(t, "panic of a grandchild", 2)
	o.has(t, `panic in greenlet `, `: boom`, ".theCulprit(")
	if n := strings.Count(o.stderr, "panic in greenlet"); n != 1 {
		t.Errorf("the panic is wrapped %d times\n%s", n, o.stderr)
	}
}

// os.Exit in a greenlet ends the process at once.
func TestExitInAGreenlet(t *testing.T) {
	child(t, "exit", 7).lacks(t, "deferred call")
}

// When main returns, suspended greenlets are gone: nothing of them runs, and
// nothing is printed.
func TestMainReturns(t *testing.T) {
	if o := child(t, "return", 0); o.stdout != "main returns\n" || o.stderr != "" {
		t.Errorf("it wrote\n%s%s", o.stdout, o.stderr)
	}
}

// The environment can force the generic backend, which then says so.
func TestBackendByEnvironment(t *testing.T) {
	o := child(t, "backend", 0, "GREENLET_BACKEND=generic")
	o.has(t, "works <nil>\n", "generic ("+runtime.Version()+", "+runtime.GOOS+"/"+runtime.GOARCH+"): ")
	if b := greenlet.Backend(); b.Name == "assembly" {
		o.has(t, "the environment variable GREENLET_BACKEND asks for it")
	}
	// And nothing else does: another value is no request.
	usual := child(t, "backend", 0, "GREENLET_BACKEND=")
	other := child(t, "backend", 0, "GREENLET_BACKEND=other")
	if usual.stdout != other.stdout {
		t.Errorf("without it\n%swith another value\n%s", usual.stdout, other.stdout)
	}
	if os.Getenv("GREENLET_BACKEND") == "" {
		usual.has(t, greenlet.Backend().String())
	}
}

// A dump of all goroutines shows where the suspended greenlets wait.
func TestDumpOfSuspendedGreenlets(t *testing.T) {
	o := child(t, "dump", 2, "GOTRACEBACK=all")
	o.has(t, "panic: dump", ".waitHere(", "goroutine ")
	if n := strings.Count(o.stderr, ".leaveSuspended.func1("); n != 100 {
		t.Errorf("%d of 100 suspended greenlets are in the dump", n)
	}
}

// The runtime still sees that nothing can go on. It looks for that only in programs
// without C code, which this one is not: package net, which testify brings, has some.
func TestDeadlock(t *testing.T) {
	if raceOn {
		t.Skip("a program with the race detector has C code")
	}
	if os.Getenv("TEST_EXEC") != "" || runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("the program would be built for the system that runs the emulator")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "deadlock")
	if err := os.WriteFile(source, []byte(deadlock), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-tags", buildTags(), "-o", program, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "all goroutines are asleep - deadlock!") {
		t.Errorf("%v\n%s", err, out)
	}
}

// deadlock is a program that waits in a greenlet for what nobody sends.
const deadlock = `package main

import "github.com/go-greenlet/greenlet"

func main() {
	greenlet.New(func(any) (any, error) { return <-make(chan int), nil }).Switch(nil)
}
`

// buildTags are the tags that this program was built with, by commas.
func buildTags() string {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return s.Value
		}
	}
	return ""
}

// t.Fatal in a greenlet fails its test, and testing has no complaint.
func TestFailNowInAGreenlet(t *testing.T) {
	o := child(t, failNow, 1)
	o.has(t, "--- FAIL: TestSceneOfFailNow", "failed in a greenlet", "cleaned up")
	o.lacks(t, "went on", "Goexit", "panic")
}

// TestSceneOfFailNow is played by the child only.
func TestSceneOfFailNow(t *testing.T) {
	if os.Getenv(sceneVar) != failNow {
		return
	}
	defer fmt.Println("cleaned up")
	defer greenlet.Close()
	greenlet.New(func(any) (any, error) {
		greenlet.New(func(any) (any, error) {
			t.Fatal("failed in a greenlet")
			return nil, nil
		}).Switch(nil)
		return nil, nil
	}).Switch(nil)
	fmt.Println("went on")
}
