package asyncio_test

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// goroutineNumber is the number that runtime.Stack prints.
func goroutineNumber() string {
	var buf [40]byte
	return strings.Fields(string(buf[:runtime.Stack(buf[:], false)]))[1]
}

// goexit ends the goroutine, and has a result for those who want one.
func goexit() error {
	runtime.Goexit()
	return nil
}

// A logCapture is what was logged by log/slog during a test.
type logCapture struct {
	t    *testing.T
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

// captureLog has the test see what is logged.
func captureLog(t *testing.T) *logCapture {
	c := &logCapture{t: t, news: make(chan struct{}, 1)}
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(c, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	return c
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
	for late := time.After(10 * time.Second); !strings.Contains(c.String(), part); {
		select {
		case <-c.news:
		case <-late:
			c.t.Fatalf("%q is not in the log:\n%s", part, c)
		}
	}
}

// Nothing of this area's goroutines is left when what started them has ended.
func TestThreadsLeaveNothing(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		asyncio.DoInThread(ctx, func(context.Context) error { return nil })
		asyncio.FromChan(l, make(chan int))
		asyncio.FromChan(l, make(chan int)).Cancel()
		asyncio.RunCoroutineThreadsafe(l, number(1)).Await(ctx)
	}, asyncio.WithDebug(true))
	if runtime.GOOS != "js" && runtime.GOOS != "wasip1" {
		p := asyncio.NewProcessPool(1)
		square.Submit(p, 3).Result(-1)
		p.Close()
	}
	var dump string
	defer func() {
		if t.Failed() {
			t.Log(dump)
		}
	}()
	eventually(t, "the end of all goroutines", func() bool {
		buf := make([]byte, 1<<20)
		dump = string(buf[:runtime.Stack(buf, true)])
		for _, part := range []string{"asyncio.(*watchdog)", "asyncio.(*receive", "asyncio.(*worker)", "asyncio.(*ThreadPool)", "asyncio.(*Runner).catch"} {
			if strings.Contains(dump, part) {
				return false
			}
		}
		return true
	})
}
