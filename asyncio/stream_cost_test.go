//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"context"
	"net"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// pingPong starts an echo that reads by ReadInto, and returns one round of a
// client of it.
func pingPong(tb testing.TB, ctx context.Context, size int) (round func(), end func()) {
	server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
		defer w.Close()
		p := make([]byte, 1<<14)
		for {
			n, err := r.ReadInto(ctx, p)
			if err != nil {
				return nil
			}
			w.Write(p[:n])
			if err := w.Drain(ctx); err != nil {
				return err
			}
		}
	})
	if err != nil {
		tb.Fatal(err)
	}
	r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	p := make([]byte, size)
	round = func() {
		w.Write(p)
		for n := 0; n < size; {
			m, err := r.ReadInto(ctx, p)
			if err != nil {
				tb.Fatal(err)
			}
			n += m
		}
	}
	return round, func() { w.Close(); server.Close(); server.WaitClosed(ctx) }
}

// In the steady state a connection allocates nothing.
func TestStreamAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	if !asyncio.WatchesDescriptors {
		t.Skip("goroutines read and write, and what they post is allocated")
	}
	onSockets(t, func(ctx context.Context) error {
		for _, size := range []int{64, 1024, 9000} {
			round, end := pingPong(t, ctx, size)
			for range 10 {
				round()
			}
			if n := testing.AllocsPerRun(200, round); n >= 1 {
				t.Errorf("an echo of %d bytes allocates %.2f times", size, n)
			}
			end()
		}
		return nil
	})
}

// An idle connection, with its task that waits for data, takes little memory.
func TestStreamIdleMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory")
	}
	const n = 400
	most := uint64(8 << 10)
	if !asyncio.WatchesDescriptors {
		most *= 2 // with a goroutine, and the memory that it reads into
	}
	onSockets(t, func(ctx context.Context) error {
		used := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc + m.StackInuse
		}
		began := 0
		server := serving(t, ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			defer w.Close()
			began++
			for {
				p, err := r.Read(ctx, 100)
				if err != nil {
					return nil
				}
				w.Write(p)
			}
		}, asyncio.WithBacklog(n))
		to := server.Addr().(*net.TCPAddr)
		dialAll := func(n int) (fds []int) { // with nothing of Go's around the clients
			for range n {
				fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
				require.NoError(t, err)
				t.Cleanup(func() { unix.Close(fd) })
				require.NoError(t, unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}))
				unix.Write(fd, make([]byte, 10))
				fds = append(fds, fd)
			}
			for want := began + n; began < want; {
				asyncio.Sleep(ctx, 0)
			}
			for _, fd := range fds {
				if err := asyncio.ToThreadFunc(ctx, func(context.Context) error { _, err := unix.Read(fd, make([]byte, 10)); return err }); err != nil {
					t.Fatal(err)
				}
			}
			return fds
		}
		dialAll(10)
		before := used()
		dialAll(n)
		if each := (used() - before) / n; each > most {
			t.Errorf("an idle connection takes %d bytes, want at most %d", each, most)
		} else {
			t.Logf("an idle connection takes %d bytes", each)
		}
		server.CloseClients()
		server.Close()
		return server.WaitClosed(ctx)
	})
}

func BenchmarkStreamEcho(b *testing.B) {
	b.ReportAllocs()
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		round, end := pingPong(b, ctx, 64)
		defer end()
		for b.Loop() {
			round()
		}
		return nil
	})
}
