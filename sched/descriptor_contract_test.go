//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package sched_test

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/sched"
)

// What every DescriptorPoller promises.

func init() {
	busy = func(t *testing.T, p sched.DescriptorPoller) {
		a, b := pair(t)
		w := &watched{}
		fails(t, sched.Added(p, &w.Descriptor, a, w, sched.Readable), nil)
		t.Cleanup(func() {
			if runtime.KeepAlive(b); w.told != 0 {
				t.Errorf("told %d times of nothing: %v", w.told, w.seen)
			}
		})
	}
}

// A watched is a descriptor that notes what it is told.
type watched struct {
	sched.Descriptor
	told int
	seen sched.Events
}

func (w *watched) Happened(ev sched.Events) {
	w.told++
	w.seen |= ev
}

// asked returns what w is told when p is asked.
func (w *watched) asked(p sched.Poller) sched.Events {
	w.told, w.seen = 0, 0
	p.Wait(0)
	return w.seen
}

// await waits until w has been told of ev.
func (w *watched) await(p sched.Poller, ev sched.Events) {
	for w.seen = 0; w.seen&ev != ev; {
		p.Wait(sched.Never)
	}
}

func (w *watched) add(t *testing.T, p sched.DescriptorPoller, fd int, ev sched.Events) {
	t.Helper()
	fails(t, sched.Added(p, &w.Descriptor, fd, w, ev), nil)
}

// expect checks what w is told now.
func (w *watched) expect(t *testing.T, p sched.Poller, want sched.Events) {
	t.Helper()
	if got := w.asked(p); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

func write(t *testing.T, fd int, s string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(s)); n != len(s) {
		t.Fatalf("wrote %d bytes of %d: %v", n, len(s), err)
	}
}

func read(t *testing.T, fd int, want string) {
	t.Helper()
	p := make([]byte, len(want)+1)
	n, err := unix.Read(fd, p)
	if string(p[:max(n, 0)]) != want || err != nil {
		t.Errorf("read %q, %v; want %q", p[:max(n, 0)], err, want)
	}
}

// pipe returns the ends of a pipe that does not block.
func pipe(t *testing.T) (r, w int) {
	t.Helper()
	var ends [2]int
	if err := unix.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	for _, fd := range ends {
		unix.CloseOnExec(fd)
		unix.SetNonblock(fd, true)
	}
	return ends[0], ends[1]
}

// tcp returns the ends of a TCP connection that do not block.
func tcp(t *testing.T) (a, b int) {
	t.Helper()
	socket := func() int {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.CloseOnExec(fd)
		return fd
	}
	ls := socket()
	defer unix.Close(ls)
	unix.Bind(ls, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	unix.Listen(ls, 1)
	at, err := unix.Getsockname(ls)
	if err != nil {
		t.Fatal(err)
	}
	a = socket()
	if err := unix.Connect(a, at); err != nil {
		t.Fatal(err)
	}
	if b, _, err = unix.Accept(ls); err != nil {
		t.Fatal(err)
	}
	unix.SetNonblock(a, true)
	unix.SetNonblock(b, true)
	return a, b
}

// openFDs returns how many descriptors below 1024 are open.
func openFDs() (n int) {
	for fd := range 1024 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}

func TestDescriptorContract(t *testing.T) {
	eachPoller(t, func(t *testing.T, k pollerKind) {
		if _, ok := k.make().(sched.DescriptorPoller); !ok {
			t.Skip("it watches no descriptors")
		}
		for _, c := range []struct {
			name string
			run  func(t *testing.T, p sched.DescriptorPoller)
		}{
			{"edge", edge},
			{"edge, half closed", edgeHalfClosed},
			{"edge, reset", edgeReset},
			{"level", level},
			{"level, change", levelChange},
			{"level, end", levelEnd},
			{"removed in between", removedBetween},
			{"removed before it is told", removedBefore},
			{"number reused", numberReused},
			{"closed by another", closedByAnother},
			{"pipe without a reader", pipeWithoutReader},
			{"no descriptor", noDescriptor},
			{"wakes and events", wakesAndEvents},
		} {
			t.Run(c.name, func(t *testing.T) {
				before := openFDs()
				t.Cleanup(func() { // after those of the descriptors
					if after := openFDs(); after > before {
						t.Errorf("%d descriptors are open, %d were", after, before)
					}
				})
				p := k.make().(sched.DescriptorPoller)
				c.run(t, p)
				fails(t, p.Close(), nil)
				p.Wake()
			})
		}
	})
}

// What was told is not told again; what is new is, also if the old is still there.
func edge(t *testing.T, p sched.DescriptorPoller) {
	a, b := pair(t)
	w := &watched{}
	w.add(t, p, a, 0)
	w.expect(t, p, sched.Writable)
	w.expect(t, p, 0)
	write(t, b, "one")
	w.await(p, sched.Readable)
	w.expect(t, p, 0)
	write(t, b, "two")
	w.await(p, sched.Readable)
	w.expect(t, p, 0)
	read(t, a, "onetwo")
	w.expect(t, p, 0)
	fails(t, p.Remove(&w.Descriptor), nil)
	write(t, b, "three")
	w.expect(t, p, 0)
	w.add(t, p, a, 0) // at first everything counts as new
	w.await(p, sched.Readable|sched.Writable)
	fails(t, p.Remove(&w.Descriptor), nil)
}

func edgeHalfClosed(t *testing.T, p sched.DescriptorPoller) {
	a, b := tcp(t)
	w := &watched{}
	w.add(t, p, a, 0)
	w.await(p, sched.Writable)
	write(t, b, "the last")
	unix.Shutdown(b, unix.SHUT_WR)
	w.await(p, sched.Readable|sched.HungUp)
	read(t, a, "the last") // what came before the end is there
	read(t, a, "")
	write(t, a, "still open")
	fails(t, p.Remove(&w.Descriptor), nil)
	unix.Close(a)
	unix.Close(b)
}

func edgeReset(t *testing.T, p sched.DescriptorPoller) {
	a, b := tcp(t)
	w := &watched{}
	w.add(t, p, a, 0)
	w.await(p, sched.Writable)
	unix.SetsockoptLinger(b, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(b)
	w.await(p, sched.Readable|sched.Writable|sched.HungUp)
	if _, err := unix.Read(a, make([]byte, 1)); err != unix.ECONNRESET {
		t.Errorf("read: %v", err)
	}
	fails(t, p.Remove(&w.Descriptor), nil)
	unix.Close(a)
}

func level(t *testing.T, p sched.DescriptorPoller) {
	a, b := pair(t)
	w := &watched{}
	w.add(t, p, a, sched.Readable)
	w.expect(t, p, 0)
	write(t, b, "ab")
	w.await(p, sched.Readable)
	for range 3 {
		w.expect(t, p, sched.Readable)
	}
	p.Wait(sched.Never) // does not wait
	read(t, a, "ab")
	w.expect(t, p, 0)
	fails(t, p.Remove(&w.Descriptor), nil)
}

func levelChange(t *testing.T, p sched.DescriptorPoller) {
	a, b := pair(t)
	w := &watched{}
	w.add(t, p, a, sched.Readable)
	write(t, b, "x")
	w.await(p, sched.Readable)
	for _, ev := range []sched.Events{sched.Writable, sched.Readable | sched.Writable, sched.Readable, sched.Writable} {
		fails(t, sched.Changed(p, &w.Descriptor, ev), nil)
		w.expect(t, p, ev)
		w.expect(t, p, ev)
	}
	fails(t, p.Remove(&w.Descriptor), nil)
	w.expect(t, p, 0)
}

// The end is told each time, too.
func levelEnd(t *testing.T, p sched.DescriptorPoller) {
	a, b := tcp(t)
	w := &watched{}
	w.add(t, p, a, sched.Readable)
	unix.Close(b)
	w.await(p, sched.Readable|sched.HungUp)
	w.expect(t, p, sched.Readable|sched.HungUp)
	fails(t, p.Remove(&w.Descriptor), nil)
	unix.Close(a)
}

// One of several is removed: the others are told as before.
func removedBetween(t *testing.T, p sched.DescriptorPoller) {
	var all [5]watched
	for i := range all {
		a, b := pair(t)
		write(t, b, "x")
		all[i].add(t, p, a, sched.Readable)
	}
	for gone := range all {
		for i := range all {
			want := sched.Readable
			if i < gone {
				want = 0
			}
			all[i].expect(t, p, want)
		}
		fails(t, p.Remove(&all[gone].Descriptor), nil)
	}
	if p.Busy() {
		t.Error("it is busy with nothing")
	}
}

// What has happened before the Remove is not told after it.
func removedBefore(t *testing.T, p sched.DescriptorPoller) {
	a, b := pair(t)
	c, d := pair(t)
	w, other := &watched{}, &watched{}
	w.add(t, p, a, 0)
	other.add(t, p, c, 0)
	other.await(p, sched.Writable)
	write(t, b, "x")
	write(t, d, "x")
	told := w.told
	fails(t, p.Remove(&w.Descriptor), nil)
	other.await(p, sched.Readable)
	if w.told != told {
		t.Errorf("it is told %v", w.seen)
	}
	fails(t, p.Remove(&other.Descriptor), nil)
}

// reuse gives the number of a, which it closes, to b, and closes that.
func reuse(t *testing.T, a, b int) {
	t.Helper()
	if err := unix.Dup2(b, a); err != nil {
		t.Fatal(err)
	}
}

func numberReused(t *testing.T, p sched.DescriptorPoller) {
	a, b := pair(t)
	c, d := pair(t)
	old, young := &watched{}, &watched{}
	old.add(t, p, a, 0)
	old.await(p, sched.Writable)
	write(t, b, "for the old one")
	fails(t, p.Remove(&old.Descriptor), nil)
	reuse(t, a, c)
	young.add(t, p, a, 0)
	young.expect(t, p, sched.Writable)
	old.expect(t, p, 0)
	write(t, d, "x")
	young.await(p, sched.Readable)
	if old.told != 0 {
		t.Errorf("the old one is told %v", old.seen)
	}
	fails(t, p.Remove(&young.Descriptor), nil)
}

// A descriptor that another goroutine has closed, its number already watched
// again: to remove it does not touch the new one. Nor is that one told what
// happens to the old one, which is still open in a child process, say.
func closedByAnother(t *testing.T, p sched.DescriptorPoller) {
	a, b := pair(t)
	kept, err := unix.Dup(a)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(kept)
	c, d := pair(t)
	old, young := &watched{}, &watched{}
	old.add(t, p, a, 0)
	old.await(p, sched.Writable)
	old.Gone()
	reuse(t, a, c)
	old.told = 0
	young.add(t, p, a, 0)
	young.await(p, sched.Writable)
	write(t, b, "x")
	young.expect(t, p, 0)
	fails(t, p.Remove(&old.Descriptor), nil)
	if !p.Busy() {
		t.Error("the new one is not watched")
	}
	write(t, d, "x")
	young.await(p, sched.Readable)
	fails(t, p.Remove(&young.Descriptor), nil)
	if old.told != 0 {
		t.Errorf("the old one is told %v", old.seen)
	}
	if p.Busy() {
		t.Error("it is busy with nothing")
	}
}

func pipeWithoutReader(t *testing.T, p sched.DescriptorPoller) {
	for _, ev := range []sched.Events{0, sched.Writable} {
		r, wr := pipe(t)
		w := &watched{}
		w.add(t, p, wr, ev)
		w.await(p, sched.Writable)
		unix.Close(r)
		w.await(p, sched.Writable|sched.HungUp)
		if _, err := unix.Write(wr, []byte("x")); err != unix.EPIPE {
			t.Errorf("write: %v", err)
		}
		fails(t, p.Remove(&w.Descriptor), nil)
		unix.Close(wr)
	}
}

func noDescriptor(t *testing.T, p sched.DescriptorPoller) {
	w := &watched{}
	for _, fd := range []int{-1, 1 << 30} {
		fails(t, sched.Added(p, &w.Descriptor, fd, w, 0), unix.EBADF)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if runtime.GOOS == "linux" { // kqueue watches files
		fails(t, sched.Added(p, &w.Descriptor, int(f.Fd()), w, 0), unix.EPERM)
	}
	if p.Busy() {
		t.Error("it is busy with nothing")
	}
	a, _ := pair(t)
	w.add(t, p, a, 0)
	fails(t, sched.Added(p, new(sched.Descriptor), a, w, 0), sched.ErrWatched)
	w.expect(t, p, sched.Writable) // it is still the first one that is told
	fails(t, p.Remove(&w.Descriptor), nil)
}

// Wakes do not hide events, nor events wakes.
func wakesAndEvents(t *testing.T, p sched.DescriptorPoller) {
	a, b := pair(t)
	w := &watched{}
	w.add(t, p, a, sched.Readable)
	const rounds = 500
	next, ended := make(chan int), make(chan bool)
	var mu sync.Mutex
	woken := -1
	go func() {
		defer close(ended)
		for i := range next {
			if i%2 == 0 {
				unix.Write(b, []byte{byte(i)})
			}
			mu.Lock()
			woken = i
			mu.Unlock()
			p.Wake()
			if i%2 == 1 {
				unix.Write(b, []byte{byte(i)})
			}
		}
	}()
	var one [1]byte
	for i := range rounds {
		next <- i
		for got, seen := false, false; !got || !seen; {
			p.Wait(sched.Never)
			mu.Lock()
			seen = woken == i
			mu.Unlock()
			if n, _ := unix.Read(a, one[:]); n == 1 {
				got = true
			}
		}
	}
	close(next)
	<-ended
	fails(t, p.Remove(&w.Descriptor), nil)
}

// While others call Wake the poller is closed, and its numbers go to pipes at
// once: nothing is written to them.
func TestWakeWhileClosing(t *testing.T) {
	eachPoller(t, func(t *testing.T, k pollerKind) {
		for range 100 {
			p, ok := k.make().(sched.DescriptorPoller)
			if !ok {
				t.Skip("it watches no descriptors")
			}
			a, b := openPair(t)
			w := &watched{}
			w.add(t, p, a, sched.Readable)
			var all sync.WaitGroup
			var count atomic.Int64
			for range 2 {
				all.Go(func() {
					for range 500 {
						p.Wake()
						count.Add(1)
					}
				})
			}
			for count.Load() < 100 {
				p.Wait(time.Second)
			}
			fails(t, p.Close(), nil)
			var ends [3][2]int
			for i := range ends {
				ends[i][0], ends[i][1] = openPair(t)
			}
			all.Wait()
			for _, e := range ends {
				for _, fd := range e {
					if n, err := unix.Read(fd, make([]byte, 8)); err != unix.EAGAIN {
						t.Errorf("%d bytes are written to a descriptor of another: %v", n, err)
					}
				}
				unix.Close(e[0])
				unix.Close(e[1])
			}
			unix.Close(a)
			unix.Close(b)
		}
	})
}

// More are ready than one call brings: all are told, by edge and by level, and
// one that becomes ready later does not wait for ever.
func TestManyDescriptors(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n := int(min(uint64(limit.Cur), 10_000+100)) - 100
	if testing.Short() {
		n = min(n, 2000)
	}
	eachPoller(t, func(t *testing.T, k pollerKind) {
		for name, ev := range map[string]sched.Events{"edge": 0, "level": sched.Readable} {
			t.Run(name, func(t *testing.T) {
				p, ok := k.make().(sched.DescriptorPoller)
				if !ok {
					t.Skip("it watches no descriptors")
				}
				a, b := pair(t)
				all := make([]watched, 0, n)
				for range n {
					fd, err := unix.FcntlInt(uintptr(a), unix.F_DUPFD_CLOEXEC, 0)
					if err != nil {
						break
					}
					all = append(all, watched{})
					all[len(all)-1].add(t, p, fd, ev)
				}
				t.Logf("%d descriptors", len(all))
				if len(all) < 600 {
					t.Error("that is less than two calls bring")
				}
				write(t, b, "x")
				left := func() (n int) {
					for i := range all {
						if all[i].seen&sched.Readable == 0 {
							n++
						}
					}
					return n
				}
				for calls := 0; left() > 0; calls++ {
					if calls > len(all) {
						t.Errorf("%d are not told after %d calls", left(), calls)
						break
					}
					p.Wait(time.Second)
				}
				for i := range all {
					fails(t, p.Remove(&all[i].Descriptor), nil)
					unix.Close(all[i].Fd())
				}
				fails(t, p.Close(), nil)
			})
		}
	})
}
