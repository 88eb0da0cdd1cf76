package look

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/target"
)

// kinds is how the program is built.
var kinds = []struct {
	name      string
	flags     []string
	long      bool // not in a short run
	namesOnly bool // there is no goroutine to read
}{
	{"stripped", []string{"-ldflags=-s -w"}, false, false},
	{"PIE stripped", []string{"-buildmode=pie", "-ldflags=-s -w"}, true, false},
	{"purego", []string{"-tags=purego"}, true, true},
	{"plain", nil, true, false},
	{"PIE", []string{"-buildmode=pie"}, true, false},
	{"trimpath", []string{"-trimpath"}, true, false},
	{"not optimised", []string{"-gcflags=all=-N -l"}, true, false},
	{"race", []string{"-race"}, true, false},
}

// lookAt looks at a process until done says that it is as it should be.
func lookAt(t *testing.T, pid int, done func(*Snapshot) bool) *Snapshot {
	t.Helper()
	return lookUntil(t, func() *Snapshot {
		p, err := Open(pid)
		require.NoError(t, err)
		s, err := p.Look()
		require.NoError(t, err)
		require.NoError(t, p.Close())
		return s
	}, done)
}

func lookUntil(t *testing.T, look func() *Snapshot, done func(*Snapshot) bool) *Snapshot {
	t.Helper()
	for start := time.Now(); ; {
		s := look()
		if done(s) {
			return s
		}
		if time.Since(start) > 5*time.Minute {
			text := new(strings.Builder)
			s.WriteJSON(text, true)
			require.Fail(t, "never so", "%s", text)
		}
		runtime.Gosched()
	}
}

func inState(state string) func(*Snapshot) bool {
	return func(s *Snapshot) bool { return len(s.Loops) == 1 && s.Loops[0].State == state && !s.Partial }
}

func (l *Loop) named(t *testing.T, name string) *Task {
	t.Helper()
	for _, task := range l.Tasks {
		if task.Name == name {
			return task
		}
	}
	require.Fail(t, "no task", "%s", name)
	return nil
}

// calls returns a group's calls as text.
func (s *Snapshot) calls(stack []int) (all []string) {
	for _, id := range stack {
		f := s.Frames[id-1]
		all = append(all, fmt.Sprintf("%s %s:%d", ShortName(f.Func), filepath.Base(f.File), f.Line))
	}
	return all
}

func (s *Snapshot) where(l *Loop, t *Task) []string {
	for _, g := range l.Groups {
		if g.ID == t.Group {
			return s.calls(g.Stack)
		}
	}
	return nil
}

func TestLook(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			if kind.long && testing.Short() {
				t.Skip("long")
			}
			if kind.name == "race" {
				if _, err := exec.LookPath("gcc"); err != nil {
					t.Skip(err)
				}
			}
			path := target.Build(t, kind.flags...)
			t.Run("waits", func(t *testing.T) {
				testWaits(t, lookAt(t, target.Start(t, path, "waits"), inState(Idle)), kind.namesOnly)
			})
			t.Run("circle", func(t *testing.T) { testCircle(t, path) })
			for _, scene := range []string{"sleep", "channel", "read", "callback", "compute"} {
				t.Run(scene, func(t *testing.T) {
					testBlocked(t, scene, kind.namesOnly, func(done func(*Snapshot) bool) *Snapshot {
						return lookAt(t, target.Start(t, path, scene), done)
					})
				})
			}
			t.Run("greenlets", func(t *testing.T) { testGreenlets(t, path, kind.namesOnly) })
		})
	}
}

// withoutW11 leaves the warning of the switch out, which some builds have.
func withoutW11(all []Warning) []Warning {
	return slices.DeleteFunc(slices.Clone(all), func(w Warning) bool { return w.ID == "W11" })
}

func testWaits(t *testing.T, s *Snapshot, namesOnly bool) {
	assert.Equal(t, runtime.Version(), s.Go)
	assert.Contains(t, []string{"assembly", "generic"}, s.Backend)
	l := s.Loops[0]
	assert.Equal(t, uint64(1), l.ID)
	assert.Equal(t, 14, l.Count)
	assert.Empty(t, withoutW11(l.Warnings))
	for name, want := range map[string]struct {
		first, second string
		line          string
		awaits        []string
	}{
		"Task-1":    {"asyncio.(*Event).Wait", "main.forever", "forever", nil},
		"sleeper":   {"asyncio.Sleep", "main.sleeper", "sleeper", nil},
		"locker":    {"asyncio.(*Lock).Acquire", "main.locker", "locker", nil},
		"getter":    {"asyncio.(*Queue[...]).Get", "main.getter", "getter", nil},
		"gatherer":  {"asyncio.(*GatherFuture[...]).Await", "main.gatherer", "gatherer", []string{"gathered 1", "gathered 2"}},
		"grouper":   {"asyncio.RunTaskGroup", "main.grouper", "grouper", []string{"member"}},
		"awaiter":   {"asyncio.(*Task[...]).Await", "main.awaiter", "awaiter", []string{"leaf"}},
		"awaiter 2": {"asyncio.(*Task[...]).Await", "main.awaiter", "awaiter", []string{"leaf"}},
	} {
		task := l.named(t, name)
		assert.Equal(t, Waiting, task.State, name)
		var awaits []uint64
		for _, other := range want.awaits {
			awaits = append(awaits, l.named(t, other).ID)
			assert.Contains(t, l.named(t, other).By, task.ID)
		}
		slices.Sort(awaits)
		assert.ElementsMatch(t, awaits, task.Awaits, name)
		calls := s.where(l, task)
		if namesOnly {
			assert.Empty(t, calls)
			continue
		}
		require.GreaterOrEqual(t, len(calls), 2, "%s: %s", name, calls)
		assert.True(t, strings.HasPrefix(calls[0], want.first+" "), "%s: %s", name, calls)
		assert.Equal(t, fmt.Sprintf("%s main.go:%d", want.second, target.Line(t, want.line)), calls[1], name)
	}
	holder := l.named(t, "Task-1")
	assert.Equal(t, []*Lock{{ID: 1, Kind: "Lock", Holder: holder.ID, HolderName: "Task-1",
		Waiters: []uint64{l.named(t, "locker").ID, l.named(t, "locker 2").ID}}}, l.Locks)
	assert.Equal(t, 14, s.Greenlets.Live)
}

// An emulator has the memory of its guest at the guest's own addresses, so a program
// for another processor can be looked at in it, if one says which program it is.
func TestLookAtArm64(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	emulator, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Skip(err)
	}
	t.Setenv("GOARCH", "arm64")
	t.Setenv("CGO_ENABLED", "0")
	path := target.Build(t, "-ldflags=-s -w")
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	program, err := ReadProgram(file)
	require.NoError(t, err)
	look := func(scene string) func() *Snapshot {
		pid := target.Start(t, emulator, path, scene)
		return func() *Snapshot {
			var magic [len(tableMagic)]byte
			m := &processMemory{pid: pid}
			if m.ReadAt(magic[:], program.table) != nil || string(magic[:]) != tableMagic {
				t.Skip("the emulator has the guest's memory elsewhere")
			}
			s, err := newProcess(pid, program, m, 0).Look()
			require.NoError(t, err)
			return s
		}
	}
	testWaits(t, lookUntil(t, look("waits"), inState(Idle)), false)
	testBlocked(t, "sleep", false, func(done func(*Snapshot) bool) *Snapshot { return lookUntil(t, look("sleep"), done) })
}

// What is seen from outside is what the program itself sees.
func TestLookIsSnapshot(t *testing.T) {
	for _, scene := range []string{"waits", "circle", "locks", "names"} {
		t.Run(scene, func(t *testing.T) {
			pid, ask := target.StartTalking(t, target.Build(t, kinds[0].flags...), scene)
			outside := lookAt(t, pid, inState(Idle))
			var inside Snapshot
			require.NoError(t, json.Unmarshal([]byte(ask()), &inside))
			require.Len(t, inside.Loops, 1)
			assert.Equal(t, inside.Go, outside.Go)
			assert.Equal(t, inside.Backend, outside.Backend)
			assert.Equal(t, inside.PID, outside.PID)
			i, o := inside.Loops[0], outside.Loops[0]
			assert.Equal(t, i.ID, o.ID)
			assert.Equal(t, i.Name, o.Name)
			assert.Equal(t, i.Count, o.Count)
			require.Len(t, o.Tasks, len(i.Tasks))
			for n := range i.Tasks {
				in, out := *i.Tasks[n], *o.Tasks[n]
				assert.Equal(t, inside.where(i, &in), outside.where(o, &out), in.Name)
				for _, task := range []*Task{&in, &out} {
					task.Group = 0
					slices.Sort(task.Awaits)
					slices.Sort(task.By)
				}
				assert.Equal(t, in, out)
			}
			for _, lock := range o.Locks {
				lock.passes, lock.own = 0, false // the program does not tell that
			}
			assert.Equal(t, i.Locks, o.Locks)
			assert.Equal(t, i.Cycles, o.Cycles)
			assert.Equal(t, i.Warnings, o.Warnings)
			assert.Equal(t, inside.Greenlets.Live, outside.Greenlets.Live)
		})
	}
}

func testCircle(t *testing.T, path string) {
	s := lookAt(t, target.Start(t, path, "circle"), inState(Idle))
	l := s.Loops[0]
	require.Len(t, l.Cycles, 1)
	assert.ElementsMatch(t, []uint64{l.named(t, "a-to-b").ID, l.named(t, "b-to-a").ID}, l.Cycles[0])
	assert.Equal(t, []Warning{{"W1", l.named(t, "a-to-b").ID, "a circle: a-to-b waits for b-to-a, which waits for a-to-b"}}, withoutW11(l.Warnings))
}

// Two tasks that wait for each other's lock, and one for that of a task that has ended.
func TestLocks(t *testing.T) {
	s := lookAt(t, target.Start(t, target.Build(t, kinds[0].flags...), "locks"), inState(Idle))
	l := s.Loops[0]
	left, right := l.named(t, "left"), l.named(t, "right")
	assert.ElementsMatch(t, []Warning{
		{"W1", left.ID, "a circle: left waits for the lock held by right, which waits for the lock held by left"},
		{"W3", l.named(t, "late").ID, "1 task waits for a lock of forgetful, which has ended without releasing it"},
	}, l.Warnings)
	assert.Equal(t, [][]uint64{{left.ID, right.ID}}, l.Cycles)
}

// at sets the durations after which it is warned, for a test.
func at(t *testing.T, soon time.Duration) {
	was := limits
	t.Cleanup(func() { limits = was })
	limits.stalled, limits.held, limits.lost, limits.busy, limits.swallowed, limits.growth = soon, soon, soon, soon, soon, soon
}

// lookAgain looks at one process again and again, until done says so.
func lookAgain(t *testing.T, pid int, done func(*Snapshot) bool) *Snapshot {
	t.Helper()
	p, err := Open(pid)
	require.NoError(t, err)
	defer p.Close()
	return lookUntil(t, func() *Snapshot {
		s, err := p.Look()
		require.NoError(t, err)
		return s
	}, done)
}

// warnedOf is the warnings of a snapshot's loops, without durations and places.
func warnedOf(s *Snapshot) (all []string) {
	vague := regexp.MustCompile(`,? for [0-9.]+(ms|s)\b| [0-9.]+(ms|s) ago|, called by \S+ at \S+:\d+`)
	for _, l := range s.Loops {
		for _, x := range l.Warnings {
			all = append(all, x.ID+" "+vague.ReplaceAllString(x.Text, ""))
		}
	}
	return all
}

// Warnings that take their time. What needs a second look is not said by the first.
func TestWarnings(t *testing.T) {
	path := target.Build(t, kinds[0].flags...)
	first := []string{
		"W5 nobody has looked at the error of formatted: disk 7 full",
		"W5 nobody has looked at the error of plain: disk full",
		"W5 nobody has looked at the error of typed: " + noText,
		"W5 nobody has looked at the error of wrapping: disk: unsupported operation",
		"W8 swallower was cancelled, and goes on",
	}
	t.Run("late", func(t *testing.T) {
		pid := target.Start(t, path, "warned")
		s := lookAt(t, pid, inState(Idle))
		assert.Empty(t, warnedOf(s), "it is too soon")
		require.Len(t, s.Loops[0].Lost, 4)
		for _, lost := range s.Loops[0].Lost {
			assert.NotZero(t, lost.Task)
			assert.Positive(t, lost.Age)
			assert.Less(t, lost.Age, time.Minute.Microseconds())
		}
		at(t, time.Millisecond)
		all := func(s *Snapshot) []string {
			list := warnedOf(s)
			slices.Sort(list)
			return list
		}
		assert.Equal(t, first, all(lookAt(t, pid, inState(Idle))))
		s = lookAgain(t, pid, func(s *Snapshot) bool { return len(warnedOf(s)) > len(first) })
		assert.Equal(t, append([]string{"W4 slow holds a lock and waits in asyncio.Sleep, while 1 task waits for it"}, first...), all(s))
	})
	t.Run("standstill", func(t *testing.T) {
		pid := target.Start(t, path, "stands")
		at(t, time.Millisecond)
		s := lookAt(t, pid, func(s *Snapshot) bool { return inState(Stalled)(s) && len(warnedOf(s)) > 0 })
		assert.Equal(t, []string{"W2 nothing that the loop knows of can wake it"}, warnedOf(s))
		limits.stalled = time.Hour
		assert.Empty(t, warnedOf(lookAt(t, pid, inState(Stalled))))
	})
	for scene, pattern := range map[string]string{
		"compute": `^W7 blocker has not waited: it computes(, below main\.\S+)? at main\.go:\d+$`,
		"grows":   `^W9 [0-9,]+ tasks wait in asyncio\.Sleep: they have become more in each of the last 5 looks$`,
		"crowded": `^W10 1\d\d were ready, and the loop took \d+ms to come round$`,
	} {
		t.Run(scene, func(t *testing.T) {
			pid := target.Start(t, path, scene)
			at(t, 50*time.Millisecond)
			matches := regexp.MustCompile(pattern).MatchString
			lookAgain(t, pid, func(s *Snapshot) bool { return slices.ContainsFunc(warnedOf(s), matches) })
			if scene != "compute" { // a first look knows of no other
				assert.False(t, slices.ContainsFunc(warnedOf(lookAt(t, pid, func(*Snapshot) bool { return true })), matches))
			}
		})
	}
	t.Run("generic", func(t *testing.T) {
		t.Setenv("GREENLET_BACKEND", "generic")
		s := lookAt(t, target.Start(t, path, "waits"), inState(Idle))
		require.Len(t, warnedOf(s), 1)
		assert.Regexp(t, `^W11 the generic switch serves: .`, warnedOf(s)[0])
	})
}

// The page says which command knows which warning: the first look, or a later one. Each of
// them is in a test of this file.
func TestDocumentedWarnings(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/sight.md")
	require.NoError(t, err)
	const first, later, both = "`ps`", "`top`, `web`", "`top`, `web`; `ps` with a watchdog"
	want := map[string]string{
		"W1": first, "W2": first, "W3": first, "W4": later, "W5": first, "W6": first, "W7": both, "W8": first, "W9": later, "W10": later, "W11": first,
	}
	said := make(map[string]string)
	for _, row := range regexp.MustCompile(`(?m)^\| (W\d+) \|.*\| ([^|]*) \|$`).FindAllStringSubmatch(string(page), -1) {
		said[row[1]] = row[2]
	}
	assert.Equal(t, want, said)
}

// What is warned of is so at one moment: a lock that goes from hand to hand, by tasks
// that end with it, is none that was forgotten.
func TestNoFalseAlarms(t *testing.T) {
	pid := target.Start(t, target.Build(t, kinds[0].flags...), "relay")
	p, err := Open(pid)
	require.NoError(t, err)
	defer p.Close()
	n, locks := 150, 0
	if os.Getenv("GREENLET_LONG") != "" {
		n = 10_000
	}
	for range n {
		s, err := p.Look()
		require.NoError(t, err)
		require.Len(t, s.Loops, 1)
		locks += len(s.Loops[0].Locks)
		for _, x := range s.Loops[0].Warnings {
			require.NotContains(t, []string{"W1", "W3"}, x.ID, x.Text)
		}
	}
	assert.NotZero(t, locks)
}

func testBlocked(t *testing.T, scene string, namesOnly bool, look func(done func(*Snapshot) bool) *Snapshot) {
	line := scene
	if scene == "callback" {
		line = "sleep"
	}
	place := fmt.Sprintf("main.go:%d", target.Line(t, line))
	s := look(func(s *Snapshot) bool {
		return inState(Blocked)(s) && (namesOnly || s.Loops[0].Blocked.At == place || scene == "compute" && s.Loops[0].Blocked.Busy)
	})
	l := s.Loops[0]
	who := "blocker"
	if scene == "callback" {
		who = "a callback"
		assert.Zero(t, l.Blocked.Task)
	} else {
		assert.Equal(t, l.named(t, who).ID, l.Blocked.Task)
		assert.Equal(t, Running, l.named(t, who).State)
		assert.Equal(t, Waiting, l.named(t, "sleeper").State)
	}
	switch {
	case namesOnly:
		assert.Equal(t, []Warning{{"W6", l.Blocked.Task, who + " blocks the loop"}}, withoutW11(l.Warnings))
	case scene == "compute":
		require.Len(t, withoutW11(l.Warnings), 1)
		assert.Regexp(t, `^blocker blocks the loop: it computes(, below main\.\S+)? at main\.go:\d+$`, l.Warnings[0].Text)
		assert.True(t, l.Blocked.Busy)
		assert.Contains(t, strings.Join(s.calls(l.Blocked.Stack), "\n"), "main.computes ")
	default:
		assert.Equal(t, []Warning{{"W6", l.Blocked.Task, who + " blocks the loop at " + place}}, withoutW11(l.Warnings))
		assert.True(t, slices.ContainsFunc(s.calls(l.Blocked.Stack), func(call string) bool { return strings.HasPrefix(call, "main.") }))
	}
}

// Who computes may have no processor just now, and is not taken for one that waits.
func TestLookAtOneThatCompetes(t *testing.T) {
	p, err := Open(target.Start(t, target.Build(t, kinds[0].flags...), "competes"))
	require.NoError(t, err)
	defer p.Close()
	for range 50 {
		s, err := p.Look()
		require.NoError(t, err)
		require.Len(t, s.Loops, 1)
		require.Equal(t, Blocked, s.Loops[0].State)
		all := withoutW11(s.Loops[0].Warnings)
		require.Len(t, all, 1)
		require.True(t, s.Loops[0].Blocked.Busy, all[0].Text)
		require.Contains(t, all[0].Text, ": it computes")
	}
}

func testGreenlets(t *testing.T, path string, namesOnly bool) {
	s := lookAt(t, target.Start(t, path, "greenlets"), func(s *Snapshot) bool { return s.Greenlets.Live == 3 })
	assert.Empty(t, s.Loops)
	if namesOnly {
		return
	}
	require.Len(t, s.Greenlets.Groups, 1)
	calls := s.calls(s.Greenlets.Groups[0].Stack)
	assert.Equal(t, 3, s.Greenlets.Groups[0].Count)
	assert.True(t, strings.HasPrefix(calls[0], "greenlet.(*Greenlet).Switch "), calls)
	assert.Equal(t, fmt.Sprintf("main.waiter main.go:%d", target.Line(t, "waiter")), calls[1])
}

// The program changes all the time. It is never stopped, which a tracer would have to
// do, and no task is there twice.
func TestLookAtChanging(t *testing.T) {
	n := 200
	if os.Getenv("GREENLET_LONG") != "" {
		n = 10_000
	}
	pid := target.Start(t, target.Build(t, kinds[0].flags...), "churn")
	p, err := Open(pid)
	require.NoError(t, err)
	defer p.Close()
	named, tasks := 0, 0
	for range n {
		start := time.Now()
		s, err := p.Look()
		require.NoError(t, err)
		require.Less(t, time.Since(start), 5*time.Minute)
		require.Len(t, s.Loops, 1)
		seen := make(map[uint64]bool)
		for _, task := range s.Loops[0].Tasks {
			tasks++
			if strings.HasPrefix(task.Name, "churning ") || task.Name == "Task-1" {
				named++
				require.False(t, seen[task.ID], "twice: %v", task)
				seen[task.ID] = true
			}
		}
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		require.NoError(t, err)
		_, after, _ := strings.Cut(string(stat), ") ")
		require.NotContains(t, "tT", after[:1])
	}
	assert.NotZero(t, named)
	t.Logf("%d looks, %d tasks, %d of them with the name of one", n, tasks, named)
}

func TestOpenErrors(t *testing.T) {
	_, err := Open(os.Getpid())
	assert.ErrorIs(t, err, ErrNoTable)
	for _, pid := range []int{0, -1, 1 << 30} {
		_, err := Open(pid)
		assert.ErrorIs(t, err, os.ErrNotExist)
	}
	cmd := exec.Command("true")
	require.NoError(t, cmd.Run())
	_, err = Open(cmd.Process.Pid)
	assert.Error(t, err)
}

func TestList(t *testing.T) {
	pid := target.Start(t, target.Build(t, kinds[0].flags...), "nothing")
	var mine Listed
	for _, p := range List() {
		assert.NotEqual(t, os.Getpid(), p.PID)
		if p.PID == pid {
			mine = p
		}
	}
	assert.Equal(t, runtime.Version(), mine.Go)
	assert.Contains(t, mine.Command, " nothing")
}

func BenchmarkLook(b *testing.B) {
	path := target.Build(b, kinds[0].flags...)
	for _, n := range []int{1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			pid := target.Start(b, path, "many", strconv.Itoa(n))
			for b.Loop() {
				p, err := Open(pid)
				require.NoError(b, err)
				s, err := p.Look()
				require.NoError(b, err)
				require.Equal(b, n+1, s.Loops[0].Count)
				p.Close()
			}
		})
	}
}

// Looks at a program that changes all the time, from outside: no crash, none that does not
// end, and no circle, as there is none. What a look says fits together.
func TestLooksUnderHammer(t *testing.T) {
	looks := 100
	if os.Getenv("GREENLET_LONG") != "" {
		looks = 10_000
	}
	pid := target.Start(t, target.Build(t, kinds[0].flags...), "changes")
	p, err := Open(pid)
	require.NoError(t, err)
	defer p.Close()
	seen, most := 0, time.Duration(0)
	for range looks {
		start := time.Now()
		s, err := p.Look()
		most = max(most, time.Since(start))
		if err != nil { // it has changed too much meanwhile
			require.NoError(t, p.Alive())
			continue
		}
		for _, l := range s.Loops {
			seen += len(l.Tasks)
			assert.Empty(t, l.Cycles)
			ids := make(map[uint64]bool, len(l.Tasks))
			for _, task := range l.Tasks {
				require.False(t, ids[task.ID], "task %d twice", task.ID)
				ids[task.ID] = true
			}
			for _, lock := range l.Locks {
				assert.False(t, lock.HolderEnded, "the lock was never kept")
			}
		}
		require.NoError(t, s.WriteJSON(io.Discard, true))
	}
	t.Logf("%d looks, %d tasks seen, the longest look %v", looks, seen, most)
	require.Greater(t, seen, looks)
}
