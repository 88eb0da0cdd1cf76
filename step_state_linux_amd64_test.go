//go:build linux && !android && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// TestStateAtEveryInstruction holds I1, I5, I6, I7 and I15 at every instruction: a
// child is stepped through switches, and before each instruction of the assembly
// its goroutines are looked at, as another thread or a signal would see them. That
// finds stores which stand in the wrong order by one, where no other test would
// come at the right moment.
//
// While the collector marks, other code does the same. The tracer has a switch go
// there, by turning its test over; and has the collector scan next just when it is
// claimed.
func TestStateAtEveryInstruction(t *testing.T) {
	needsAssembly(t)
	for name := range lookWays {
		for mode, as := range map[string]looker{"": {}, " while marking": {marking: true}, " while next is scanned": {marking: true, scanning: true}} {
			t.Run(name+mode, func(t *testing.T) {
				l := as
				l.faults = make(map[string]bool)
				l.free = !strings.Contains(name, "locked") && name != "letters"
				for try := 0; l.looks < 200; try++ {
					if try == 10 {
						t.Fatal("few instructions were looked at")
					}
					l.child(t, name)
				}
				for fault := range l.faults {
					t.Error(fault)
				}
				t.Logf("%d looks", l.looks)
			})
		}
	}
}

// A looker looks at the goroutines of a child that is stepped through.
type looker struct {
	stepper
	marking  bool
	scanning bool
	turn     bool   // the next instruction is the jump to what is done while the collector marks
	calls    int    // turns in callText or proceedText
	free     bool   // the tree is not locked to its thread
	scanned  uint64 // the g that seems to be scanned
	memory   *os.File
	tid      int
	m        uint64 // the thread's
	looks    int
	faults   map[string]bool
}

// tracees are what the child tells its tracer, addresses: they are the same in
// both, which are one program.
var tracees struct {
	gs    [4]uint64 // of goroutines
	word  uint64    // of a coroutine; or 0
	owner uint64    // the coroutine's g
}

func (l *looker) child(t *testing.T, way string) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), sceneVar+"=look "+way, "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1", "GOGC=off")
	child.Stderr = os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	if err := child.Start(); err != nil {
		t.Skip("processes cannot be traced here: ", err)
	}
	defer child.Process.Kill()
	l.stepper = stepper{t: t, pid: child.Process.Pid, places: make(map[uint64]bool), at: l.look}
	l.tid = 0
	if l.memory, err = os.Open(fmt.Sprintf("/proc/%d/mem", child.Process.Pid)); err != nil {
		t.Skip("the memory of a traced process cannot be read here: ", err)
	}
	defer l.memory.Close()
	l.run()
}

func (l *looker) word(address uint64) uint64 {
	var b [8]byte
	_, err := l.memory.ReadAt(b[:], int64(address))
	l.must(err)
	return binary.LittleEndian.Uint64(b[:])
}

func (l *looker) half(address uint64) uint32 { return uint32(l.word(address)) }

// look looks at the child before an instruction.
func (l *looker) look(tid int, regs *syscall.PtraceRegs) {
	l.looks++
	f := runtime.FuncForPC(uintptr(regs.Rip))
	place := f.Name()[strings.LastIndexByte(f.Name(), '.')+1:]
	fault := func(format string, args ...any) {
		file, line := f.FileLine(uintptr(regs.Rip))
		l.faults[fmt.Sprintf("%s, before %s:%d: %s", place, file[strings.LastIndexByte(file, '/')+1:], line, fmt.Sprintf(format, args...))] = true
	}
	if l.marking {
		if l.turn && (place == "callText" || place == "proceedText") {
			// If next is to be scanned every second call is let through, or backText would
			// not be reached.
			l.calls++
			l.turn = !l.scanning || l.calls%2 == 0
		}
		if l.turn {
			const zero = 1 << 6 // the flag
			regs.Eflags &^= zero
			l.must(syscall.PtraceSetRegs(tid, regs))
		}
		if l.scanned != 0 {
			l.scan(tid, 0)
		} else if next := regs.Rdx; l.scanning && l.word(regs.Rip)&0xFFFF00FF == 0xB10F00F0 && l.half(next+uint64(rt.GStatus)) == rt.StatusWaiting {
			l.scanned = next
			l.scan(tid, rt.StatusScan)
		}
		code := l.word(regs.Rip)
		plain := code&0xFFFF == 0x82C7 && code>>16&0xFFFFFFFF == uint64(rt.GStatus) || code&0xFFFFFF == 0x86C741 && code>>24&0xFFFFFFFF == uint64(rt.GStatus)
		if plain && !l.scanning {
			fault("I4: a status is changed by a plain store while the collector marks")
		}
		// The one comparison of 32 bits at a fixed place with a small number is
		// that of the write barrier's switch.
		l.turn = code&0xFFFF == 0x3D83
	}
	names := [4]string{"main", "the greenlet", "the second", "the third"}
	var blocks [8]struct {
		at   uint64
		data [512]byte
	}
	field := func(g uint64, off uintptr) uint64 {
		if off+8 > 512 {
			return l.word(g + uint64(off))
		}
		for i := range blocks {
			b := &blocks[i]
			if b.at == 0 { // one read for all of a g
				b.at = g
				_, err := l.memory.ReadAt(b.data[:], int64(g))
				l.must(err)
			}
			if b.at == g {
				return binary.LittleEndian.Uint64(b.data[off:])
			}
		}
		return l.word(g + uint64(off))
	}
	own := l.word(regs.Fs_base - 8)
	if l.tid != tid {
		l.tid, l.m = tid, field(own, rt.GM)
	}
	gs := l.gs()
	parked, paused := greenlet.PlacesOfParks()
	name := func(g uint64) string {
		for i, x := range gs {
			if g == x {
				return names[i]
			}
		}
		return "another goroutine"
	}
	status := func(g uint64) uint64 { return field(g, rt.GStatus) & 0xFFFF &^ rt.StatusScan }
	inStack := func(g, p uint64) bool { return field(g, rt.GStackLo) < p && p < field(g, rt.GStackHi) }

	// I6
	for who, g := range map[string]uint64{"of the thread": own, "of its m": field(l.m, rt.MCurg)} {
		if field(g, rt.GM) != l.m {
			fault("I6: the goroutine %s, %s, has not its thread", who, name(g))
		}
	}
	for _, g := range gs {
		if g == 0 {
			continue
		}
		if l.free && field(g, rt.GLockedM) != 0 {
			fault("%s is locked to a thread", name(g))
		}
		switch status(g) {
		case rt.StatusRunning:
			if field(g, rt.GM) != l.m {
				fault("I5: %s runs without a thread", name(g))
			}
		case rt.StatusWaiting:
			pc, sp, bp := field(g, rt.GSchedPC), field(g, rt.GSchedSP), field(g, rt.GSchedBP)
			if inStack(g, regs.Rsp) {
				fault("I7: %s waits, and the thread is on its stack", name(g))
			}
			if !inStack(g, sp) || !inStack(g, bp) || sp > bp {
				fault("I1: %s waits, and its stack pointers are %#x, %#x", name(g), sp, bp)
			}
			if reason := field(g, rt.GWaitReason) & 0xFF; reason != rt.WaitCoroutine {
				fault("I1: %s waits for the reason %d", name(g), reason)
			}
			if at := runtime.FuncForPC(uintptr(pc)); uintptr(pc) != parked && uintptr(pc) != paused && (at == nil || at.Name() != "runtime.gopark") {
				fault("I1: %s waits, and goes on at %#x", name(g), pc)
			}
		default:
			fault("%s has the status %d", name(g), status(g))
		}
	}
	// I15
	word, owner := l.word(addressOf(&tracees.word)), l.word(addressOf(&tracees.owner))
	if word != 0 && l.half(word) == 1 {
		if status(owner) != rt.StatusWaiting || field(owner, rt.GM) != 0 {
			fault("I15: the coroutine is paused, and has not been let go")
		} else if pc := uintptr(field(owner, rt.GSchedPC)); pc == parked {
			fault("I15: the coroutine is paused, and parked as if it were not")
		}
	}
}

// scan sets the scan bit of a goroutine that waits, or clears it.
func (l *looker) scan(tid int, bit uint32) {
	_, err := syscall.PtracePokeData(tid, uintptr(l.scanned+uint64(rt.GStatus)), binary.LittleEndian.AppendUint32(nil, rt.StatusWaiting|bit))
	l.must(err)
	if bit == 0 {
		l.scanned = 0
	}
}

func (l *looker) gs() (gs [4]uint64) {
	for i := range gs {
		gs[i] = l.word(addressOf(&tracees.gs[i]))
	}
	return gs
}

func addressOf(p *uint64) uint64 { return uint64(reflect.ValueOf(p).Pointer()) }

func init() {
	for way, act := range lookWays {
		scenes["look "+way] = func(main *greenlet.Greenlet) {
			tracees.gs[0] = uint64(greenlet.AddressOfG(main))
			act(main)
		}
	}
}

var lookWays = map[string]func(main *greenlet.Greenlet){
	"values":             lookAtValues,
	"values, locked":     func(main *greenlet.Greenlet) { runtime.LockOSThread(); lookAtValues(main) },
	"coroutine":          lookAtCoro,
	"coroutine, locked":  func(main *greenlet.Greenlet) { runtime.LockOSThread(); lookAtCoro(main) },
	"floating coroutine": lookAtPull,
	"generator":          lookAtSend,
	"oneself": func(main *greenlet.Greenlet) {
		settle(func() { waitOnce(main) }) // it has been parked before
		stepping(func() {
			for range 10 {
				main.Switch(nil)
			}
		})
	},
	"letters": func(main *greenlet.Greenlet) {
		runtime.LockOSThread() // or the scheduler would let it go on on another
		lookAtLetters(main)
	},
}

// settle has all stacks scanned, and then does what the tree has to do after a cycle of
// the collector: the next switch is not turned away for it.
func settle(act func()) {
	cycles := rt.Cycles.Load()
	runtime.GC()
	for rt.Cycles.Load() == cycles {
		runtime.Gosched()
	}
	for range 10 { // cycleEnded goes on, on the only processor
		runtime.Gosched()
		act()
	}
}

// waitOnce has main parked by the switch, and resumed.
func waitOnce(main *greenlet.Greenlet) {
	g := greenlet.New(func(any) (any, error) { return main.Switch(nil) })
	g.Switch(nil)
	g.Switch(nil)
}

func lookAtValues(main *greenlet.Greenlet) {
	g := greenlet.New(func(any) (any, error) {
		for {
			main.Switch(nil)
		}
	})
	g.Switch(nil)
	g.Switch(nil)
	tracees.gs[1] = uint64(greenlet.AddressOfG(g))
	settle(func() { g.Switch(1) })
	stepping(func() {
		for range 3 {
			g.Switch(1)
		}
	})
	g.Kill()
}

func lookAtCoro(*greenlet.Greenlet) {
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
		for {
			n = c.Yield(n)
		}
	})
	defer c.Close()
	for range 2 {
		c.Resume(1)
	}
	tracees.gs[1] = uint64(greenlet.AddressOfCoro(c))
	tracees.word, tracees.owner = uint64(greenlet.WordOfCoro(c)), tracees.gs[1]
	settle(func() { c.Resume(1) })
	stepping(func() {
		for range 6 {
			c.Resume(1)
		}
	})
}

func lookAtSend(*greenlet.Greenlet) {
	c := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
		for {
			if _, err := y.Yield(1); err != nil {
				return 0, err
			}
		}
	})
	defer c.Close()
	for range 2 {
		c.Next()
	}
	word, g := greenlet.WordOfGenerator(c)
	tracees.gs[1] = uint64(g)
	tracees.word, tracees.owner = uint64(word), tracees.gs[1]
	settle(func() { c.Send(1) })
	stepping(func() {
		for range 6 {
			c.Send(1)
		}
	})
}

func lookAtPull(*greenlet.Greenlet) {
	next, stop, addresses := greenlet.PullForTracer(func(yield func(int) bool) {
		for yield(1) {
		}
	})
	defer stop()
	for range 2 {
		next()
	}
	word, g := addresses()
	tracees.gs[1] = uint64(g)
	tracees.word, tracees.owner = uint64(word), tracees.gs[1]
	settle(func() { next() })
	stepping(func() {
		for range 6 {
			next()
		}
	})
}

// lookAtLetters resumes greenlets with a letter, which is swapText.
func lookAtLetters(main *greenlet.Greenlet) {
	g := greenlet.New(func(any) (any, error) {
		for {
			main.Switch(nil)
		}
	})
	g.Switch(nil)
	g.Switch(nil)
	tracees.gs[1] = uint64(greenlet.AddressOfG(g))
	settle(func() { g.Switch(1) })
	stepping(func() {
		for range 3 {
			greenlet.SwitchByLetter(g)
		}
	})
	g.Kill()
}
