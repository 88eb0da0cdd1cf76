//go:build !purego && !race

package greenlet_test

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// TestProfileAtEveryInstruction holds I12: a child is stepped through switches
// of every kind, a profiler's signal arrives before each instruction of the
// assembly, and no sample may mix two stacks or end too early.
func TestProfileAtEveryInstruction(t *testing.T) {
	needsAssembly(t)
	for _, way := range []string{"values", "coroutines", "letters"} {
		t.Run(way, func(t *testing.T) {
			var places map[uint64]bool
			var stacks [][]string
			for try := 0; len(places) < 100; try++ {
				if try == 10 {
					t.Fatal("few instructions were stepped through")
				}
				places, stacks = steppedThrough(t, way)
			}
			samples := 0
			for _, stack := range stacks {
				if leaf := stack[0]; !strings.HasSuffix(leaf, "Text") || leaf == "getgText" {
					continue
				}
				samples++
				onMain := slices.Contains(stack, "stepMain")
				if onMain && stack[len(stack)-1] != "main" || !onMain && !endsInCarry(stack) {
					t.Errorf("a sample is of no one stack: %q", stack)
				}
			}
			if samples == 0 {
				t.Fatal("no sample of the switch")
			}
			t.Logf("%d instructions, samples of %d stacks", len(places), samples)
		})
	}
}

// steppedThrough runs a child that switches in a way, under a profiler's signal
// before each instruction of the assembly. It returns these instructions'
// addresses and the samples.
func steppedThrough(t *testing.T, way string) (places map[uint64]bool, stacks [][]string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "samples"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	child := exec.Command(self)
	child.Env = append(os.Environ(), sceneVar+"=step "+way, "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1")
	child.Stdout, child.Stderr = out, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}

	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	if err := child.Start(); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		t.Skip("processes cannot be traced here: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	tracer := stepper{t: t, pid: child.Process.Pid, places: make(map[uint64]bool)}
	tracer.at = func(tid int, regs *syscall.PtraceRegs) { tracer.interrupt(tid, regs.Rip) }
	defer child.Process.Kill()
	tracer.run()

	data, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		stacks = append(stacks, strings.Fields(line))
	}
	return tracer.places, stacks
}

// A stepper traces a child. While the child asks for it, by a signal, it steps through
// the assembly, on whichever thread that is run: the child has one processor.
// Everything else runs to the next entry of the assembly, where there is a breakpoint:
// in Go's scheduler alone a switch takes thousands of instructions.
type stepper struct {
	t      *testing.T
	pid    int
	places map[uint64]bool
	at     func(tid int, regs *syscall.PtraceRegs) // is called before each instruction of the assembly

	slide   uintptr         // of a position-independent executable
	entries map[uint64]byte // of the assembly, and what is there without a breakpoint
	armed   bool            // the breakpoints are there
	wanted  bool            // the child has asked for steps
}

const (
	stepsBegin = syscall.SIGUSR1
	stepsEnd   = syscall.SIGUSR2
)

// must is for the system calls of a tracer, which fail for one reason only: the
// child has gone.
func (s *stepper) must(err error) {
	if err != nil {
		s.t.Helper()
		s.t.Fatal("the child cannot be traced any more: ", err)
	}
}

// wait waits for any of the child's threads, or for one. It leaves other
// children of this process alone.
func (s *stepper) wait(tid int) (int, syscall.WaitStatus) {
	var status syscall.WaitStatus
	for {
		got, err := syscall.Wait4(tid, &status, syscall.WALL|syscall.WNOTHREAD, nil)
		if !errors.Is(err, syscall.EINTR) {
			s.must(err)
			return got, status
		}
	}
}

func (s *stepper) run() {
	s.wait(s.pid)
	s.slide = loadAddress(s.t, s.pid) - loadAddress(s.t, os.Getpid())
	s.findEntries()
	s.must(syscall.PtraceSetOptions(s.pid, syscall.PTRACE_O_TRACECLONE))
	s.must(syscall.PtraceCont(s.pid, 0))
	for inside := 0; ; { // the thread that is in the assembly, or 0
		tid, status := s.wait(-1)
		if !status.Stopped() {
			if tid != s.pid {
				continue
			}
			if status.ExitStatus() != 0 {
				s.t.Fatalf("the child has ended with %v", status)
			}
			return
		}
		signal := status.StopSignal()
		switch {
		case signal == stepsBegin, signal == stepsEnd:
			s.wanted = signal == stepsBegin
			s.arm(tid, s.wanted)
			signal = 0
		case signal == syscall.SIGTRAP && status.TrapCause() == 0:
			var regs syscall.PtraceRegs
			s.must(syscall.PtraceGetRegs(tid, &regs))
			// Who does no steps has come to a breakpoint, also if that is no longer there:
			// the end of the steps may have been told first, of another thread.
			if s.entries[regs.Rip-1] != 0 && tid != inside {
				regs.Rip--
				s.must(syscall.PtraceSetRegs(tid, &regs))
				s.arm(tid, false)
			}
			if s.wanted && textAt(uintptr(regs.Rip)-s.slide) != nil {
				s.places[regs.Rip] = true
				s.at(tid, &regs)
				inside = tid
			} else {
				s.arm(tid, s.wanted)
				inside = 0
			}
			signal = 0
		case signal == syscall.SIGTRAP, signal == syscall.SIGSTOP:
			signal = 0 // a new thread, and the clone that has made it
		case signal == syscall.SIGPROF && tid == inside:
			signal = 0 // at this pace the next one would come before it is done
		}
		if tid == inside {
			s.step(tid, signal)
		} else {
			s.must(syscall.PtraceCont(tid, int(signal)))
		}
	}
}

// textAt returns the function of the assembly that has the instruction at pc, or nil.
func textAt(pc uintptr) *runtime.Func {
	f := runtime.FuncForPC(pc)
	if f == nil || !strings.HasPrefix(f.Name(), module+".") || !strings.HasSuffix(f.Name(), "Text") {
		return nil
	}
	return f
}

// findEntries finds where the functions of the assembly begin, which lie side by side.
func (s *stepper) findEntries() {
	s.entries = make(map[uint64]byte)
	was := make([]byte, 1)
	parked, _ := greenlet.PlacesOfParks()
	for _, toward := range []int{-1, 1} {
		for pc := uintptr(parked); ; pc = uintptr(int(pc) + toward) {
			f := textAt(pc)
			if f == nil {
				break
			}
			at := f.Entry() + s.slide
			_, err := syscall.PtracePeekText(s.pid, at, was)
			s.must(err)
			s.entries[uint64(at)] = was[0]
		}
	}
}

// arm puts the breakpoints in their places, or takes them away.
func (s *stepper) arm(tid int, armed bool) {
	if s.armed == armed {
		return
	}
	s.armed = armed
	for at, code := range s.entries {
		if armed {
			code = 0xCC
		}
		_, err := syscall.PtracePokeText(tid, uintptr(at), []byte{code})
		s.must(err)
	}
}

// loadAddress returns where a process that runs this test's program has it.
func loadAddress(t *testing.T, pid int) uintptr {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		if strings.HasSuffix(line, self+"\n") {
			first, _, _ := strings.Cut(line, "-")
			addr, err := strconv.ParseUint(first, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			return uintptr(addr)
		}
	}
	t.Fatalf("%s is not in\n%s", self, maps)
	return 0
}

// step is syscall.PtraceSingleStep with a signal.
func (s *stepper) step(tid int, signal syscall.Signal) {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, syscall.PTRACE_SINGLESTEP, uintptr(tid), 0, uintptr(signal), 0, 0); errno != 0 {
		s.must(errno)
	}
}

// interrupt has the thread handle a profiler's signal before the instruction at
// pc, and waits until it is back there: at a breakpoint.
func (s *stepper) interrupt(tid int, pc uint64) {
	breakpoint, was := []byte{0xCC}, make([]byte, 1)
	poke := func(code []byte) {
		_, err := syscall.PtracePokeText(tid, uintptr(pc), code)
		s.must(err)
	}
	_, err := syscall.PtracePeekText(tid, uintptr(pc), was)
	s.must(err)
	poke(breakpoint)
	for signal := syscall.SIGPROF; signal != syscall.SIGTRAP; {
		s.must(syscall.PtraceCont(tid, int(signal)))
		_, status := s.wait(tid)
		signal = status.StopSignal()
	}
	poke(was)
	var regs syscall.PtraceRegs
	s.must(syscall.PtraceGetRegs(tid, &regs))
	regs.Rip = pc
	s.must(syscall.PtraceSetRegs(tid, &regs))
}

func init() {
	for way, act := range stepWays {
		scenes["step "+way] = func(main *greenlet.Greenlet) {
			var profile bytes.Buffer
			if err := pprof.StartCPUProfile(&profile); err != nil {
				panic(err)
			}
			stepMain(main, act)
			pprof.StopCPUProfile()
			p, err := parseProfile(&profile)
			if err != nil {
				panic(err)
			}
			for _, stack := range p.stacks() {
				fmt.Println(strings.Join(stack, " "))
			}
		}
	}
}

// stepMain is in the stack of the main greenlet only.
//
//go:noinline
func stepMain(main *greenlet.Greenlet, act func(main *greenlet.Greenlet)) { act(main) }

// stepping asks the tracer to step through f.
func stepping(f func()) {
	syscall.Tgkill(os.Getpid(), syscall.Gettid(), stepsBegin)
	f()
	syscall.Tgkill(os.Getpid(), syscall.Gettid(), stepsEnd)
}

var stepWays = map[string]func(main *greenlet.Greenlet){
	"values":     stepValues,
	"coroutines": stepCoroutines,
	"letters": func(main *greenlet.Greenlet) {
		runtime.LockOSThread() // or the scheduler would let it go on on another
		stepLetters(main)
	},
}

func stepValues(main *greenlet.Greenlet) {
	g := greenlet.New(func(any) (any, error) {
		for {
			main.Switch(nil)
		}
	})
	g.Switch(nil)
	g.Switch(nil)
	stepping(func() {
		for range 5 {
			g.Switch(1)
		}
	})
	g.Kill()
}

func stepCoroutines(*greenlet.Greenlet) {
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		for yield(1) {
		}
	})
	defer stop()
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
		for {
			n = c.Yield(n)
		}
	})
	defer c.Close()
	push, end := greenlet.Push(func(seq iter.Seq[int]) {
		for range seq {
		}
	})
	defer end()
	for range 2 {
		next()
		c.Resume(1)
		push(1)
	}
	stepping(func() {
		for range 5 {
			next()
			c.Resume(1)
			push(1)
		}
	})
}

// stepLetters switches to those whom the scheduler has parked, in frames of the
// runtime's, and to those whom the switch has parked.
func stepLetters(main *greenlet.Greenlet) {
	stepping(func() {
		g := greenlet.New(func(any) (any, error) { return main.Switch(nil) })
		g.Switch(nil)
		g.Kill()
		g = greenlet.New(func(any) (any, error) { panic("a letter") })
		panicOf(func() { g.Switch(nil) })
	})
}
