package asyncio_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// An error that nobody can look at any more is told a second after the loop has
// become idle, though nothing makes the collector run; one that somebody still can
// look at is not, however late that is.
func TestLostErrorsAreToldSoon(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	fail := func(ctx context.Context) (int, error) { return 0, valueError("lost") }
	nothing := func(context.Context) error { return nil }
	ways := map[string]struct {
		lose func(ctx context.Context, l *asyncio.Loop)
		want []string
	}{
		"task": {func(ctx context.Context, _ *asyncio.Loop) {
			asyncio.CreateTask(ctx, fail, asyncio.WithTaskName("t"))
		}, []string{"1s Task exception was never retrieved t lost"}},
		"eager task": {func(ctx context.Context, _ *asyncio.Loop) {
			asyncio.CreateTask(ctx, fail, asyncio.WithTaskName("t"), asyncio.EagerStart(true))
		}, []string{"1s Task exception was never retrieved t lost"}},
		"future": {func(_ context.Context, l *asyncio.Loop) {
			asyncio.NewFuture[int](l).SetException(valueError("lost"))
		}, []string{"1s Future exception was never retrieved  lost"}},
		"gather": {func(ctx context.Context, _ *asyncio.Loop) {
			asyncio.Gather(ctx, asyncio.Awaitable[int](asyncio.Coro[int](fail)), asyncio.Coro[int](fail))
		}, []string{"1s GatherFuture exception was never retrieved  lost"}},
		"refused by a group": {func(ctx context.Context, _ *asyncio.Loop) {
			var group *asyncio.TaskGroup
			asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Cancel()
				tg.Go(nothing, asyncio.WithTaskName("t"))
				group = tg
				return nil
			})
			group.Go(nothing)
		}, []string{
			"1s Task exception was never retrieved t asyncio: TaskGroup is shutting down",
			"1s Task exception was never retrieved refused asyncio: TaskGroup is finished",
		}},
		"two, in order": {func(ctx context.Context, _ *asyncio.Loop) {
			for _, name := range []string{"a", "b"} {
				asyncio.CreateTask(ctx, fail, asyncio.WithTaskName(name))
			}
		}, []string{"1s Task exception was never retrieved a lost", "1s Task exception was never retrieved b lost"}},
		"retrieved late": {func(ctx context.Context, _ *asyncio.Loop) {
			x := asyncio.CreateTask(ctx, fail)
			asyncio.Sleep(ctx, 30*time.Hour)
			x.Await(ctx)
		}, nil},
		"held by a task that waits": {func(ctx context.Context, _ *asyncio.Loop) {
			x := asyncio.CreateTask(ctx, fail)
			asyncio.Go(ctx, func(ctx context.Context) error {
				asyncio.Sleep(ctx, time.Minute)
				x.Await(ctx)
				return nil
			})
		}, nil},
		"dropped late": {func(ctx context.Context, _ *asyncio.Loop) {
			x := asyncio.CreateTask(ctx, fail, asyncio.WithTaskName("t"))
			asyncio.Sleep(ctx, 10*time.Second)
			x.Done()
		}, []string{"15s Task exception was never retrieved t lost"}}, // looks at 1, 3, 7 and 15
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			var told []string
			asynciotest.Run(t, func(ctx context.Context) {
				l := mustLoop(ctx)
				l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
					told = append(told, fmt.Sprint(l.Time().Round(time.Second), " ", c.Message, " ", c.Name, " ", c.Exception))
				})
				way.lose(ctx, l)
				asyncio.Sleep(ctx, 40*time.Hour)
				if _, timers := l.Pending(); timers != 0 {
					t.Errorf("%d timers are left", timers)
				}
				if !slices.Equal(told, way.want) {
					t.Errorf("told %q, want %q", told, way.want)
				}
			})
			if len(told) != len(way.want) {
				t.Errorf("told again: %q", told)
			}
		})
	}
}

// Where the clock jumps, errors that are kept have the collector run by the logarithm of
// the time, however many they are: each run costs more than hours of that clock.
func TestLostErrorsShareTheirLooks(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	asynciotest.Run(t, func(ctx context.Context) {
		var kept []*asyncio.Task[int]
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 50 {
			kept = append(kept, asyncio.CreateTask(ctx, func(context.Context) (int, error) { return 0, valueError("kept") }))
			asyncio.Sleep(ctx, 10*time.Second)
		}
		asyncio.Sleep(ctx, time.Hour)
		runtime.ReadMemStats(&after)
		assert.LessOrEqual(t, after.NumGC-before.NumGC, uint32(13), "cycles of the collector")
		assert.NotEqual(t, before.NumGC, after.NumGC)
		for _, task := range kept {
			task.Exception()
		}
	})
}

func TestWriteTasksListsLostErrors(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		x := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) { return 0, valueError("not yet") }, asyncio.WithTaskName("x"))
		asyncio.Sleep(ctx, 0)
		const line = "x: has failed, and nobody has looked at the error: not yet\n"
		for _, want := range []bool{true, false} {
			var b bytes.Buffer
			assert.NoError(t, mustLoop(ctx).WriteTasks(ctx, &b))
			if strings.Contains(b.String(), line) != want {
				t.Errorf("it is listed: %v in %q", !want, b.String())
			}
			x.Exception()
		}
	})
}

// The stack of a panic is lines, below the one that names it.
func TestPanicIsLoggedInLines(t *testing.T) {
	defer slog.SetDefault(slog.Default())
	report := func() {
		l := asyncio.NewLoop()
		defer l.Close()
		l.CallSoon(func() { panic("in a callback") })
		l.CallSoon(l.Stop)
		l.RunForever()
	}
	var plain, record bytes.Buffer
	if fmt.Sprintf("%T", slog.Default().Handler()) == "*slog.defaultHandler" {
		log.SetOutput(&plain)
		report()
		log.SetOutput(os.Stderr)
		lines := strings.Split(plain.String(), "\n")
		if len(lines) < 5 || !strings.HasSuffix(lines[0], `exception="panic in a callback: in a callback"`) || !strings.HasPrefix(lines[1], "goroutine ") || strings.Contains(plain.String(), `\n`) {
			t.Errorf("it is logged as %q", plain.String())
		}
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(&record, nil)))
	report()
	if text := record.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `lines="goroutine `) {
		t.Errorf("a handler gets %q", text)
	}
}

// The collector's cleanups run outside of all bubbles, from where a loop of a bubble
// cannot be woken: what is lost there is told all the same.
func TestLostErrorIsToldInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told = append(told, c.Name) })
			for _, name := range []string{"a", "b"} {
				asyncio.Go(ctx, func(context.Context) error { return valueError("lost") }, asyncio.WithTaskName(name))
				asyncio.Sleep(ctx, time.Hour)
			}
		})
		assert.Equal(t, []string{"a", "b"}, told)
	})
}
