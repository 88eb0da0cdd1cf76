package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// tooLate is how long tests wait for what must come. Only a fault needs it, so it is
// longer than any machine takes.
const tooLate = 5 * time.Minute

// opOf returns err as an *net.OpError, which it is itself, not by what it wraps:
// libraries ask for the type.
func opOf(t *testing.T, what string, err error) *net.OpError {
	t.Helper()
	op, ok := err.(*net.OpError)
	if !ok {
		t.Fatalf("%s: %v (%T)", what, err, err)
	}
	return op
}

func number(v int) asyncio.Coro[int] {
	return func(context.Context) (int, error) { return v, nil }
}

// echo sends back what comes.
func echo(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	_, err := io.Copy(w.Writer(ctx), r.Reader(ctx))
	return err
}

// serving starts a server on a free port.
func serving(t *testing.T, ctx context.Context, handle asyncio.StreamHandler, opts ...asyncio.ServerOption) *asyncio.Server {
	t.Helper()
	server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", handle, opts...)
	require.NoError(t, err)
	return server
}

// got checks what a read has returned.
func got(t *testing.T, what string, p []byte, err error, want string, wantErr error) {
	t.Helper()
	if string(p) != want || !errors.Is(err, wantErr) || wantErr == nil && err != nil {
		t.Errorf("%s: %q, %v; want %q, %v", what, p, err, want, wantErr)
	}
}

// inTask runs f in a task of a loop of its own.
func inTask(t *testing.T, f func(ctx context.Context, l *asyncio.Loop), opts ...asyncio.RunOption) {
	t.Helper()
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err == nil {
			f(ctx, l)
		}
		return err
	}, beneath(opts)...)
	assert.NoError(t, err)
}

// panicOf is what f panics with, if that is an error.
func panicOf(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}

// A logCapture is what was logged by log/slog during a test.
type logCapture struct {
	t    *testing.T
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

// waitForTask is waitFor for a task.
func (c *logCapture) waitForTask(ctx context.Context, part string) {
	for !strings.Contains(c.String(), part) {
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
			return
		}
	}
}

func (c *logCapture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(p)
	select {
	case c.news <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (c *logCapture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// has fails the test unless each part was logged.
func (c *logCapture) has(parts ...string) {
	c.t.Helper()
	for _, part := range parts {
		if !strings.Contains(c.String(), part) {
			c.t.Errorf("%q is not in the log:\n%s", part, c)
		}
	}
}

// waitFor waits until part was logged.
func (c *logCapture) waitFor(part string) {
	c.t.Helper()
	for late := time.After(tooLate); !strings.Contains(c.String(), part); {
		select {
		case <-c.news:
		case <-late:
			c.t.Fatalf("%q is not in the log:\n%s", part, c)
		}
	}
}

// captureLog has the test see what is logged.
func captureLog(t *testing.T) *logCapture {
	c := &logCapture{t: t, news: make(chan struct{}, 1)}
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(c, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	return c
}

// counted returns n bytes, none of which is where another could be.
func counted(n int) []byte {
	counting.Lock()
	defer counting.Unlock()
	for len(counting.text) < n {
		counting.text = append(strconv.AppendInt(counting.text, int64(counting.next), 10), ',')
		counting.next++
	}
	return bytes.Clone(counting.text[:n])
}

func mustLoop(ctx context.Context) *asyncio.Loop {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		panic(err)
	}
	return l
}

// onSockets runs f as the main task of a loop that waits for real sockets. A test
// that hangs fails.
func onSockets(t *testing.T, f func(ctx context.Context) error, opts ...asyncio.RunOption) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), tooLate)
	defer cancel()
	if err := asyncio.RunFunc(ctx, f, beneath(opts)...); err != nil {
		t.Error(err)
	} else if ctx.Err() != nil {
		t.Error("it took too long")
	}
}

// dial connects to a listener of package net and returns the transport with its
// protocol, and the other side.
func dial[P asyncio.BaseProtocol](t *testing.T, ctx context.Context, factory func() P, opts ...asyncio.ConnectOption) (tr asyncio.Transport, p P, other peer) {
	t.Helper()
	other = otherSide(t, ctx, func(addr string) (err error) {
		tr, p, err = asyncio.CreateConnection(ctx, factory, "tcp", addr, opts...)
		return err
	})
	return tr, p, other
}

// dialStream is dial of a stream.
func dialStream(t *testing.T, ctx context.Context, opts ...asyncio.ConnectOption) (r *asyncio.StreamReader, w *asyncio.StreamWriter, other peer) {
	t.Helper()
	other = otherSide(t, ctx, func(addr string) (err error) {
		r, w, err = asyncio.OpenConnection(ctx, "tcp", addr, opts...)
		return err
	})
	return r, w, other
}

// A recorder is a protocol that notes what it is told.
type recorder struct {
	events  []string
	tr      asyncio.Transport
	data    bytes.Buffer
	keep    bool // what EOFReceived returns
	lost    *asyncio.Event
	lostErr error
	on      func(event string)
	told    asyncio.Event
}

func (p *recorder) note(event string) {
	p.events = append(p.events, event)
	p.told.Set()
	if p.on != nil {
		p.on(event)
	}
}

func (p *recorder) ConnectionMade(t asyncio.Transport) { p.tr = t; p.note("made") }

func (p *recorder) DataReceived(data []byte) { p.data.Write(data); p.note("data") }

func (p *recorder) EOFReceived() bool { p.note("eof"); return p.keep }

func (p *recorder) PauseWriting() { p.note("pause") }

func (p *recorder) ResumeWriting() { p.note("resume") }

func (p *recorder) ConnectionLost(err error) {
	p.lostErr = err
	p.note("lost")
	p.lost.Set()
}

// until waits for the event that a callback notes.
func (p *recorder) until(ctx context.Context, event string) {
	for !strings.HasSuffix(strings.Join(p.events, " "), event) {
		p.told.Clear()
		if p.told.Wait(ctx) != nil {
			return
		}
	}
}

func (p *recorder) check(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(p.events, " "); got != want {
		t.Errorf("the protocol was told %q, want %q", got, want)
	}
}

func newRecorder() *recorder { return &recorder{lost: asyncio.NewEvent()} }

type onlyLost struct{}

func (onlyLost) ConnectionLost(error) {}

// scenarioLoop is the loop of a scenario: sleeping takes no time.
func scenarioLoop() *asyncio.Loop { return asyncio.NewLoop(asyncio.WithClock(new(jumpClock))) }

// A jumpClock goes forward to the next timer when there is nothing else to do.
type jumpClock struct{ now time.Duration }

func (c *jumpClock) Now() time.Duration { return c.now }

func (c *jumpClock) Until(when time.Duration, _ bool) time.Duration {
	if when != asyncio.NoTimeout {
		c.now = max(c.now, when)
	}
	return when - c.now
}

// play runs f as the main task of a loop on which sleeping takes no time. f has
// its test's errors for its own: what it returns must be nil.
func play(t *testing.T, f func(ctx context.Context) error, opts ...asyncio.LoopOption) {
	t.Helper()
	opts = append(opts, asyncio.WithClock(new(jumpClock)))
	assert.NoError(t, asyncio.RunFunc(context.Background(), f, asyncio.WithLoopOptions(opts...)))
}

// refusal is the error with which a group has refused to make t: what create_task
// would have raised in Python. It is nil if the group has made it.
func refusal(t asyncio.AnyTask) error {
	if !t.Done() || t.Cancelled() {
		return nil
	}
	if exc, _ := t.Exception(); exc != nil && strings.HasPrefix(exc.Error(), "asyncio: TaskGroup is ") {
		return exc
	}
	return nil
}

// wantPy tests the class of err in Python and what it says.
func wantPy(t *testing.T, what string, err error, class, msg string) {
	t.Helper()
	if err == nil || pyName(err) != class || !strings.Contains(err.Error(), msg) {
		t.Errorf("%s: error %v, want a %s: %s", what, err, class, msg)
	}
}

func returning[T any](v T, err error) asyncio.Coro[T] {
	return func(context.Context) (T, error) { return v, err }
}

// sleeping is a coroutine that sleeps, and then has v for its result.
func sleeping[T any](d time.Duration, v T) asyncio.Coro[T] {
	return func(ctx context.Context) (T, error) { return asyncio.SleepResult(ctx, d, v) }
}

// stubborn is a coroutine that refuses to be cancelled.
func stubborn[T any](d time.Duration, v T) asyncio.Coro[T] {
	return func(ctx context.Context) (T, error) {
		l := asyncio.CurrentTask(ctx).Loop()
		for end := l.Time() + d; l.Time() < end; {
			asyncio.Sleep(ctx, end-l.Time())
		}
		return v, nil
	}
}

// slowToEnd is a coroutine that takes d to end when it is cancelled.
func slowToEnd(d time.Duration, ended *bool) asyncio.Coro[int] {
	return func(ctx context.Context) (int, error) {
		err := asyncio.Sleep(ctx, time.Hour)
		asyncio.Sleep(ctx, d)
		*ended = true
		return 0, err
	}
}
