package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/look"
	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/target"
)

// TestMain is the command itself if the environment says so.
func TestMain(m *testing.M) {
	if os.Getenv("GREENLET_COMMAND") != "" {
		os.Args[0] = "greenlet"
		main()
		return
	}
	code := m.Run()
	target.Clean()
	os.Exit(code)
}

// A play is a source that shows one snapshot after the other, and then fails.
type play struct {
	scenes []*look.Snapshot
	at     int
	dead   error
}

var errOver = errors.New("the play is over")

func (p *play) Look() (*look.Snapshot, error) {
	if p.at == len(p.scenes) {
		return nil, errOver
	}
	p.at++
	return p.scenes[p.at-1], nil
}

func (p *play) Alive() error { return p.dead }

func (p *play) Close() error { return nil }

const evil = "evil\x1b[2J\r\n\u009b<script>\u202e"

// scene is a snapshot with all there is.
func scene(at time.Time) *look.Snapshot {
	frames := []look.Frame{
		{ID: 1, Func: "github.com/go-greenlet/greenlet/asyncio.Sleep", File: "/src/asyncio/context.go", Line: 7},
		{ID: 2, Func: "main.leaf", File: "/src/main.go", Line: 11},
		{ID: 3, Func: "time.Sleep", File: "/go/time.go", Line: 3},
	}
	l := &look.Loop{
		ID: 1, Name: "main", State: look.Blocked, Turns: 9, Count: 9, Lag: 1500,
		Blocked: &look.Block{For: 10_000, Task: 9, Name: "blocker", At: "main.go:11", Stack: []int{3, 2}},
		Groups: []*look.Group{
			{ID: 1, State: look.Waiting, Count: 5, Stack: []int{1, 2}},
			{ID: 2, State: look.Waiting, Count: 3, Stack: []int{2}},
			{ID: 3, State: look.Running, Count: 1},
			{ID: 4, State: look.Waiting, Count: 2, Stack: []int{1, 2, 3}}, // differs where it is not shown
		},
		Tasks: []*look.Task{
			{ID: 1, Name: evil, State: look.Waiting, Group: 2, Awaits: []uint64{2, 3}, Cancels: 1},
			{ID: 2, Name: "a-to-b", State: look.Waiting, Group: 2, Awaits: []uint64{3}, By: []uint64{1, 3}, Lock: 1},
			{ID: 3, Name: "b-to-a", State: look.Waiting, Group: 2, Awaits: []uint64{2}, By: []uint64{1, 2}, Lock: 2},
			{ID: 4, Name: "leaf 4", State: look.Waiting, Group: 1},
			{ID: 5, Name: "leaf 5", State: look.Waiting, Group: 1},
			{ID: 6, Name: "leaf 6", State: look.Waiting, Group: 1},
			{ID: 7, Name: "leaf 7", State: look.Waiting, Group: 1},
			{ID: 8, Name: "leaf 8", State: look.Waiting, Group: 1},
			{ID: 9, Name: "blocker", State: look.Running, Group: 3},
		},
		Locks:    []*look.Lock{{ID: 1, Kind: "Lock", Holder: 1 << 40, HolderName: "forgetful", HolderEnded: true, Waiters: []uint64{2}}, {ID: 2, Kind: "Semaphore", Holders: []uint64{1, 2, 3, 7, 9}, Waiters: []uint64{3}}},
		Cycles:   [][]uint64{{2, 3}},
		Warnings: []look.Warning{{ID: "W6", Task: 9, Text: "the loop is blocked by blocker at main.go:11"}},
		Lost:     []look.Lost{{Task: 5, Name: "worker", Error: "disk\nfull"}},
	}
	return &look.Snapshot{
		V: 1, Time: at, PID: 42, Go: "go1.26.8", Backend: "assembly", Loops: []*look.Loop{l}, Frames: frames,
		Greenlets: look.Greenlets{Trees: 1, Live: 1234567, Suspended: 4, Groups: []*look.Group{{ID: 1, State: look.Waiting, Count: 1, Stack: []int{2}}}},
	}
}

func printed(t *testing.T, command func(source, io.Writer, options) error, o options) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, command(&play{scenes: []*look.Snapshot{scene(time.Unix(0, 0))}}, &b, o))
	return b.String()
}

func TestPs(t *testing.T) {
	assert.Equal(t, `process 42, go1.26.8, assembly switch: 1 loop, 9 tasks, 1,234,567 greenlets

loop 1 main: blocked, 9 tasks
  ! W6 the loop is blocked by blocker at main.go:11
      time.Sleep time.go:3
      main.leaf main.go:11
  ! lost error of worker: disk\nfull
  1  evil\x1b[2J\r\n\u009b<script>\u202e  waiting  main.leaf at main.go:11  for a-to-b, b-to-a; asked to end
  2  a-to-b                               waiting  main.leaf at main.go:11  for b-to-a; for Lock 1, acquired last by forgetful, which has ended
  3  b-to-a                               waiting  main.leaf at main.go:11  for a-to-b; for Semaphore 2, acquired by evil\x1b[2J\r\n\u009b<script>\u202e, a-to-b, b-to-a, 2 others
  4  leaf 4                               waiting  asyncio.Sleep, called by main.leaf at main.go:11
  5  leaf 5                               waiting  asyncio.Sleep, called by main.leaf at main.go:11
  6  leaf 6                               waiting  asyncio.Sleep, called by main.leaf at main.go:11
  7  leaf 7                               waiting  asyncio.Sleep, called by main.leaf at main.go:11
  8  leaf 8                               waiting  asyncio.Sleep, called by main.leaf at main.go:11
  9  blocker                              running

greenlets that are no tasks:
  1 greenlet: waiting in main.leaf at main.go:11
`, printed(t, ps, options{}))
}

func TestPstree(t *testing.T) {
	assert.Equal(t, `process 42, go1.26.8, assembly switch: 1 loop, 9 tasks, 1,234,567 greenlets

loop 1 main: blocked, 9 tasks
  ! W6 the loop is blocked by blocker at main.go:11
      time.Sleep time.go:3
      main.leaf main.go:11
  ! lost error of worker: disk\nfull
  evil\x1b[2J\r\n\u009b<script>\u202e: waiting in main.leaf at main.go:11
  ├─ a-to-b: waiting in main.leaf at main.go:11, for Lock 1, acquired last by forgetful, which has ended
  │  └─ b-to-a: waiting in main.leaf at main.go:11, for Semaphore 2, acquired by evil\x1b[2J\r\n\u009b<script>\u202e, a-to-b, b-to-a, 2 others
  │     └─ a-to-b: see above
  └─ b-to-a: see above
  5 tasks: waiting in asyncio.Sleep, called by main.leaf at main.go:11
  blocker: running

greenlets that are no tasks:
  1 greenlet: waiting in main.leaf at main.go:11
`, printed(t, pstree, options{}))
}

// With many tasks there are those that matter, and the groups.
func TestPsOfMany(t *testing.T) {
	s := scene(time.Unix(0, 0))
	l := s.Loops[0]
	for len(l.Tasks) < 97_312 {
		l.Tasks = append(l.Tasks, &look.Task{ID: uint64(len(l.Tasks) + 1), Name: "one of many", State: look.Waiting, Group: 1})
	}
	l.Count = len(l.Tasks)
	l.Groups[0].Count = 97_306
	var b bytes.Buffer
	require.NoError(t, ps(&play{scenes: []*look.Snapshot{s}}, &b, options{}))
	assert.Contains(t, b.String(), "  97,308 tasks: waiting in asyncio.Sleep, called by main.leaf at main.go:11\n")
	assert.Contains(t, b.String(), "a-to-b")
	assert.NotContains(t, b.String(), "one of many")
	b.Reset()
	l.Groups[0].Count = 97_308
	require.NoError(t, pstree(&play{scenes: []*look.Snapshot{s}}, &b, options{}))
	assert.Contains(t, b.String(), "  97,308 tasks: waiting in asyncio.Sleep, called by main.leaf at main.go:11\n")
	b.Reset()
	require.NoError(t, ps(&play{scenes: []*look.Snapshot{s}}, &b, options{json: true}))
	var back look.Snapshot
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	assert.Len(t, back.Loops[0].Tasks, 4)
	assert.Equal(t, l.Count, back.Loops[0].Count)
}

func TestJSON(t *testing.T) {
	text := printed(t, ps, options{json: true})
	assert.Equal(t, 1, strings.Count(text, "\n"))
	for _, r := range text[:len(text)-1] {
		assert.False(t, r < 0x20 || r >= 0x7f && r < 0xa0, "%q", r)
	}
	var back look.Snapshot
	require.NoError(t, json.Unmarshal([]byte(text), &back))
	want := scene(time.Unix(0, 0))
	want.Time, back.Time = time.Time{}, time.Time{}
	assert.Equal(t, want, &back)
}

// What top shows is what has changed between two looks.
func TestMonitor(t *testing.T) {
	m := newMonitor()
	m.see(scene(time.Unix(100, 0)), time.Unix(100, 0))
	next := scene(time.Unix(102, 0))
	next.Loops[0].Tasks = append(next.Loops[0].Tasks, &look.Task{ID: 19, Name: "new", State: look.Waiting, Group: 1})
	m.see(next, time.Unix(102, 0))
	text := strings.Join(m.lines(100), "\n")
	assert.Contains(t, text, "loop 1 main: blocked, 9 tasks, 5 new a second, 0 turns a second, lag 2ms\n")
	assert.Contains(t, text, "  ! blocked for 2s at least\n      time.Sleep time.go:3\n      main.leaf main.go:11\n")
	assert.Contains(t, text, `        2s  evil\x1b[2J\r\n\u009b<script>\u202e: main.leaf at main.go:11`)
	assert.NotContains(t, text, ": new")
	goes := scene(time.Unix(104, 0))
	goes.Loops[0].Turns, goes.Loops[0].Blocked, goes.Loops[0].State = 29, nil, look.Idle
	goes.Loops[0].Tasks = goes.Loops[0].Tasks[1:2]
	m.see(goes, time.Unix(104, 0))
	text = strings.Join(m.lines(100), "\n")
	assert.Contains(t, text, "10 turns a second")
	assert.NotContains(t, text, "blocked for")
	assert.NotContains(t, text, "leaf 4")
	assert.Len(t, m.lines(3), 3)
	assert.Empty(t, m.lines(0))
}

func TestTop(t *testing.T) {
	screen := tcell.NewSimulationScreen("UTF-8")
	require.NoError(t, screen.Init())
	defer screen.Fini()
	screen.SetSize(40, 12)
	p := &play{scenes: []*look.Snapshot{scene(time.Unix(100, 0)), scene(time.Unix(102, 0))}}
	assert.Equal(t, errOver, watch(p, screen, time.Millisecond))
	cells, width, _ := screen.GetContents()
	var text strings.Builder
	for i, c := range cells {
		text.WriteString(string(c.Runes))
		if i%width == width-1 {
			text.WriteByte('\n')
		}
	}
	assert.Contains(t, text.String(), "process 42  go1.26.8  assembly switch")
	assert.Contains(t, text.String(), "  ! blocked for 2s at least")
	for _, r := range text.String() {
		assert.True(t, r == '\n' || r >= ' ' && r != 0x7f && r != 0x9b, "%q", r)
	}

	screen.InjectKey(tcell.KeyRune, 'q', tcell.ModNone)
	assert.NoError(t, watch(&play{scenes: []*look.Snapshot{scene(time.Unix(100, 0))}}, screen, time.Hour))
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":               "a command is missing",
		"nothing 1":      `there is no command "nothing"`,
		"ps 1 2":         "ps: one process at a time, not 2",
		"top":            "top: the number of a process is missing",
		"top -every 0 1": "top: -every must be more than zero",
		"top 1 -json":    "top: flag provided but not defined: -json", // it stands behind the number, and is not passed over
		"ps -nonsense":   "ps: flag provided but not defined: -nonsense",
		"ps -4":          "ps: flag provided but not defined: -4",
	} {
		assert.Equal(t, usageError(want), run(strings.Fields(args), io.Discard), args)
	}
	for _, args := range []string{"-h", "help", "ps -h", "web --help"} {
		assert.ErrorIs(t, run(strings.Fields(args), io.Discard), flag.ErrHelp, args)
	}
	for args, number := range map[string]string{"ps many": "many", "pstree 0": "0", "ps -json 99999999999999999999": "99999999999999999999", "ps many -all": "many"} {
		assert.EqualError(t, run(strings.Fields(args), io.Discard), fmt.Sprintf("%q is no process number", number))
	}
}
