//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// socketPair returns the ends of a connection that do not block, until the end
// of the test.
func socketPair(t testing.TB) (a, b int) {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	for _, fd := range ends {
		unix.CloseOnExec(fd)
		unix.SetNonblock(fd, true)
		t.Cleanup(func() { unix.Close(fd) })
	}
	return ends[0], ends[1]
}

// logged is a callback that notes its name.
type logged []string

func (l *logged) note(name string) func() { return func() { *l = append(*l, name) } }

func (l *logged) same(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(*l, want) {
		t.Errorf("got %q, want %q", *l, want)
	}
	*l = nil
}

// The rules of add_reader and add_writer: what CPython does with the same steps.
func TestAddReader(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := socketPair(t)
		var log logged
		same := func(what string, got, want any) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		must := func(err error) {
			t.Helper()
			assert.NoError(t, err)
		}
		same("remove nothing", l.RemoveReader(a), false)
		must(l.AddReader(a, log.note("r")))
		turns(ctx, 3)
		log.same(t)
		unix.Write(b, []byte("x"))
		until(ctx, func() bool { return len(log) == 3 }) // by level: in each turn
		same("remove the writer", l.RemoveWriter(a), false)
		log = nil
		must(l.AddReader(a, log.note("r2"))) // in its place
		must(l.AddWriter(a, log.note("w")))
		turns(ctx, 3)
		if len(log) < 2 || log[0] != "r2" || log[1] != "w" {
			t.Errorf("the reader comes before the writer: %q", log)
		}
		for _, name := range log {
			if name == "r" {
				t.Errorf("the old reader is called: %q", log)
			}
		}
		same("remove", l.RemoveReader(a), true)
		log = nil
		turns(ctx, 3)
		if len(log) == 0 || slices.Contains(log, "r2") {
			t.Errorf("only the writer is left: %q", log)
		}
		same("remove again", l.RemoveReader(a), false)
		same("remove", l.RemoveWriter(a), true)
		log = nil
		turns(ctx, 3)
		log.same(t)
		must(l.AddWriter(a, log.note("w")))
		turns(ctx, 2)
		same("remove", l.RemoveWriter(a), true)
	})
}

// A reader that is removed, or replaced, by what runs before it in its turn is
// not called any more.
func TestRemoveReaderInItsTurn(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := socketPair(t)
		c, d := socketPair(t)
		unix.Write(b, []byte("x"))
		unix.Write(d, []byte("x"))
		var log logged
		both := func(name string, own, other int) func() {
			return func() {
				log = append(log, name)
				l.RemoveReader(own)
				if !l.RemoveReader(other) {
					t.Error("the other one was not there")
				}
			}
		}
		l.AddReader(a, both("a", a, c))
		l.AddReader(c, both("c", c, a))
		until(ctx, func() bool { return len(log) > 0 })
		turns(ctx, 3)
		if len(log) != 1 {
			t.Errorf("both are called: %q", log)
		}
		log = nil
		l.AddReader(a, func() {
			log = append(log, "a")
			l.RemoveReader(a)
			l.AddWriter(a, func() {
				log = append(log, "new")
				l.RemoveWriter(a)
			})
		})
		l.AddWriter(a, log.note("old"))
		until(ctx, func() bool { return slices.Contains(log, "new") })
		if i := slices.Index(log, "a"); i < 0 || slices.Contains(log[i:], "old") {
			t.Errorf("the replaced writer is called: %q", log)
		}
	})
}

func TestAddReaderRefuses(t *testing.T) {
	var left *asyncio.Loop
	a, b := socketPair(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		left = l
		nothing := func() {}
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		require.NoError(t, err)
		defer f.Close()
		fails := func(err error, class string, is error) {
			t.Helper()
			if class != "" && pyName(err) != class || is != nil && !errors.Is(err, is) || err == nil {
				t.Errorf("%v, want %s%v", err, class, is)
			}
		}
		fails(l.AddReader(-1, nothing), "ValueError", nil)
		fails(l.AddReader(a, nil), "TypeError", nil)
		fails(l.AddReader(1<<30, nothing), "", syscall.EBADF)
		if runtime.GOOS == "linux" { // kqueue watches files
			fails(l.AddReader(int(f.Fd()), nothing), "", syscall.EPERM)
		}
		s := newSocket(t, "tcp")
		s.Bind("127.0.0.1:0")
		s.Listen(0)
		accept := asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := s.Accept(ctx)
			return err
		})
		turns(ctx, 2)
		err = l.AddReader(s.Fd(), nothing)
		fails(err, "RuntimeError", nil)
		if !strings.Contains(err.Error(), "is used by") {
			t.Error(err)
		}
		if l.RemoveReader(s.Fd()) {
			t.Error("the socket's own is removed")
		}
		s.Close()
		if _, err := accept.Await(ctx); err == nil {
			t.Error("accepted on a closed socket")
		}
		l.AddReader(a, nothing) // left to Close
	})
	if err := left.AddReader(b, func() {}); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Error(err)
	}
	if left.RemoveReader(a) {
		t.Error("removed from a closed loop")
	}
}

// The panic of a reader goes to the exception handler, and the next turn calls it
// again.
func TestReaderPanics(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		told := 0
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told++ })
		a, b := socketPair(t)
		unix.Write(b, []byte("x"))
		l.AddReader(a, func() { panic("in a reader") })
		until(ctx, func() bool { return told == 2 })
		l.RemoveReader(a)
	})
}

// A descriptor alone ends a wait of the loop.
func TestReaderWakesLoop(t *testing.T) {
	l := asyncio.NewLoop()
	defer l.Close()
	a, b := socketPair(t)
	got := make([]byte, 10)
	n := 0
	if err := l.AddReader(a, func() {
		n, _ = unix.Read(a, got)
		l.Stop()
	}); err != nil {
		t.Fatal(err)
	}
	l.CallWhenQuiet(func() {
		go unix.Write(b, []byte("hello"))
	})
	if err := l.RunForever(); err != nil || string(got[:n]) != "hello" {
		t.Errorf("%q, %v", got[:n], err)
	}
}

func ExampleLoop_AddReader() {
	ends, _ := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	for _, fd := range ends {
		unix.SetNonblock(fd, true)
		defer unix.Close(fd)
	}
	loop := asyncio.NewLoop()
	defer loop.Close()
	loop.AddReader(ends[0], func() {
		p := make([]byte, 100)
		n, _ := unix.Read(ends[0], p)
		fmt.Printf("received %q\n", p[:n])
		fmt.Println("there was a reader:", loop.RemoveReader(ends[0]))
		loop.Stop()
	})
	loop.CallSoon(func() { unix.Write(ends[1], []byte("abc")) })
	loop.RunForever()
	// Output:
	// received "abc"
	// there was a reader: true
}
