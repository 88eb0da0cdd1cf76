package simnet_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/files"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Without a crash a simulated disk and a folder of the system are one: the same content and
// the same errors, after each step of random programs.
func TestDiskIsAsAFolderOfTheSystem(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("its errors have other numbers")
	}
	programs, failed := 200, 0
	if testing.Short() {
		programs = 20
	}
	asynciotest.Run(t, func(ctx context.Context) {
		for seed := range uint64(programs) {
			r := rand.New(rand.NewPCG(seed, 2))
			dir, err := files.OpenDir(t.TempDir())
			require.NoError(t, err)
			disk := simnet.NewDisk(simnet.DiskConfig{Sector: sector})
			var program []step
			for _, s := range randomSteps(r, 30) {
				program = append(program, s)
				there, here := s.on(ctx, dir), s.on(ctx, disk)
				require.Equal(t, errno(there), errno(here), "%v: %v and %v", program, there, here)
				require.Equal(t, show(t, dir), show(t, disk), "%v", program)
				if here != nil {
					failed++
				}
			}
			require.NoError(t, dir.Close())
		}
	})
	require.Greater(t, failed, programs, "errors are compared, too")
}

// errno returns which error of a system call it was.
func errno(err error) (no syscall.Errno) {
	if err != nil && !errors.As(err, &no) {
		panic(err)
	}
	return no
}

func TestNamesOfFiles(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		dir, err := files.OpenDir(t.TempDir())
		require.NoError(t, err)
		defer dir.Close()
		for _, d := range []files.Disk{dir, simnet.NewDisk(simnet.DiskConfig{})} {
			for _, name := range []string{"", "/", "/a", "../a", "a/../b", "a/", "a//b", "./a", "."} {
				_, err := d.Open(name)
				require.ErrorIs(t, err, fs.ErrInvalid, name)
				_, err = d.Create(name)
				require.ErrorIs(t, err, fs.ErrInvalid, name)
				require.ErrorIs(t, d.Mkdir(name), fs.ErrInvalid, name)
				require.ErrorIs(t, d.Remove(name), fs.ErrInvalid, name)
				require.ErrorIs(t, d.Rename(name, "x"), fs.ErrInvalid, name)
				require.ErrorIs(t, d.Rename("x", name), fs.ErrInvalid, name)
				if name != "." {
					_, err = d.ReadDir(name)
					require.ErrorIs(t, err, fs.ErrInvalid, name)
					require.ErrorIs(t, d.SyncDir(ctx, name), fs.ErrInvalid, name)
				}
			}
			require.NoError(t, d.SyncDir(ctx, "."))
			require.ErrorIs(t, d.SyncDir(ctx, "x"), fs.ErrNotExist)
			_, err = d.ReadDir("x")
			require.ErrorIs(t, err, fs.ErrNotExist)
		}
	})
}

// What an open file does is the same on both, too.
func TestOpenFiles(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		dir, err := files.OpenDir(t.TempDir())
		require.NoError(t, err)
		defer dir.Close()
		for _, d := range []files.Disk{dir, simnet.NewDisk(simnet.DiskConfig{Sector: sector})} {
			f, err := d.Create("a")
			require.NoError(t, err)
			n, err := f.WriteAt([]byte("hello"), 3)
			require.NoError(t, err)
			require.Equal(t, 5, n)
			p := make([]byte, 20)
			n, err = f.ReadAt(p, 2)
			require.Equal(t, "\x00hello", string(p[:n]))
			require.Equal(t, io.EOF, err)
			n, err = f.ReadAt(p[:3], 5)
			require.Equal(t, "llo", string(p[:n]))
			require.NoError(t, err)
			n, err = f.ReadAt(p, 100)
			require.Zero(t, n)
			require.Equal(t, io.EOF, err)
			_, err = f.ReadAt(p, -1)
			require.Error(t, err)
			_, err = f.WriteAt(p, -1)
			require.Error(t, err)
			require.Error(t, f.Truncate(-1))

			require.NoError(t, d.Remove("a")) // who has it open keeps it
			_, err = f.WriteAt([]byte("J"), 3)
			require.NoError(t, err)
			n, _ = f.ReadAt(p, 3)
			require.Equal(t, "Jello", string(p[:n]))
			require.NoError(t, f.Sync(ctx))
			require.NoError(t, f.Close())
			require.ErrorIs(t, f.Close(), fs.ErrClosed)
			require.ErrorIs(t, f.Sync(ctx), fs.ErrClosed)
			require.ErrorIs(t, f.Truncate(1), fs.ErrClosed)
			_, err = f.ReadAt(p, 0)
			require.ErrorIs(t, err, fs.ErrClosed)
			_, err = f.WriteAt(p, 0)
			require.ErrorIs(t, err, fs.ErrClosed)
			_, err = f.Size()
			require.ErrorIs(t, err, fs.ErrClosed)
		}
	})
}

// A Sync takes time, and is good for what was written before it: not for what comes
// meanwhile, and for nothing if the power fails first.
func TestSyncTakesTime(t *testing.T) {
	write := func(t *testing.T, f files.File, data string) {
		_, err := f.WriteAt([]byte(data), 0)
		require.NoError(t, err)
	}
	for seed := range uint64(20) {
		require.NoError(t, asynciotest.Simulate(seed, func(ctx context.Context) error {
			d := simnet.NewDisk(simnet.DiskConfig{Seed: seed, Sync: simnet.Uniform(10*time.Millisecond, 20*time.Millisecond)})
			f, err := d.Create("a")
			require.NoError(t, err)
			write(t, f, "old")
			before := asynciotest.Now(ctx)
			require.NoError(t, f.Sync(ctx))
			require.NoError(t, d.SyncDir(ctx, "."))
			took := asynciotest.Now(ctx) - before
			assert.True(t, 20*time.Millisecond <= took && took <= 40*time.Millisecond, "%v", took)

			synced := asyncio.Go(ctx, f.Sync)
			write(t, f, "mid") // before the task has begun
			require.NoError(t, asyncio.Sleep(ctx, time.Millisecond))
			write(t, f, "new")
			_, err = synced.Await(ctx)
			require.NoError(t, err)
			left := map[string]bool{}
			for state := range d.CrashStates() {
				left[show(t, state)] = true
			}
			require.Equal(t, map[string]bool{"a \"mid\"\n": true, "a \"new\"\n": true}, left)

			names := asyncio.Go(ctx, func(ctx context.Context) error { return d.SyncDir(ctx, ".") })
			require.NoError(t, asyncio.Sleep(ctx, time.Millisecond))
			require.NoError(t, d.Rename("a", "b"))
			_, err = names.Await(ctx)
			require.NoError(t, err)
			for state := range d.CrashStates() {
				_, err := state.Open("a")
				require.NoError(t, err, "the first state has the old name")
				break
			}
			require.NoError(t, d.Rename("b", "a"))
			require.NoError(t, d.SyncDir(ctx, "."))

			synced = asyncio.Go(ctx, f.Sync)
			require.NoError(t, asyncio.Sleep(ctx, time.Millisecond))
			d.Crash()
			_, err = synced.Await(ctx)
			require.ErrorIs(t, err, fs.ErrClosed)
			require.Contains(t, left, show(t, d))
			_, err = f.WriteAt([]byte("x"), 0)
			require.ErrorIs(t, err, fs.ErrClosed)
			return nil
		}))
	}
}

func TestDiskIsFull(t *testing.T) {
	d := simnet.NewDisk(simnet.DiskConfig{Seed: 4, Capacity: 10})
	f, err := d.Create("a")
	require.NoError(t, err)
	n, err := f.WriteAt([]byte("0123456789ABC"), 2)
	require.Equal(t, 8, n, "what there is room for is written")
	require.ErrorIs(t, err, syscall.ENOSPC)
	g, err := d.Create("b")
	require.NoError(t, err)
	n, err = g.WriteAt([]byte("x"), 0)
	require.Zero(t, n)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorIs(t, g.Truncate(1), syscall.ENOSPC)
	n, err = f.WriteAt([]byte("y"), 0)
	require.Equal(t, 1, n, "it needs no room")
	require.NoError(t, err)
	require.NoError(t, f.Truncate(9))
	_, err = g.WriteAt([]byte("x"), 0)
	require.NoError(t, err)
	require.NoError(t, d.Rename("b", "a")) // and a's nine bytes are free
	_, err = g.WriteAt([]byte("012345678"), 1)
	require.NoError(t, err)
	require.NoError(t, d.Remove("a"))
	f, err = d.Create("c")
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, 10), 0)
	require.NoError(t, err)
	d.Crash()
	require.Empty(t, show(t, d), "this seed loses all")
	f, err = d.Create("d")
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, 10), 0)
	require.NoError(t, err, "what a crash has taken away takes no room")
	require.NoError(t, f.Sync(t.Context()))
	require.NoError(t, d.SyncDir(t.Context(), "."))
	d.Crash()
	f, err = d.Open("d")
	require.NoError(t, err)
	n, err = f.WriteAt(make([]byte, 3), 8)
	require.Equal(t, 2, n, "what it has left does")
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, d.Remove("d"))
	f, err = d.Create("e")
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, 10), 0)
	require.NoError(t, err)
}

func TestDiskErrors(t *testing.T) {
	ctx := t.Context()
	d := simnet.NewDisk(simnet.DiskConfig{Seed: 3, Sector: sector})
	f, err := d.Create("a")
	require.NoError(t, err)
	_, err = f.WriteAt([]byte(strings.Repeat("a", 20)), 0)
	require.NoError(t, err)
	require.NoError(t, f.Sync(ctx))
	require.NoError(t, d.SyncDir(ctx, "."))

	d.SetFaults(simnet.DiskFaults{Read: 1, Write: 1})
	short := 0
	for range 50 {
		n, err := f.ReadAt(make([]byte, 20), 0)
		require.ErrorIs(t, err, syscall.EIO)
		require.Less(t, n, 20)
		m, err := f.WriteAt([]byte(strings.Repeat("b", 20)), 0)
		require.ErrorIs(t, err, syscall.EIO)
		require.Less(t, m, 20)
		if n > 0 && m > 0 {
			short++
		}
	}
	require.Greater(t, short, 10)

	d.SetFaults(simnet.DiskFaults{})
	require.NoError(t, f.Sync(ctx))
	_, err = f.WriteAt([]byte("cccccccc"), 0)
	require.NoError(t, err)
	d.SetFaults(simnet.DiskFaults{Sync: 1})
	require.ErrorIs(t, f.Sync(ctx), syscall.EIO)
	require.ErrorIs(t, d.SyncDir(ctx, "."), syscall.EIO)
	d.SetFaults(simnet.DiskFaults{Read: 0.5})
	failed := 0
	for range 100 {
		if _, err := f.ReadAt(make([]byte, 1), 0); err != nil {
			failed++
		}
	}
	require.True(t, 20 < failed && failed < 80, failed)
}

// After a Sync that has failed, what it was for is lost or not, and a later Sync
// does not bring it back.
func TestFailedSyncIsForGood(t *testing.T) {
	states := map[string]int{}
	for seed := range uint64(100) {
		d := simnet.NewDisk(simnet.DiskConfig{Seed: seed, Sector: sector})
		f, err := d.Create("a")
		require.NoError(t, err)
		require.NoError(t, d.SyncDir(t.Context(), "."))
		_, err = f.WriteAt([]byte("AAAABBBB"), 0)
		require.NoError(t, err)
		d.SetFaults(simnet.DiskFaults{Sync: 1})
		require.ErrorIs(t, f.Sync(t.Context()), syscall.EIO)
		d.SetFaults(simnet.DiskFaults{})
		require.NoError(t, f.Sync(t.Context()))
		require.Equal(t, "a \"AAAABBBB\"\n", show(t, d), "it is still read")
		d.Crash()
		states[show(t, d)]++
	}
	require.Len(t, states, 4, "%v", states)
}

func TestCorruption(t *testing.T) {
	for seed := range uint64(20) {
		d := simnet.NewDisk(simnet.DiskConfig{Seed: seed, Sector: sector})
		f, err := d.Create("a")
		require.NoError(t, err)
		_, err = f.WriteAt(make([]byte, 18), 0)
		require.NoError(t, err)
		require.NoError(t, f.Sync(t.Context()))
		require.NoError(t, d.SyncDir(t.Context(), "."))
		clean := show(t, d)
		require.NoError(t, d.Corrupt("a", 17))
		require.NotEqual(t, clean, show(t, d))
		was := show(t, d)
		d.SetFaults(simnet.DiskFaults{Corrupt: 1})
		p := make([]byte, 18)
		_, err = f.ReadAt(p, 0)
		require.NoError(t, err)
		for s := 0; s < 16; s += sector {
			require.NotEqual(t, make([]byte, sector), p[s:s+sector], "each sector")
		}
		d.SetFaults(simnet.DiskFaults{})
		after := show(t, d)
		require.NotEqual(t, was, after)
		d.Crash()
		require.Equal(t, after, show(t, d), "it is so on the disk")
		require.ErrorIs(t, d.Corrupt("a", 18), io.EOF)
		require.ErrorIs(t, d.Corrupt("b", 0), fs.ErrNotExist)
	}
}

// The same seed, the same disk.
func TestDiskSeed(t *testing.T) {
	run := func(seed uint64) string {
		r := rand.New(rand.NewPCG(7, 7))
		d := simnet.NewDisk(simnet.DiskConfig{Seed: seed, Sector: sector, Faults: simnet.DiskFaults{Write: 0.1, Sync: 0.1, Corrupt: 0.01}})
		var b strings.Builder
		for range 5 {
			for range 40 {
				if err := randomStep(r).on(t.Context(), d); err != nil {
					b.WriteString(err.Error())
				}
			}
			d.Crash()
			b.WriteString(show(t, d))
		}
		return b.String()
	}
	require.Equal(t, run(1), run(1))
	require.NotEqual(t, run(1), run(2))
}
