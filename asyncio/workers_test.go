package asyncio_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Each worker has a loop of its own, and knows the others before it begins.
func TestWorkersKnowEachOther(t *testing.T) {
	const n = 3
	var all sync.WaitGroup
	all.Add(n)
	var mu sync.Mutex
	var loops []*asyncio.Loop
	var greetings []string
	err := asyncio.RunWorkers(t.Context(), n, func(ctx context.Context, w *asyncio.Worker) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil || l != w.Loop() || w.Count() != n || w.Peer(w.Index()) != w || w.Peer(w.Index()-n) != w {
			t.Errorf("worker %d of %d: its loop is %p, runs %p, %v", w.Index(), w.Count(), w.Loop(), l, err)
		}
		mu.Lock()
		loops = append(loops, l)
		mu.Unlock()
		next := w.Peer(w.Index() + 1)
		greeted := next.Go(func(ctx context.Context) error {
			there, err := asyncio.RunningLoop(ctx)
			if there != next.Loop() {
				t.Errorf("what worker %d hands over runs elsewhere", w.Index())
			}
			mu.Lock()
			greetings = append(greetings, fmt.Sprintf("%d greets %d", w.Index(), next.Index()))
			mu.Unlock()
			return err
		})
		if _, err := asyncio.WrapFuture(w.Loop(), greeted).Await(ctx); err != nil {
			return err
		}
		all.Done() // nobody ends before it was greeted
		_, err = asyncio.ToThread(ctx, func(context.Context) (int, error) { all.Wait(); return 0, nil })
		return err
	})
	require.NoError(t, err)
	slices.Sort(greetings)
	if want := "[0 greets 1 1 greets 2 2 greets 0]"; fmt.Sprint(greetings) != want {
		t.Errorf("got %v, want %v", greetings, want)
	}
	if len(loops) != n || loops[0] == loops[1] || loops[1] == loops[2] || loops[0] == loops[2] {
		t.Errorf("the loops are %v", loops)
	}
}

// The first failure cancels the others, and all failures are told.
func TestWorkerFails(t *testing.T) {
	broken := errors.New("broken")
	var cancelled sync.Map
	var began sync.WaitGroup // a main that has not begun is not run at all
	began.Add(3)
	err := asyncio.RunWorkers(t.Context(), 3, func(ctx context.Context, w *asyncio.Worker) error {
		began.Done()
		if w.Index() == 1 {
			asyncio.ToThread(ctx, func(context.Context) (int, error) { began.Wait(); return 0, nil })
			return broken
		}
		err := asyncio.NewEvent().Wait(ctx) // nobody sets it
		cancelled.Store(w.Index(), errors.Is(err, asyncio.ErrCancelled))
		return err
	})
	var group *asyncio.ExceptionGroup
	if !errors.As(err, &group) || len(group.Exceptions) != 1 || !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	for _, i := range []int{0, 2} {
		if was, _ := cancelled.Load(i); was != true {
			t.Errorf("worker %d was not cancelled", i)
		}
	}
}

func TestWorkersEndWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var began sync.WaitGroup
	began.Add(2)
	go func() { began.Wait(); cancel() }()
	err := asyncio.RunWorkers(ctx, 2, func(ctx context.Context, w *asyncio.Worker) error {
		began.Done()
		return asyncio.NewEvent().Wait(ctx)
	})
	if !errors.Is(err, asyncio.ErrCancelled) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWorkerPanicsOrLeaves(t *testing.T) {
	err := asyncio.RunWorkers(t.Context(), 2, func(ctx context.Context, w *asyncio.Worker) error {
		if w.Index() == 0 {
			panic("at work")
		}
		return asyncio.NewEvent().Wait(ctx)
	})
	var p *asyncio.PanicError
	if !errors.As(err, &p) || p.Value != "at work" {
		t.Errorf("a panic: %v", err)
	}
	err = asyncio.RunWorkers(t.Context(), 2, func(ctx context.Context, w *asyncio.Worker) error {
		if w.Index() == 0 {
			runtime.Goexit()
		}
		return asyncio.NewEvent().Wait(ctx)
	})
	if err == nil || errors.Is(err, asyncio.ErrCancelled) {
		t.Errorf("runtime.Goexit: %v", err)
	}
}

func TestWorkersRefuse(t *testing.T) {
	idle := func(context.Context, *asyncio.Worker) error { return nil }
	for name, err := range map[string]error{
		"fewer than none": asyncio.RunWorkers(t.Context(), -1, idle),
		"no main":         asyncio.RunWorkers(t.Context(), 1, nil),
		"inside a loop": asyncio.RunFunc(t.Context(), func(ctx context.Context) error {
			return asyncio.RunWorkers(ctx, 1, idle)
		}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	var ended *asyncio.Worker
	if err := asyncio.RunWorkers(t.Context(), 1, func(ctx context.Context, w *asyncio.Worker) error {
		ended = w
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := ended.Go(func(context.Context) error { return nil }).Result(time.Minute); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("work for one that has ended: %v", err)
	}
}

// A connection that one loop has accepted is served by another. What had come
// before is not lost.
func TestWorkersHandConnectionsOver(t *testing.T) {
	const conns = 6
	err := asyncio.RunWorkers(t.Context(), 3, func(ctx context.Context, w *asyncio.Worker) error {
		if w.Index() != 0 {
			return waitForCancel(ctx)
		}
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close()
		answers := asyncio.CreateTask(ctx, func(ctx context.Context) ([]string, error) {
			return asyncio.ToThread(ctx, func(ctx context.Context) ([]string, error) {
				return askAll(ln.Addr().String(), conns)
			})
		})
		for i := range conns {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			other := w.Peer(1 + i%2)
			other.Go(func(ctx context.Context) error {
				mine, err := asyncio.Adopt(ctx, c)
				if err != nil {
					t.Error(err)
					return err
				}
				defer mine.Close()
				line, err := bufio.NewReader(mine).ReadString('\n')
				if err != nil {
					t.Error(err)
					return err
				}
				_, err = fmt.Fprintf(mine, "%d got %s", other.Index(), line)
				return err
			})
		}
		got, err := answers.Await(ctx)
		if err != nil {
			return err
		}
		want := []string{"1 got 0\n", "2 got 1\n", "1 got 2\n", "2 got 3\n", "1 got 4\n", "2 got 5\n"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		return errDone
	})
	if !errors.Is(err, errDone) {
		t.Fatal(err)
	}
}

var errDone = errors.New("done")

func waitForCancel(ctx context.Context) error { return asyncio.NewEvent().Wait(ctx) }

// askAll makes n connections one after the other, so that they are accepted in
// this order, sends its number by each, and returns the answers.
func askAll(addr string, n int) ([]string, error) {
	var answers []string
	for i := range n {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(c, i)
		answer, err := io.ReadAll(c)
		c.Close()
		if err != nil {
			return nil, err
		}
		answers = append(answers, string(answer))
	}
	return answers, nil
}

func TestAdoptRefuses(t *testing.T) {
	err := asyncio.RunFunc(t.Context(), func(ctx context.Context) error {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		if _, err := asyncio.Adopt(ctx, a); err == nil {
			t.Error("a pipe in memory was adopted")
		}
		return nil
	})
	require.NoError(t, err)
	if _, err := asyncio.Adopt(t.Context(), nil); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Errorf("without a loop: %v", err)
	}
}

// All workers listen at one address.
func TestWorkersShareAddress(t *testing.T) {
	chosen, both := make(chan string, 1), make(chan bool)
	const conns = 20
	err := asyncio.RunWorkers(t.Context(), 2, func(ctx context.Context, w *asyncio.Worker) error {
		config, addr := asyncio.ListenConfig{ReusePort: true}, "127.0.0.1:0"
		var err error
		if w.Index() == 1 {
			if addr, err = asyncio.FromChan(w.Loop(), chosen).Await(ctx); err != nil {
				return err
			}
		}
		ln, err := config.Listen(ctx, "tcp", addr)
		if w.Index() == 1 {
			close(both)
		}
		if err != nil {
			return err
		}
		defer ln.Close()
		asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				c, err := ln.Accept()
				if err != nil {
					return nil // closed
				}
				line, _ := bufio.NewReader(c).ReadString('\n')
				fmt.Fprintf(c, "got %s", line)
				c.Close()
			}
		})
		if w.Index() == 0 {
			chosen <- ln.Addr().String()
			answers, err := asyncio.ToThread(ctx, func(context.Context) ([]string, error) {
				<-both
				return askAll(ln.Addr().String(), conns)
			})
			if err != nil {
				return err
			}
			for i, a := range answers {
				if want := fmt.Sprintf("got %d\n", i); a != want {
					t.Errorf("got %q, want %q", a, want)
				}
			}
			return errDone
		}
		return waitForCancel(ctx)
	})
	var group *asyncio.ExceptionGroup
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if !errors.As(err, &group) || !errors.Is(err, errDone) {
		t.Fatal(err)
	}
}

// Loops that were made before one that cannot be made are closed, and nothing else
// is left.
func TestWorkerCannotBeMade(t *testing.T) {
	for name, fails := range map[string]func() *asyncio.Loop{
		"nil":     func() *asyncio.Loop { return nil },
		"panics":  func() *asyncio.Loop { panic("no loop") },
		"Goexits": func() *asyncio.Loop { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var made []*asyncio.Loop
			factory := func() *asyncio.Loop {
				if len(made) == 2 {
					return fails()
				}
				made = append(made, asyncio.NewLoop())
				return made[len(made)-1]
			}
			over := make(chan struct{})
			go func() {
				defer close(over)
				defer func() {
					if p := recover(); p != nil && p != "no loop" {
						t.Error(p)
					}
				}()
				main := func(context.Context, *asyncio.Worker) error { t.Error("main runs"); return nil }
				if err := asyncio.RunWorkers(t.Context(), 3, main, asyncio.WithLoopFactory(factory)); pyName(err) != "TypeError" {
					t.Error(err)
				}
			}()
			<-over
			for i, l := range made {
				if !l.IsClosed() {
					t.Errorf("loop %d of %d is open", i, len(made))
				}
			}
		})
	}
}
