//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A listener is a protocol that notes what it is told.
type listener struct {
	log   []string
	data  bytes.Buffer
	came  *asyncio.Event // set when something has come
	over  *asyncio.Event // set at the end
	panic string         // the method that panics
}

func newListener() *listener {
	return &listener{came: asyncio.NewEvent(), over: asyncio.NewEvent()}
}

func (p *listener) note(method string, about ...any) {
	p.log = append(p.log, strings.TrimSpace(fmt.Sprintln(append([]any{method}, about...)...)))
	p.came.Set()
	if method == p.panic {
		panic(method)
	}
}

func (p *listener) ConnectionMade(asyncio.Transport) { p.note("made") }
func (p *listener) DataReceived(data []byte) {
	p.data.Write(data)
	p.note("data", len(data))
}
func (p *listener) EOFReceived() bool { p.note("eof"); return true }
func (p *listener) PauseWriting()     { p.note("pause") }
func (p *listener) ResumeWriting()    { p.note("resume") }
func (p *listener) ConnectionLost(err error) {
	p.note("lost", err)
	p.over.Set()
}

func (p *listener) logged(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(p.log, want) {
		t.Errorf("the protocol was told %q, want %q", p.log, want)
	}
}

// osPipe returns a pipe whose ends are closed with the test, if not before.
func osPipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// noLeaks fails the test if there are more open files or goroutines at its end.
func noLeaks(t testing.TB) {
	// What is opened once and stays: by the runtime, to watch files.
	r, w, err := os.Pipe()
	require.NoError(t, err)
	r.Close()
	w.Close()
	files, goroutines := descriptors(t), runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(tooLate); ; time.Sleep(time.Millisecond) {
			runtime.GC()
			f, g := descriptors(t), runtime.NumGoroutine()
			switch {
			case f <= files && g <= goroutines+1: // one is kept idle for the next loop
				return
			case time.Now().After(end):
				t.Errorf("%d files and %d goroutines at the end, %d and %d at first", f, g, files, goroutines)
				return
			}
		}
	})
}

func TestReadPipe(t *testing.T) {
	noLeaks(t)
	r, w := osPipe(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		tr, p, err := asyncio.ConnectReadPipe(ctx, newListener, r)
		if err != nil {
			t.Error(err)
			return
		}
		p.logged(t, "made")
		if _, err := r.Stat(); asyncio.WatchesDescriptors && !errors.Is(err, os.ErrClosed) {
			t.Errorf("the file was not taken over: %v", err)
		}
		if !tr.IsReading() || tr.IsClosing() || tr.Loop() != l || tr.Protocol() != asyncio.BaseProtocol(p) {
			t.Error("the transport does not know itself")
		}
		next := func() {
			p.came.Clear()
			p.came.Wait(ctx)
		}
		io.WriteString(w, "one")
		next()
		tr.PauseReading()
		tr.PauseReading()
		io.WriteString(w, "two, ")
		for range 3 {
			asyncio.Sleep(ctx, time.Millisecond)
		}
		if tr.IsReading() || p.data.String() != "one" {
			t.Errorf("%q was read in a pause", &p.data)
		}
		io.WriteString(w, "three")
		tr.ResumeReading()
		for p.data.Len() < len("onetwo, three") {
			next()
		}
		if asyncio.WatchesDescriptors { // else the first of the two was read ahead
			p.logged(t, "made", "data 3", "data 10")
		}
		io.WriteString(w, "last")
		w.Close()
		p.over.Wait(ctx)
		if n := len(p.log); !slices.Equal(p.log[n-3:], []string{"data 4", "eof", "lost <nil>"}) {
			t.Errorf("the protocol was told %q at the end", p.log)
		}
		if p.data.String() != "onetwo, threelast" {
			t.Errorf("got %q", &p.data)
		}
		tr.Close()
		tr.PauseReading()
		tr.ResumeReading()
		half := tr.(asyncio.Transport)
		if err := half.Write([]byte("x")); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Write: %v", err)
		}
		if half.CanWriteEOF() || half.WriteEOF() == nil || half.WriteLines() == nil || half.SetWriteBufferLimits(1, 1) == nil {
			t.Error("it says that it can write")
		}
	})
}

// All that was written arrives, however much it is and in whatever order things
// happen.
func TestPipesCarryMuch(t *testing.T) {
	noLeaks(t)
	r, w := osPipe(t)
	const much = 10 << 20
	data := make([]byte, much)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		_, in, err := asyncio.ConnectReadPipe(ctx, newListener, r)
		require.NoError(t, err)
		tr, out, err := asyncio.ConnectWritePipe(ctx, newListener, w)
		require.NoError(t, err)
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 100_000)
			tr.Write(rest[:n])
			rest = rest[n:]
		}
		tr.Close()
		tr.Close()
		if !tr.IsClosing() || slices.Contains(out.log, "lost <nil>") {
			t.Error("closed before all was written")
		}
		tr.Write([]byte("dropped"))
		out.over.Wait(ctx)
		in.over.Wait(ctx)
		out.logged(t, "made", "pause", "resume", "lost <nil>")
		if !bytes.Equal(in.data.Bytes(), data) {
			t.Errorf("%d bytes came, not those that were sent", in.data.Len())
		}
	})
}

// A memory is a protocol that provides the memory itself.
type memory struct {
	listener
	room []byte
}

func (m *memory) GetBuffer(hint int) []byte { return m.room }
func (m *memory) BufferUpdated(n int) {
	m.data.Write(m.room[:n])
	m.note("updated", n)
}

func TestBufferedPipe(t *testing.T) {
	r, w := osPipe(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		_, m, err := asyncio.ConnectReadPipe(ctx, func() *memory { return &memory{*newListener(), make([]byte, 3)} }, r)
		require.NoError(t, err)
		io.WriteString(w, "1234567")
		w.Close()
		m.over.Wait(ctx)
		m.logged(t, "made", "updated 3", "updated 3", "updated 1", "eof", "lost <nil>")
	})

	r, w = osPipe(t)
	defer w.Close()
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		var told []string
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told = append(told, c.Message) })
		_, m, err := asyncio.ConnectReadPipe(ctx, func() *memory { return &memory{listener: *newListener()} }, r)
		require.NoError(t, err)
		io.WriteString(w, "1")
		m.over.Wait(ctx)
		if want := []string{"Fatal error: protocol.get_buffer() call failed."}; !slices.Equal(told, want) {
			t.Errorf("told %q", told)
		}
	})
}

func TestWritePipe(t *testing.T) {
	noLeaks(t)
	r, w := osPipe(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		tr, p, err := asyncio.ConnectWritePipe(ctx, newListener, w)
		require.NoError(t, err)
		if low, high := tr.WriteBufferLimits(); low != 16<<10 || high != 64<<10 {
			t.Errorf("limits %d, %d", low, high)
		}
		for _, c := range []struct{ high, low, h, l int }{{-1, 100, 400, 100}, {100, -1, 100, 25}, {-1, -1, 64 << 10, 16 << 10}, {0, 0, 0, 0}} {
			assert.NoError(t, tr.SetWriteBufferLimits(c.high, c.low))
			if low, high := tr.WriteBufferLimits(); low != c.l || high != c.h {
				t.Errorf("%+v: %d, %d", c, low, high)
			}
		}
		if err := tr.SetWriteBufferLimits(1, 2); pyName(err) != "ValueError" {
			t.Error(err)
		}
		assert.NoError(t, tr.Write(nil))
		tr.WriteLines([]byte("a"), []byte("b"), nil)
		if n := tr.WriteBufferSize(); n != 0 {
			t.Errorf("%d bytes wait though there is room", n)
		}
		big := make([]byte, 1<<20)
		tr.Write(big)
		p.logged(t, "made", "pause")
		if n := tr.WriteBufferSize(); n == 0 || n > len(big) {
			t.Errorf("%d bytes wait", n)
		}
		if err := tr.WriteEOF(); err != nil || !tr.CanWriteEOF() {
			t.Error(err)
		}
		if err := tr.Write([]byte("x")); pyName(err) != "RuntimeError" {
			t.Errorf("Write after WriteEOF: %v", err)
		}
		read := asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) {
			return asyncio.ToThread(ctx, func(context.Context) ([]byte, error) { return io.ReadAll(r) })
		})
		got, err := read.Await(ctx)
		if len(got) != len(big)+2 || string(got[:2]) != "ab" || err != nil {
			t.Errorf("%d bytes came, %v", len(got), err)
		}
		p.over.Wait(ctx)
		p.logged(t, "made", "pause", "resume", "lost <nil>")
	})
}

// The reader goes away.
func TestWritePipeBroken(t *testing.T) {
	noLeaks(t)
	for _, c := range []struct {
		size int
		want error
	}{{0, nil}, {1 << 20, syscall.EPIPE}} {
		if c.size == 0 && !asyncio.WatchesDescriptors {
			continue // only a write tells
		}
		r, w := osPipe(t)
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			tr, p, err := asyncio.ConnectWritePipe(ctx, newListener, w)
			require.NoError(t, err)
			tr.Write(make([]byte, c.size))
			r.Close()
			p.over.Wait(ctx)
			last := p.log[len(p.log)-1]
			if (c.want == nil) != (last == "lost <nil>") || !tr.IsClosing() {
				t.Errorf("with %d bytes: %q", c.size, p.log)
			}
			for range 10 {
				assert.NoError(t, tr.Write([]byte("x")))
			}
		})
	}
	// It is noticed by a write that comes before the event. There is no SIGPIPE.
	r, w := osPipe(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		tr, p, err := asyncio.ConnectWritePipe(ctx, newListener, w)
		require.NoError(t, err)
		r.Close()
		assert.NoError(t, tr.Write([]byte("x")))
		p.over.Wait(ctx)
		p.logged(t, "made", "lost write: broken pipe")
	})
}

func TestWritePipeAbort(t *testing.T) {
	noLeaks(t)
	_, w := osPipe(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		tr, p, err := asyncio.ConnectWritePipe(ctx, newListener, w)
		require.NoError(t, err)
		tr.Write(make([]byte, 1<<20))
		tr.Close()
		p.came.Clear()
		tr.Abort()
		tr.Abort()
		p.logged(t, "made", "pause") // not from inside
		p.over.Wait(ctx)
		p.logged(t, "made", "pause", "lost <nil>")
	})
}

func TestPipesRefuse(t *testing.T) {
	noLeaks(t)
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer file.Close()
	r, w := osPipe(t)
	shut, other := osPipe(t)
	shut.Close()
	other.Close()
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for _, f := range []*os.File{file, nil} {
			if _, _, err := asyncio.ConnectReadPipe(ctx, newListener, f); pyName(err) != "ValueError" {
				t.Error(err)
			}
			if _, _, err := asyncio.ConnectWritePipe(ctx, newListener, f); pyName(err) != "ValueError" {
				t.Error(err)
			}
		}
		if _, err := file.WriteString("still open"); err != nil {
			t.Error(err)
		}
		if _, _, err := asyncio.ConnectReadPipe(ctx, newListener, shut); !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
		if _, _, err := asyncio.ConnectReadPipe(ctx, func() asyncio.BaseProtocol { return lostOnly{} }, r); pyName(err) != "TypeError" {
			t.Error(err)
		}
		if p := panicOf(func() {
			asyncio.ConnectReadPipe(ctx, func() *listener { panic(errors.New("no protocol")) }, r)
		}); p == nil {
			t.Error("the panic of a factory was lost")
		}
		tr, _, err := asyncio.ConnectReadPipe(ctx, newListener, r)
		require.NoError(t, err)
		if p := panicOf(func() { tr.SetProtocol(lostOnly{}) }); p == nil {
			t.Error("a protocol that cannot read was taken")
		}
		tr.SetProtocol(newListener())
		if tr.ExtraInfo("peername") != nil || tr.ExtraInfo("peername", 1) != 1 {
			t.Error("ExtraInfo makes things up")
		}
		raw := tr.ExtraInfo("pipe").(syscall.RawConn)
		assert.NoError(t, raw.Control(func(fd uintptr) { syscall.Fstat(int(fd), new(syscall.Stat_t)) }))
		if raw.Read(nil) == nil || raw.Write(nil) == nil {
			t.Error("the descriptor can be waited for")
		}
		tr.Close()
		asyncio.Sleep(ctx, 0)
		asyncio.Sleep(ctx, 0)
		if err := raw.Control(func(uintptr) {}); !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	if _, _, err := asyncio.ConnectWritePipe(context.Background(), newListener, w); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Error(err)
	}
}

type lostOnly struct{}

func (lostOnly) ConnectionLost(error) {}

// A protocol that panics has its pipe closed, and the exception handler told.
func TestPipeProtocolPanics(t *testing.T) {
	noLeaks(t)
	for _, c := range []struct{ method, name string }{
		{"made", "connection_made"}, {"data", "data_received"}, {"eof", "eof_received"}, {"lost", "connection_lost"},
	} {
		r, w := osPipe(t)
		var told []string
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told = append(told, c.Message) })
			io.WriteString(w, "data")
			w.Close()
			factory := func() *listener { p := newListener(); p.panic = c.method; return p }
			tr, p, err := asyncio.ConnectReadPipe(ctx, factory, r)
			require.NoError(t, err)
			for !strings.HasPrefix(p.log[len(p.log)-1], "lost") {
				p.came.Clear()
				p.came.Wait(ctx)
			}
			if !tr.IsClosing() {
				t.Error("the pipe is still open")
			}
		})
		if want := []string{"Fatal error: protocol." + c.name + "() call failed."}; !slices.Equal(told, want) {
			t.Errorf("%s: told %q", c.method, told)
		}
	}
}

// A connect that is cancelled closes what it has made; its protocol is told.
func TestConnectPipeCancelled(t *testing.T) {
	noLeaks(t)
	r, _ := osPipe(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := newListener()
		connecting := asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := asyncio.ConnectReadPipe(ctx, func() *listener { return p }, r)
			return err
		})
		l.CallSoon(func() { connecting.Cancel() })
		if _, err := connecting.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Error(err)
		}
		p.over.Wait(ctx)
		p.logged(t, "made", "lost <nil>")
	})
}

// A loop that is closed closes the pipes that are open, and tells nobody.
func TestLoopClosesPipes(t *testing.T) {
	noLeaks(t)
	r1, w1 := osPipe(t)
	r2, w2 := osPipe(t)
	var in, out *listener
	var trs []asyncio.BaseTransport
	late := false
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // of the task
		a, p, err := asyncio.ConnectReadPipe(ctx, newListener, r1)
		require.NoError(t, err)
		b, q, err := asyncio.ConnectWritePipe(ctx, newListener, w2)
		require.NoError(t, err)
		b.Write(make([]byte, 1<<20))
		in, out, trs = p, q, append(trs, a, b)
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() { // while the loop is being closed
				if !l.IsClosed() {
					t.Error("the loop is open")
				}
				b.Abort()
				late = true
			}()
			for {
				asyncio.Sleep(ctx, time.Hour)
			}
		})
		asyncio.Sleep(ctx, 0)
	}, asyncio.WithShutdownTimeout(time.Millisecond))
	if !late {
		t.Error("the task was not killed")
	}
	in.logged(t, "made")
	for _, tr := range trs {
		if !tr.IsClosing() {
			t.Error("the pipe is still open")
		}
		tr.Close()
	}
	trs[0].(asyncio.ReadTransport).ResumeReading()
	trs[1].(asyncio.WriteTransport).Write([]byte("x"))
	trs[1].(asyncio.WriteTransport).Abort()
	writes := func() bool { _, err := io.WriteString(w1, "x"); return !errors.Is(err, syscall.EPIPE) }
	if asyncio.WatchesDescriptors {
		assert.False(t, writes(), "the read end is open")
	} else { // until its goroutine has let go of it
		w1.SetWriteDeadline(time.Now().Add(tooLate))
		eventually(t, "the read end is closed", func() bool { return !writes() })
	}
	if n, err := io.Copy(io.Discard, r2); n > 1<<20 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if slices.Contains(out.log, "lost <nil>") {
		t.Error("a protocol was told by a closed loop")
	}
}
