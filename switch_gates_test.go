//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet

import (
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// Every entry of the assembly must turn a switch away if any of its gates is
// closed (I2, I3, I4, I10, I15). Few gates can be closed from outside when one
// likes, and where one is missing the next entry's may do for it. So these tests
// close each by hand, at one entry, and see it turned away at just that door. It
// is opened again there.

// A door is where the switches go on that an entry turns away.
type door int

const (
	slowDoor door = iota
	letterDoor
	schedulerDoor
	callDoor
	backDoor
	proceedDoor
	allDoors
)

var doors struct {
	came   [allDoors]int
	reopen func()
	locked bool // who came was locked to the thread
	swept  bool // the collector has closed a gate, too: a cycle's end can be late
}

func (d door) pass() {
	doors.came[d]++
	doors.swept = doors.swept || self().hub.gate.has(gateSweep)
	if doors.reopen != nil { // else it is the way back
		openGate()
		doors.locked = rt.Locked()
	}
}

func openGate() {
	if reopen := doors.reopen; reopen != nil {
		doors.reopen = nil
		reopen()
	}
}

// The assembly jumps to these, so they are no closures.

func atSlow(g *Greenlet, v any, err error) (any, error) {
	slowDoor.pass()
	return slow(g, v, err)
}

func atLetter(g *Greenlet, v any, err error) (any, error) {
	letterDoor.pass()
	return byLetter(g, v, err)
}

func atScheduler(next rt.G, parked *uint32) (any, error) {
	schedulerDoor.pass()
	return byScheduler(next, parked)
}

func atCall(f *face) (any, error) {
	callDoor.pass()
	return callInGo(f)
}

func atBack(p *pair) (any, error) {
	backDoor.pass()
	return backSlow(p)
}

func atProceed(f *face) (any, error) {
	proceedDoor.pass()
	return proceedInGo(f)
}

// watchDoors puts the doors in the place of what is behind them.
func watchDoors(t *testing.T) {
	if !assembly {
		t.Skip("it is about the assembly switch: ", backend.Reason)
	}
	was := [...]uintptr{slowPC, letterPC, schedulerPC, callSlowPC, backSlowPC, proceedSlowPC}
	slowPC, letterPC, schedulerPC = standIn(enter, atSlow), standIn(resume, atLetter), standIn(swap, atScheduler)
	callSlowPC, backSlowPC = standIn(call, atCall), standIn(back, atBack)
	proceedSlowPC = standIn(proceed, atProceed)
	// No collector: nobody else has to do with these goroutines while a gate is closed.
	percent := debug.SetGCPercent(-1)
	runtime.GC()
	t.Cleanup(func() {
		slowPC, letterPC, schedulerPC, callSlowPC, backSlowPC, proceedSlowPC = was[0], was[1], was[2], was[3], was[4], was[5]
		debug.SetGCPercent(percent)
		Close()
	})
}

// A place is an entry that is about to switch.
type place struct {
	self, next rt.G
	h          *hub
	target     *Greenlet // the one that is resumed
	p          *pair     // of call and back
	face       *face     // of call
}

// at is a field of a goroutine's g, or of a thread's m.
//
// SAFETY: the offset is of the layout table.
func at[T any](g rt.G, off uintptr) *T {
	return (*T)(unsafe.Add(*(*unsafe.Pointer)(unsafe.Pointer(&g)), off))
}

func thread(g rt.G) *uintptr { return at[uintptr](g, rt.GM) }

// put stores a value and returns what puts the old one back.
func put[T any](p *T, v T) (back func()) {
	old := *p
	*p = v
	return func() { *p = old }
}

// A gate is closed by close, which returns what opens it.
type gate struct {
	name  string
	close func(at place) (open func())
}

func closes[T any](name string, field func(at place) *T, v T) gate {
	return gate{name, func(at place) func() { return put(field(at), v) }}
}

// ofRuntime are the gates that all entries have.
func ofRuntime() []gate {
	trace := func(i uintptr) gate {
		return closes("traced", func(p place) *uint32 { return at[uint32](p.self, rt.GTrace+4*i) }, 1)
	}
	gates := []gate{
		trace(0), trace(1), trace(2),
		closes("in a goroutine profile", func(p place) *uint32 { return at[uint32](p.self, rt.GProfiled) }, 2),
		{"in a bubble", func(p place) func() {
			return put(at[uintptr](p.self, rt.GBubble), *thread(p.self))
		}},
		{"next is locked to a thread", func(p place) func() {
			return put(at[uintptr](p.next, rt.GLockedM), *thread(p.self))
		}},
		scanned,
	}
	if runtime.GOARCH == "arm64" {
		gates = append(gates,
			closes("timing mode", func(p place) *bool { return at[bool](p.self, rt.GDIT) }, true),
			closes("next's timing mode", func(p place) *bool { return at[bool](p.next, rt.GDIT) }, true))
	}
	return gates
}

var (
	scanned = closes("next is scanned", func(p place) *uint32 { return at[uint32](p.next, rt.GStatus) }, rt.StatusWaiting|rt.StatusScan)
	locked  = gate{"locked to a thread", func(p place) func() {
		return put(at[uintptr](p.self, rt.GLockedM), *thread(p.self))
	}}
	callback = gate{"locked by a callback", func(p place) func() {
		m := rt.G(*(*rt.G)(unsafe.Pointer(thread(p.self))))
		return put(at[uint32](m, rt.MLockedInt), 1)
	}}
	books   = closes("not the tree's goroutine", func(p place) *uint64 { return &p.h.running }, 0)
	current = closes("not the tree's current greenlet", func(p place) *uintptr { return &p.h.current }, 0)
	asked   = gate{"a gate of the tree's", func(p place) func() {
		p.h.gate.set(1 << 31)
		return func() { p.h.gate.clear(1 << 31) }
	}}
	noEntry = closes("no registers", func(p place) *rt.G { return &p.target.gp }, rt.G{})
	inPause = gate{"paused", func(p place) func() { return put(at[uintptr](p.next, rt.GSchedPC), pausedPC) }}
)

// tries switches once with each gate closed, and once with none, and sees who turns
// the switch away. It runs no subtests: they would have goroutines of their own.
func tries(t *testing.T, name string, expected door, gates []gate, do func(close func(at place)) (v any, err error)) {
	t.Helper()
	gates = append(append([]gate{{name: "no gate is closed"}}, gates...), gate{name: "none is closed any more"})
	for i := 0; i < len(gates); i++ {
		g := gates[i]
		locked := rt.Locked()
		doors.came, doors.reopen, doors.locked, doors.swept = [allDoors]int{}, nil, locked, false
		runtime.Gosched() // or we might be preempted while the gate is closed
		v, err := do(func(at place) {
			if g.close != nil {
				doors.reopen = g.close(at)
			}
		})
		openGate()
		if v != 7 || err != nil {
			t.Errorf("%s, %s: got %v, %v", name, g.name, v, err)
		}
		if doors.swept {
			i--
			continue
		}
		if doors.locked != locked {
			t.Errorf("%s, %s: who is turned away is locked to the thread: %v, and was: %v", name, g.name, doors.locked, locked)
		}
		want := 0
		if g.close != nil {
			want = 1
		}
		if got := doors.came[expected]; got != want {
			t.Errorf("%s, %s: turned away %d times, want %d; at all doors %v", name, g.name, got, want, doors.came)
		}
	}
}

func echoes() *Greenlet {
	main := Current()
	g := New(func(v any) (any, error) {
		for {
			v, _ = main.Switch(v)
		}
	})
	g.Switch(0)
	g.Switch(0)
	return g
}

func TestGatesOfSwitch(t *testing.T) {
	entries := func(t *testing.T, gates func(more ...gate) []gate) {
		c, g := self(), echoes()
		here := place{rt.Self(), g.c.g, c.hub, g, nil, nil}
		tries(t, "enter", slowDoor, gates(books, asked, noEntry, inPause), func(close func(place)) (any, error) {
			close(here)
			return enter(g, 7, nil)
		})
		tries(t, "resume", letterDoor, gates(), func(close func(place)) (any, error) {
			c.short(g, nil)
			close(here)
			return resume(g, 7, nil)
		})
		tries(t, "swap", schedulerDoor, gates(), func(close func(place)) (any, error) {
			c.hub.letter.v = 7
			g.c.expected()
			close(here)
			return swap(g.c.g, nil)
		})
	}
	t.Run("free", func(t *testing.T) {
		watchDoors(t)
		entries(t, func(more ...gate) []gate { return append(ofRuntime(), more...) })
	})
	t.Run("locked", func(t *testing.T) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		watchDoors(t)
		entries(t, func(...gate) []gate { return []gate{scanned, callback} })
	})
}

// calls is call of a coroutine that yields.
func calls(f *face) (any, error) {
	if _, err := call(f); err != nil || !f.p.yielded {
		return nil, err
	}
	return 7, nil
}

func TestGatesOfCall(t *testing.T) {
	watchDoors(t)
	main := self()
	gates := append(ofRuntime(), locked, books, current, asked, noEntry,
		closes("no handle", func(p place) **Greenlet { return &p.face.g }, nil),
		closes("it runs", func(p place) *uint32 { return &p.p.paused }, runs),
	)
	c := NewCoro(func(c *Coro[int, int], n int) error {
		for {
			n = c.Yield(n)
		}
	})
	both := newPuller[int, struct{}](func(yield func(int) bool) {
		for yield(7) {
		}
	})
	for name, f := range map[string]*face{"coroutine": &c.face, "floating": &both.face} {
		for range 2 {
			call(f)
		}
		tries(t, name, callDoor, gates, func(close func(place)) (any, error) {
			close(place{rt.Self(), f.p.c.g, main.hub, f.g, f.p, f})
			return calls(f)
		})
	}
	c.Close()
	both.stop()
}

// reserve has no door: it refuses, and leaves the word as it was.
func TestGatesOfReserve(t *testing.T) {
	watchDoors(t)
	main := self()
	gates := []gate{books, current,
		closes("no handle", func(p place) **Greenlet { return &p.face.g }, nil),
		closes("it runs", func(p place) *uint32 { return &p.p.paused }, runs),
		closes("it is claimed", func(p place) *uint32 { return &p.p.paused }, claimed),
		closes("the pair of another tree", func(p place) **hub { return &p.p.hub }, &nowhere),
	}
	c := NewCoro(func(c *Coro[int, int], n int) error {
		for {
			n = c.Yield(n)
		}
	})
	both := newPuller[int, struct{}](func(yield func(int) bool) {
		for yield(7) {
		}
	})
	for name, f := range map[string]*face{"coroutine": &c.face, "floating": &both.face} {
		for range 2 {
			call(f)
		}
		here := place{rt.Self(), f.p.c.g, main.hub, f.g, f.p, f}
		for _, g := range gates {
			open := g.close(here)
			word := f.p.paused
			if may := reserve(f); may || f.p.paused != word {
				t.Errorf("%s, %s: reserved %v, the word was %d and is %d", name, g.name, may, word, f.p.paused)
			}
			open()
		}
		if !reserve(f) || f.p.paused != claimed {
			t.Fatalf("%s: not reserved, the word is %d", name, f.p.paused)
		}
		f.p.set(paused)

		closed := append(ofRuntime(), locked, asked, noEntry)
		tries(t, "proceed, "+name, proceedDoor, closed, func(close func(place)) (any, error) {
			if !reserve(f) {
				t.Fatal("not reserved")
			}
			close(here)
			if _, err := proceed(f); err != nil || !f.p.yielded {
				return nil, err
			}
			return 7, nil
		})
	}
	c.Close()
	both.stop()
}

func TestGatesOfBack(t *testing.T) {
	watchDoors(t)
	main := self()
	gates := append(ofRuntime(), locked, books, current, asked, noEntry, inPause,
		closes("no consumer", func(p place) **Greenlet { return &p.p.consumer }, nil),
		closes("a consumer of another tree", func(p place) **hub { return &p.target.hub }, &nowhere),
	)
	act := func(*pair) {}
	c := NewCoro(func(c *Coro[int, int], n int) error {
		for {
			act(&c.k.pair)
			n = c.Yield(n)
		}
	})
	both := newPuller[int, struct{}](nil)
	both.state().seq = func(yield func(int) bool) {
		for act(&both.state().pair); yield(7); act(&both.state().pair) {
		}
	}
	for name, f := range map[string]*face{"coroutine": &c.face, "floating": &both.face} {
		act = func(*pair) {}
		for range 2 {
			call(f)
		}
		tries(t, name, backDoor, gates, func(close func(place)) (any, error) {
			act = func(p *pair) {
				close(place{rt.Self(), main.g, main.hub, main.handle, p, nil})
			}
			return calls(f)
		})
	}
	c.Close()
	both.stop()
}

// A generator that has not begun has no consumer, which reserve takes for the current
// greenlet where that is not known. Send refuses, and what it has claimed is free.
func TestSendBeforeTheStartIsNoClaim(t *testing.T) {
	g := NewGenerator(func(y *Yielder[int, string]) (struct{}, error) {
		_, err := y.Yield(1)
		return struct{}{}, err
	})
	defer g.Close()
	self().hub.current = 0
	if _, err := g.Send("early"); !errors.Is(err, ErrJustStarted) {
		t.Errorf("Send: %v", err)
	}
	if v, err := g.Next(); v != 1 || err != nil {
		t.Errorf("Next: %v, %v", v, err)
	}
}

// A sequence can end between stop's look at it and its claim, if somebody calls next at
// the same time. Then there is nothing to stop.
func TestStopOfWhatEndsMeanwhile(t *testing.T) {
	defer Close()
	p := newPuller[int, struct{}](func(func(int) bool) {})
	p.state().set(claimed)
	stopped := make(chan any)
	go func() {
		defer Close()
		defer func() { stopped <- recover() }()
		p.stop()
	}()
	for !strings.Contains(printedGoroutines(), "(*pair).claim") {
		runtime.Gosched()
	}
	p.state().discard(p.g)
	require.Nil(t, <-stopped)
	require.False(t, p.state().stopped)
}
