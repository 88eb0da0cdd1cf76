package look

import (
	"bytes"
	"cmp"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/target"
)

// An image is memory that was read before, by pages.
type image map[uint64][]byte

func (m image) ReadAt(b []byte, at uint64) error {
	for len(b) > 0 {
		page, ok := m[at&^(pageSize-1)]
		if !ok || at+uint64(len(b)) < at {
			return unix.EFAULT
		}
		n := copy(b, page[at%pageSize:])
		b, at = b[n:], at+uint64(n)
	}
	return nil
}

func (m image) ReadBoth(a []byte, aAt uint64, b []byte, bAt uint64) error {
	return cmp.Or(m.ReadAt(a, aAt), m.ReadAt(b, bAt))
}

// A recorder keeps what is read of another memory.
type recorder struct {
	Memory
	image image
}

func (r *recorder) ReadAt(b []byte, at uint64) error {
	if err := r.Memory.ReadAt(b, at); err != nil {
		return err
	}
	for page := at &^ (pageSize - 1); page < at+uint64(len(b)); page += pageSize {
		whole := make([]byte, pageSize)
		if r.Memory.ReadAt(whole, page) == nil {
			r.image[page] = whole
		}
	}
	return nil
}

func (r *recorder) ReadBoth(a []byte, aAt uint64, b []byte, bAt uint64) error {
	return cmp.Or(r.ReadAt(a, aAt), r.ReadAt(b, bAt))
}

// record returns what a look at a program reads.
func record(t testing.TB, scene string) (*Program, image, uint64) {
	t.Helper()
	p, err := Open(target.Start(t, target.Build(t, kinds[0].flags...), scene))
	require.NoError(t, err)
	r := &recorder{p.mem, make(image)}
	p.mem = r
	_, err = p.Look()
	require.NoError(t, err)
	return p.program, r.image, p.bias
}

// damaged returns a copy in which n places have other bytes: random ones, or those of
// another place, such as a pointer that leads elsewhere.
func (m image) damaged(seed uint64, n int) image {
	r := rand.New(rand.NewPCG(seed, 1))
	pages := make([]uint64, 0, len(m))
	for at := range m {
		pages = append(pages, at)
	}
	slices.Sort(pages) // the order of a map is not that of the seed
	d := maps.Clone(m)
	for range n {
		at, from := pages[r.IntN(len(pages))], m[pages[r.IntN(len(pages))]]
		page := bytes.Clone(d[at])
		off := r.IntN(pageSize/8) * 8
		switch r.IntN(4) {
		case 0:
			page[off+r.IntN(8)] ^= byte(1 << r.IntN(8))
		case 1:
			copy(page[off:off+8], "\xff\xff\xff\xff\xff\xff\xff\x7f")
		default:
			copy(page[off:off+8], from[r.IntN(pageSize/8)*8:])
		}
		d[at] = page
	}
	return d
}

// lookAtImage looks at an image, and fails if that takes long.
func lookAtImage(t testing.TB, program *Program, m image, bias uint64) {
	t.Helper()
	start := time.Now()
	s, err := newProcess(1, program, m, bias).Look()
	if err == nil {
		var text bytes.Buffer
		require.NoError(t, s.WriteJSON(&text, true))
	}
	require.Less(t, time.Since(start), 5*time.Minute)
}

// A dying memory is one of a process that ends after some reads.
type dying struct {
	image
	left int
}

func (m *dying) ReadAt(b []byte, at uint64) error {
	if m.left == 0 {
		return unix.ESRCH
	}
	m.left--
	return m.image.ReadAt(b, at)
}

func (m *dying) ReadBoth(a []byte, aAt uint64, b []byte, bAt uint64) error {
	return cmp.Or(m.ReadAt(a, aAt), m.ReadAt(b, bAt))
}

// A process that ends while it is looked at has no snapshot: not one of what could be
// read until then, with zeros for the rest.
func TestProcessThatEnds(t *testing.T) {
	program, m, bias := record(t, "waits")
	enough := 1 << 20
	whole := &dying{m, enough}
	_, err := newProcess(1, program, whole, bias).Look()
	require.NoError(t, err)
	reads := enough - whole.left
	for left := range reads {
		_, err := newProcess(1, program, &dying{m, left}, bias).Look()
		require.ErrorIs(t, err, fs.ErrNotExist, "after %d reads of %d", left, reads)
	}
}

// Whatever is in the memory, a look comes to an end.
func FuzzDamagedMemory(f *testing.F) {
	defer func(was time.Duration) { patience = was }(patience)
	patience = 0
	type scene struct {
		program *Program
		image   image
		bias    uint64
	}
	var scenes []scene
	for _, name := range []string{"waits", "sleep", "greenlets"} {
		program, m, bias := record(f, name)
		scenes = append(scenes, scene{program, m, bias})
		lookAtImage(f, program, m, bias)
	}
	for seed := range uint64(60) {
		f.Add(seed, uint16(1<<(seed%13)))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		s := scenes[seed%uint64(len(scenes))]
		lookAtImage(t, s.program, s.image.damaged(seed, int(n)), s.bias)
	})
}

// The file, too, can be anything.
func FuzzDamagedFile(f *testing.F) {
	file, err := os.ReadFile(target.Build(f, kinds[0].flags...))
	require.NoError(f, err)
	_, m, bias := record(f, "waits")
	for seed := range uint64(10) {
		f.Add(seed, uint16(1<<seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		r := rand.New(rand.NewPCG(seed, 2))
		damaged := bytes.Clone(file)
		for range n {
			at := r.IntN(len(damaged))
			if r.IntN(4) == 0 {
				at = r.IntN(1 << 12) // the headers
			}
			damaged[at] = byte(r.Uint32())
		}
		program, err := ReadProgram(bytes.NewReader(damaged))
		if err != nil {
			return
		}
		lookAtImage(t, program, m, bias)
	})
}

// Lists that lead back into themselves, or nowhere.
func TestFollow(t *testing.T) {
	page := make([]byte, pageSize)
	l := &looker{v: newView(image{pageSize: page})}
	put := func(at, next uint64) {
		for i := range 8 {
			page[at-pageSize+uint64(i)] = byte(next >> (8 * i))
		}
	}
	put(pageSize, pageSize+8)
	put(pageSize+8, 0)
	all, whole := l.follow(pageSize, 0, 10)
	require.Equal(t, []uint64{pageSize, pageSize + 8}, all)
	require.True(t, whole)
	all, whole = l.follow(pageSize, 0, 1)
	require.Len(t, all, 1)
	require.False(t, whole)
	put(pageSize+8, pageSize)
	l.v.forget()
	all, whole = l.follow(pageSize, 0, 10)
	require.Len(t, all, 2)
	require.False(t, whole)
	put(pageSize+8, 1<<60) // nothing is there
	l.v.forget()
	all, whole = l.follow(pageSize, 0, 10)
	require.Len(t, all, 3)
	require.True(t, whole)
}
