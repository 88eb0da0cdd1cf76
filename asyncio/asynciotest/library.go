package asynciotest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/alone"
)

// A DialFunc is what CheckLibrary gives a library to dial by. Any goroutine may
// call it.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// A Library is what CheckLibrary has found out. Its String is a sentence.
type Library struct {
	// StallsAt is the function of the library, with file and line, in which it
	// kept the loop from going on, by a channel, a lock or a sleep. It is empty if
	// the library waits in its connections alone: then it runs in tasks.
	StallsAt string

	// InTasks and OnGoroutines are the errors of the call in a task and in
	// ToThread.
	InTasks, OnGoroutines error

	// Cancelled and TimedOut are the errors of a task that is cancelled, and of an
	// asyncio.WithTimeout that is over, while the library waits for an answer.
	// They are nil where the library stalls the loop, which nothing can end.
	Cancelled, TimedOut error
}

// Runs reports whether the library can be called in tasks: it waits in its
// connections alone, and a cancel and a timeout come out as what they are.
func (l Library) Runs() bool {
	return l.StallsAt == "" && l.InTasks == nil && alone.Is(l.Cancelled, asyncio.ErrCancelled) && errors.Is(l.TimedOut, asyncio.ErrTimeout)
}

// String tells in a sentence whether the library runs in tasks.
func (l Library) String() string {
	switch {
	case l.StallsAt != "" && l.OnGoroutines == nil:
		return "works by ToThread; in tasks it stalls the loop at " + l.StallsAt
	case l.StallsAt != "":
		return fmt.Sprintf("stalls the loop at %s, and fails on goroutines: %v", l.StallsAt, l.OnGoroutines)
	case l.InTasks != nil:
		return fmt.Sprintf("fails in tasks: %v", l.InTasks)
	case !l.Runs():
		return fmt.Sprintf("runs in tasks, but a cancel comes out as %v, a timeout as %v", l.Cancelled, l.TimedOut)
	}
	return "runs in tasks"
}

// How long an answer is held back, and how often the loop is looked after. A loop
// that is only slow is not taken for one that is stalled: see stalled.
const (
	slowAnswer = 100 * time.Millisecond
	lookAfter  = 20 * time.Millisecond
	holdsOn    = 10 * time.Second // with a loop that is stalled
)

// CheckLibrary finds out how a library gets on with a loop. call uses the library
// for something short that asks a server and waits for the answer; the library
// must dial by dial, which takes TCP, UDP and Unix sockets of streams. The answers
// are made to come slowly, in another call not at all, and the loop is looked after
// meanwhile.
//
// call is called several times, each time with a loop of its own, so it must make
// its client anew. An error of it is reported in the result, not as the failure of
// the test. A test that calls it may run in parallel with others. If a call stalls
// its loop for ever, its goroutine is left behind.
func CheckLibrary(t testing.TB, call func(ctx context.Context, dial DialFunc) error) Library {
	t.Helper()
	var found Library
	found.StallsAt, found.InTasks = relayed(slowAnswer, func(ctx context.Context, dial DialFunc, _ <-chan struct{}) error {
		return call(ctx, dial)
	})
	_, found.OnGoroutines = relayed(slowAnswer, func(ctx context.Context, dial DialFunc, _ <-chan struct{}) error {
		_, err := asyncio.ToThread(ctx, func(ctx context.Context) (asyncio.None, error) { return asyncio.None{}, call(ctx, dial) })
		return err
	})
	if found.StallsAt != "" {
		return found
	}
	_, found.Cancelled = relayed(-1, func(ctx context.Context, dial DialFunc, held <-chan struct{}) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error { return call(ctx, dial) })
		if err := until(ctx, held, task); err != nil {
			return err
		}
		task.Cancel()
		_, err := task.Await(ctx)
		return err
	})
	_, found.TimedOut = relayed(-1, func(ctx context.Context, dial DialFunc, held <-chan struct{}) error {
		return asyncio.WithTimeout(ctx, slowAnswer, func(ctx context.Context, _ *asyncio.Timeout) error { return call(ctx, dial) })
	})
	return found
}

// until waits until an answer is held back from task, or task has ended.
func until(ctx context.Context, held <-chan struct{}, task asyncio.AnyTask) error {
	for {
		select {
		case <-held:
			return nil
		default:
		}
		if task.Done() {
			return nil
		}
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// relayed runs f as the main task of a loop, with answers that are late by delay, or
// do not come if that is negative. It returns where f kept the loop from going on,
// if it did, and f's error.
func relayed(delay time.Duration, f func(ctx context.Context, dial DialFunc, held <-chan struct{}) error) (stallsAt string, err error) {
	r := &relay{delay: delay, held: make(chan struct{}), over: make(chan struct{})}
	defer r.close()
	ended := make(chan error, 1)
	began := make(chan *asyncio.Loop, 1)
	var id string // of the goroutine that f runs on
	go func() {
		ended <- asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			loop, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			id = goroutineID()
			began <- loop
			r.dialer.Loop = loop
			return f(ctx, r.dial, r.held)
		}, asyncio.WithSignals(false))
	}()
	var loop *asyncio.Loop
	select {
	case loop = <-began:
	case err := <-ended:
		return "", err
	}
	for late := time.Duration(0); ; {
		answer := make(chan struct{})
		loop.CallSoonThreadsafe(func() { close(answer) }) // fails if the loop has ended, which ended tells
		for answered := false; !answered; {
			select {
			case err := <-ended:
				return stallsAt, err
			case <-answer:
				answered, late = true, 0
				time.Sleep(lookAfter / 2)
			case <-time.After(lookAfter):
				if late += lookAfter; stallsAt == "" && late > lookAfter {
					stallsAt = stalled(id)
				}
				if late > holdsOn && stallsAt != "" {
					return stallsAt, errors.New("it does not go on")
				}
			}
		}
	}
}

// goroutineID returns the number of the calling goroutine, as text.
func goroutineID() string {
	head, _, _ := strings.Cut(string(buffer(false)), " [")
	return strings.TrimPrefix(head, "goroutine ")
}

func buffer(all bool) []byte {
	for b := make([]byte, 64<<10); ; b = make([]byte, 2*len(b)) {
		if n := runtime.Stack(b, all); n < len(b) {
			return b[:n]
		}
	}
}

// stalled tells where the goroutine waits that f runs on, if it does not wait as
// greenlets do: the function that is the library's, not Go's own. A goroutine that
// runs, or would if it had a processor, does not wait.
func stalled(id string) string {
	for _, dump := range bytes.Split(buffer(true), []byte("\n\n")) {
		head, stack, _ := strings.Cut(string(dump), "\n")
		if !strings.HasPrefix(head, "goroutine "+id+" ") {
			continue
		}
		_, state, _ := strings.Cut(head, "[")
		for _, none := range []string{"running", "runnable", "coroutine", "syscall"} {
			if strings.HasPrefix(state, none) {
				return ""
			}
		}
		lines := strings.Split(stack, "\n")
		for i := 0; i+1 < len(lines); i += 2 {
			switch name := lines[i]; {
			case own(name):
			case strings.HasPrefix(name, switching): // on the generic switch, by a channel
				return ""
			default:
				return place(name, lines[i+1])
			}
		}
	}
	return ""
}

// switching is what the functions begin with in which a greenlet waits.
const switching = "github.com/go-greenlet/greenlet."

// own reports whether a function is of the waits that Go itself brings.
func own(name string) bool {
	for _, p := range []string{"runtime.", "sync.", "internal/", "time.", "context.", "golang.org/x/sync/"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// place is a line of a stack in short: function, file and line.
func place(name, where string) string {
	if i := strings.LastIndexByte(name, '('); i > 0 {
		name = name[:i]
	}
	where, _, _ = strings.Cut(strings.TrimSpace(where), " ")
	return name + " (" + path.Base(where) + ")"
}
