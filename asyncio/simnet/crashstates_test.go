package simnet_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio/files"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
	"github.com/stretchr/testify/require"
)

const sector = 4 // of the disks of these tests, in bytes

// A step of a random program.
type step struct {
	op       string
	name, to string
	off      int64
	data     string
}

func (s step) String() string {
	return fmt.Sprintf("%s %s %s %d %q", s.op, s.name, s.to, s.off, s.data)
}

var names = []string{"a", "b", "d", "d/a", "e", "e/a", "e/d"}

// randomSteps returns the steps of a program, of which many succeed.
func randomSteps(r *rand.Rand, n int) []step {
	steps := []step{{op: "mkdir", name: "d"}, {op: "create", name: "a"}, {op: "mkdir", name: "e"}, {op: "create", name: "d/a"}, {op: "create", name: "e/a"}}
	steps = steps[:r.IntN(len(steps)+1)]
	for len(steps) < n {
		steps = append(steps, randomStep(r))
	}
	return steps
}

func randomStep(r *rand.Rand) step {
	s := step{name: names[r.IntN(len(names))], to: names[r.IntN(len(names))], off: r.Int64N(2*sector + 2)}
	ops := []string{"create", "write", "write", "write", "cut", "sync", "syncdir", "rename", "rename", "remove", "mkdir"}
	s.op = ops[r.IntN(len(ops))]
	s.data = strings.Repeat(string(rune('A'+r.IntN(26))), 1+r.IntN(sector+2))
	if s.op == "syncdir" {
		s.name = []string{".", "d", "e"}[r.IntN(3)]
	}
	return s
}

// on runs the step on a disk.
func (s step) on(ctx context.Context, d files.Disk) error {
	with := func(f files.File, err error, do func(files.File) error) error {
		if err != nil {
			return err
		}
		return errors.Join(do(f), f.Close())
	}
	switch s.op {
	case "create":
		f, err := d.Create(s.name)
		return with(f, err, func(files.File) error { return nil })
	case "mkdir":
		return d.Mkdir(s.name)
	case "rename":
		return d.Rename(s.name, s.to)
	case "remove":
		return d.Remove(s.name)
	case "syncdir":
		return d.SyncDir(ctx, s.name)
	}
	f, err := d.Open(s.name)
	return with(f, err, func(f files.File) error {
		switch s.op {
		case "cut":
			return f.Truncate(s.off)
		case "sync":
			return f.Sync(ctx)
		}
		_, err := f.WriteAt([]byte(s.data), s.off)
		return err
	})
}

// show returns all that a disk has, in lines.
func show(t *testing.T, d files.Disk) string {
	var b strings.Builder
	var walk func(dir string)
	walk = func(dir string) {
		all, err := d.ReadDir(dir)
		require.NoError(t, err)
		for _, name := range all {
			name = path.Join(dir, name)
			f, err := d.Open(name)
			if errors.Is(err, syscall.EISDIR) {
				fmt.Fprintf(&b, "%s/\n", name)
				walk(name)
				continue
			}
			require.NoError(t, err)
			size, err := f.Size()
			require.NoError(t, err)
			p := make([]byte, size)
			_, err = f.ReadAt(p, 0)
			require.NoError(t, err)
			fmt.Fprintf(&b, "%s %q\n", name, p)
			require.NoError(t, f.Close())
		}
	}
	walk(".")
	return b.String()
}

// A model is what a disk may do, in the plainest words: it keeps all that has ever
// been done, in parts that a crash keeps or loses, and tries all sets of parts.
type model struct{ parts []part }

type part struct {
	synced bool
	names  [][3]any // folder's number, name, number of the new inode or 0; nil: of a file's content
	folder bool     // what is named is a folder; with a rename: it moves
	moves  bool
	file   int
	cut    bool
	off    int
	data   string
}

// needs says that p cannot be kept without q, which is earlier.
func (p part) needs(q part) bool {
	if p.names != nil {
		for _, n := range p.names {
			for _, o := range q.names {
				if n[0] == o[0] && n[1] == o[1] {
					return true
				}
			}
		}
		return q.names != nil && p.folder && p.moves
	}
	return q.names == nil && p.file == q.file && (q.cut || !p.cut && p.off/sector == q.off/sector)
}

// play returns what there is if these parts are kept: names, by folder, and content.
func (m *model) play(kept func(i int) bool) (map[int]map[string]int, map[int]string) {
	dirs, content := map[int]map[string]int{}, map[int]string{}
	for i, p := range m.parts {
		if !kept(i) {
			continue
		}
		for _, n := range p.names {
			if dirs[n[0].(int)] == nil {
				dirs[n[0].(int)] = map[string]int{}
			}
			if n[2] == 0 {
				delete(dirs[n[0].(int)], n[1].(string))
			} else {
				dirs[n[0].(int)][n[1].(string)] = n[2].(int)
			}
		}
		if p.names == nil {
			was := content[p.file]
			was += strings.Repeat("\x00", max(0, p.off-len(was)))
			if p.cut {
				content[p.file] = was[:p.off]
			} else {
				content[p.file] = was[:p.off] + p.data + was[min(len(was), p.off+len(p.data)):]
			}
		}
	}
	return dirs, content
}

const rootFolder = 1

// folders are the inodes that are folders, by number.
func (m *model) isFolder(number int) bool {
	return number == rootFolder || slices.ContainsFunc(m.parts, func(p part) bool {
		return p.folder && !p.moves && p.names[0][2] == number
	})
}

func (m *model) show(kept func(i int) bool) string {
	dirs, content := m.play(kept)
	var b strings.Builder
	var walk func(folder int, dir string)
	walk = func(folder int, dir string) {
		for _, name := range slices.Sorted(maps.Keys(dirs[folder])) {
			n := dirs[folder][name]
			if full := path.Join(dir, name); m.isFolder(n) {
				fmt.Fprintf(&b, "%s/\n", full)
				walk(n, full)
			} else {
				fmt.Fprintf(&b, "%s %q\n", full, content[n])
			}
		}
	}
	walk(rootFolder, ".")
	return b.String()
}

func everything(int) bool { return true }

// find returns the folder of a name, the last part, and what is there.
func (m *model) find(name string) (folder int, last string, inode int) {
	dirs, _ := m.play(everything)
	folder = rootFolder
	dir, last := path.Split(name)
	if dir != "" {
		folder = dirs[rootFolder][path.Clean(dir)]
	}
	return folder, last, dirs[folder][last]
}

// did notes a step that has succeeded.
func (m *model) did(s step) {
	folder, last, n := m.find(s.name)
	fresh := len(m.parts) + 100
	switch s.op {
	case "create":
		if n == 0 {
			n = fresh
			m.parts = append(m.parts, part{names: [][3]any{{folder, last, n}}})
		}
		m.cut(n, 0)
	case "mkdir":
		m.parts = append(m.parts, part{names: [][3]any{{folder, last, fresh}}, folder: true})
	case "remove":
		m.parts = append(m.parts, part{names: [][3]any{{folder, last, 0}}})
	case "rename":
		if s.name != s.to {
			toFolder, toLast, _ := m.find(s.to)
			m.parts = append(m.parts, part{names: [][3]any{{folder, last, 0}, {toFolder, toLast, n}}, moves: true, folder: m.isFolder(n)})
		}
	case "cut":
		m.cut(n, int(s.off))
	case "write":
		for at := range len(s.data) { // byte by byte, then what is in one sector is joined
			off := int(s.off) + at
			if last := len(m.parts) - 1; at > 0 && off%sector != 0 {
				m.parts[last].data += s.data[at : at+1]
			} else {
				m.parts = append(m.parts, part{file: n, off: off, data: s.data[at : at+1]})
			}
		}
	case "sync":
		for i, p := range m.parts {
			if p.names == nil && p.file == n {
				m.parts[i].synced = true
			}
		}
	case "syncdir":
		if n == 0 {
			n = rootFolder
		}
		for i, p := range m.parts {
			for _, at := range p.names {
				if at[0] == n {
					m.sync(i)
				}
			}
		}
	}
}

func (m *model) cut(n, size int) {
	if _, content := m.play(everything); len(content[n]) != size {
		m.parts = append(m.parts, part{file: n, cut: true, off: size})
	}
}

func (m *model) sync(i int) {
	m.parts[i].synced = true
	for j := range i {
		if m.parts[i].needs(m.parts[j]) {
			m.sync(j)
		}
	}
}

// states returns all that a crash may leave, or nil if there are too many.
func (m *model) states() map[string]bool {
	var open []int
	for i, p := range m.parts {
		if !p.synced {
			open = append(open, i)
		}
	}
	if len(open) > 11 {
		return nil
	}
	states := map[string]bool{}
	for set := range 1 << len(open) {
		kept := make([]bool, len(m.parts))
		for i, p := range m.parts {
			kept[i] = p.synced
		}
		for bit, i := range open {
			kept[i] = set>>bit&1 == 1
		}
		allowed := true
		for i, p := range m.parts {
			for j := range i {
				if kept[i] && !kept[j] && p.needs(m.parts[j]) {
					allowed = false
				}
			}
		}
		if allowed {
			states[m.show(func(i int) bool { return kept[i] })] = true
		}
	}
	return states
}

// CrashStates has all states that the model allows, and none else, after each step of random
// programs; and a crash leaves one of them.
func TestCrashStatesAreThoseOfAModel(t *testing.T) {
	programs, compared, most := 1000, 0, 0
	if testing.Short() {
		programs = 100
	}
	for seed := range uint64(programs) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := simnet.NewDisk(simnet.DiskConfig{Seed: seed, Sector: sector})
		m := &model{}
		var program []step
		for _, s := range randomSteps(r, 16) {
			if s.on(t.Context(), d) != nil {
				continue
			}
			program = append(program, s)
			m.did(s)
			require.Equal(t, m.show(everything), show(t, d), "%v", program)
			want := m.states()
			if want == nil {
				break
			}
			var got []string
			for state := range d.CrashStates() {
				got = append(got, show(t, state))
			}
			require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(slices.Values(got)), "%v", program)
			compared++
			most = max(most, len(got))
			require.Equal(t, m.show(func(i int) bool { return m.parts[i].synced }), got[0], "first all is lost: %v", program)
		}
		want := map[string]bool{}
		for state := range d.CrashStates() {
			want[show(t, state)] = true
		}
		d.Crash()
		require.Contains(t, want, show(t, d), "%v", program)
	}
	t.Logf("%d lists compared, the longest of %d states", compared, most)
	require.Greater(t, compared, programs)
	require.Greater(t, most, 20)
}

// Whatever CrashStates lists, some seed leaves.
func TestCrashReachesAllStates(t *testing.T) {
	made := func(seed uint64) *simnet.Disk {
		d := simnet.NewDisk(simnet.DiskConfig{Seed: seed, Sector: sector})
		for _, s := range []step{{op: "create", name: "a"}, {op: "write", name: "a", data: "AAAABBBB"}, {op: "sync", name: "a"}, {op: "syncdir", name: "."},
			{op: "write", name: "a", off: 3, data: "xx"}, {op: "rename", name: "a", to: "b"}, {op: "create", name: "c"}} {
			require.NoError(t, s.on(t.Context(), d))
		}
		return d
	}
	want, got := map[string]bool{}, map[string]bool{}
	for state := range made(0).CrashStates() {
		want[show(t, state)] = true
	}
	for seed := range uint64(1000) {
		d := made(seed)
		d.Crash()
		got[show(t, d)] = true
	}
	require.Len(t, want, 4*2*2)
	require.Equal(t, want, got)
}

// A loop over the states may break off, however many there are.
func TestCrashStatesAreMadeOneByOne(t *testing.T) {
	d := simnet.NewDisk(simnet.DiskConfig{})
	for i := range 100 {
		require.NoError(t, d.Mkdir(fmt.Sprint(i)))
	}
	n := 0
	for range d.CrashStates() {
		if n++; n == 100 {
			break
		}
	}
	require.Equal(t, 100, n)
	require.ErrorIs(t, d.Mkdir("7"), fs.ErrExist)
}
