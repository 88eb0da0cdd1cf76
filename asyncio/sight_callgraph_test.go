package asyncio_test

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// line numbers change; the tests that compare text leave them out.
var sourceLine = regexp.MustCompile(`\.go:\d+`)

func withoutLines(s string) string { return sourceLine.ReplaceAllString(s, ".go") }

// names returns the names of the tasks that wait, and of those that wait for them.
func names(g *asyncio.FutureCallGraph) string {
	var all []string
	for _, by := range g.AwaitedBy {
		name := by.Future.(asyncio.AnyTask).Name()
		if deeper := names(by); deeper != "" {
			name += "(" + deeper + ")"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

// Whatever a task waits with, it is found from what it waits for.
func TestCallGraphAwaitedBy(t *testing.T) {
	type future = *asyncio.Future[int]
	none := func(err error) error { return err }
	ways := map[string]func(ctx context.Context, f, other future) error{
		"Await": func(ctx context.Context, f, _ future) error { _, err := f.Await(ctx); return none(err) },
		"WaitFor": func(ctx context.Context, f, _ future) error {
			_, err := asyncio.WaitFor[int](ctx, asyncio.NoTimeout, f)
			return err
		},
		"Gather": func(ctx context.Context, f, other future) error {
			_, err := asyncio.Gather[int](ctx, f, other, f).Await(ctx)
			return err
		},
		"Outcomes": func(ctx context.Context, f, other future) error {
			_, err := asyncio.GatherOutcomes[int](ctx, f, other).Await(ctx)
			return err
		},
		"Shield": func(ctx context.Context, f, _ future) error {
			_, err := asyncio.Shield[int](ctx, f).Await(ctx)
			return err
		},
		"Wait": func(ctx context.Context, f, other future) error {
			_, _, err := asyncio.Wait(ctx, []future{other, f})
			return err
		},
		"two levels": func(ctx context.Context, f, other future) error {
			_, err := asyncio.Gather[[]int](ctx, asyncio.Gather[int](ctx, asyncio.Shield[int](ctx, f), other)).Await(ctx)
			return err
		},
		"AsCompleted": func(ctx context.Context, f, other future) error {
			for _, err := range asyncio.AsCompleted(ctx, []asyncio.Awaitable[int]{f, other}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	for what, wait := range ways {
		play(t, func(ctx context.Context) error {
			l := asyncio.CurrentTask(ctx).Loop()
			f, other := asyncio.NewFuture[int](l), asyncio.NewFuture[int](l)
			f.AddDoneCallback(asyncio.NewCallback(func(asyncio.AnyFuture) {}))
			waiter := asyncio.Go(ctx, func(ctx context.Context) error { return wait(ctx, f, other) }, asyncio.WithTaskName("waiter"))
			above := asyncio.Go(ctx, func(ctx context.Context) error { _, err := waiter.Await(ctx); return err }, asyncio.WithTaskName("above"))
			if got := names(asyncio.CaptureCallGraph(f)); got != "" {
				t.Errorf("%s: before it is awaited: %q", what, got)
			}
			asyncio.Sleep(ctx, 0)
			asyncio.Sleep(ctx, 0)
			if got := names(asyncio.CaptureCallGraph(f)); got != "waiter(above)" {
				t.Errorf("%s: awaited by %q", what, got)
			}
			f.SetResult(1)
			other.SetResult(2)
			if _, err := above.Await(ctx); err != nil {
				return err
			}
			if got := names(asyncio.CaptureCallGraph(f)); got != "" {
				t.Errorf("%s: afterwards: %q", what, got)
			}
			return nil
		})
	}
}

func TestCallGraphGroup(t *testing.T) {
	play(t, func(ctx context.Context) error {
		asyncio.CurrentTask(ctx).SetName("parent")
		return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			member := tg.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, 1) })
			if got := names(asyncio.CaptureCallGraph(member)); got != "parent" {
				t.Errorf("awaited by %q", got)
			}
			return nil
		})
	})
}

// A graph shows the stack of each task, that of the one who asks included.
func TestCallGraphStack(t *testing.T) {
	play(t, func(ctx context.Context) error {
		me := asyncio.CurrentTask(ctx)
		me.SetName("me")
		asks := asyncio.Go(ctx, func(ctx context.Context) error {
			g := asyncio.CaptureCallGraph(asyncio.CurrentTask(ctx))
			if len(g.CallStack) == 0 || !strings.Contains(g.CallStack[0].Function, "TestCallGraphStack") {
				t.Errorf("the stack of the one who asks begins %v", g.CallStack)
			}
			for _, f := range g.CallStack {
				if strings.Contains(f.Function, "runner") || strings.Contains(f.Function, "sched.") {
					t.Errorf("the loop's own call: %s", f.Function)
				}
			}
			if len(g.AwaitedBy) != 1 || g.AwaitedBy[0].Future != asyncio.AnyFuture(me) {
				t.Fatalf("awaited by %v", g.AwaitedBy)
			}
			stack := g.AwaitedBy[0].CallStack
			if !strings.Contains(stack[0].Function, "Await") || !strings.Contains(stack[1].Function, "TestCallGraphStack") {
				t.Errorf("the stack of the one who waits begins %v", stack)
			}
			return nil
		})
		if g := asyncio.CaptureCallGraph(asks); g.CallStack != nil {
			t.Errorf("before it has begun: %v", g.CallStack)
		}
		_, err := asks.Await(ctx)
		if g := asyncio.CaptureCallGraph(asks); g.CallStack != nil {
			t.Errorf("after its end: %v", g.CallStack)
		}
		return err
	})
}

// Tasks that wait for each other in a circle end neither a graph nor a tree.
func TestCallGraphCircle(t *testing.T) {
	play(t, func(ctx context.Context) error {
		asyncio.CurrentTask(ctx).SetName("main")
		var one, two *asyncio.Task[asyncio.None]
		one = asyncio.Go(ctx, func(ctx context.Context) error { _, err := two.Await(ctx); return err }, asyncio.WithTaskName("one"))
		two = asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Shield[asyncio.None](ctx, one).Await(ctx)
			return err
		}, asyncio.WithTaskName("two"))
		asyncio.Sleep(ctx, 0)
		asyncio.Sleep(ctx, 0)
		if got := names(asyncio.CaptureCallGraph(one)); got != "two" {
			t.Errorf("awaited by %q", got)
		}
		var b strings.Builder
		one.Loop().WriteTasks(ctx, &b)
		if got := b.String(); strings.Count(got, "one:") != 2 || !strings.Contains(got, "one: see above") {
			t.Errorf("the tree:\n%s", got)
		}
		one.Cancel()
		_, err := two.Await(ctx)
		if !errors.Is(err, asyncio.ErrCancelled) {
			t.Error(err)
		}
		return nil
	})
}

func TestWriteTasks(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		asyncio.CurrentTask(ctx).SetName("main")
		lock := asyncio.NewLock()
		asyncio.Go(ctx, lock.Acquire, asyncio.WithTaskName("has a lock")).Await(ctx)
		asyncio.Go(ctx, lock.Acquire, asyncio.WithTaskName("wants a lock"))
		asyncio.Sleep(ctx, 0)
		ready := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, 0) }, asyncio.WithTaskName("ready"))
		asyncio.Sleep(ctx, 0)
		asyncio.Go(ctx, func(ctx context.Context) error { return nil }, asyncio.WithTaskName("new"))
		var here strings.Builder
		if err := l.WriteTasks(ctx, &here); err != nil || ready.Done() {
			t.Error(err)
		}
		want := "main: runs\n" +
			"wants a lock: waits in asyncio.(*Lock).Acquire; the lock is held by has a lock, which has ended without releasing it\n" +
			"ready: is ready in asyncio.Sleep, called by X\n" +
			"new: has not begun\n"
		if got := regexp.MustCompile("called by .*").ReplaceAllString(here.String(), "called by X"); got != want {
			t.Errorf("it writes\n%s\nwant\n%s", got, want)
		}

		var there strings.Builder
		err := asyncio.ToThreadFunc(ctx, func(context.Context) error { return l.WriteTasks(context.Background(), &there) })
		if err != nil || !strings.HasPrefix(there.String(), "main: waits in asyncio.ToThreadFunc, called by ") {
			t.Errorf("from another goroutine: %v\n%s", err, &there)
		}
		if err := l.WriteTasks(ctx, failingWriter{}); !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
		over, cancel := context.WithCancel(context.Background())
		cancel()
		stuck := make(chan error)
		go func() { stuck <- l.WriteTasks(over, &there) }()
		if err := <-stuck; !errors.Is(err, context.Canceled) { // the loop is here
			t.Error(err)
		}
		lock.Release()
	})
	l := asyncio.NewLoop()
	idle := asyncio.NewTask(l, func(ctx context.Context) (int, error) { return 1, asyncio.Sleep(ctx, 0) }, asyncio.WithTaskName("idle"))
	var b strings.Builder
	soon, cancel := context.WithTimeout(context.Background(), 1)
	defer cancel()
	if err := l.WriteTasks(soon, &b); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("of a loop that has not run: %v", err)
	}
	l.Stop()
	l.RunForever()
	if err := l.WriteTasks(context.Background(), &b); err != nil || !strings.HasPrefix(b.String(), "idle: is ready in asyncio.Sleep") {
		t.Errorf("of a loop that was stopped: %v, %q", err, &b)
	}
	asyncio.RunUntilComplete[int](l, idle)
	l.Close()
	if err := l.WriteTasks(context.Background(), &b); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("of a loop that is closed: %v, %q", err, &b)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }
