package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Programs about what CPython has decided anew since 3.12, and what it has not.
func TestConformanceNewest(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/003_delay_in_the_past", playDelayInThePast},
		scenario{"asyncio/008_two_loops", playTwoLoops},
		scenario{"asyncio/027_eager_start", playEagerStart},
		scenario{"asyncio/062_gather_done", playGatherDone},
		scenario{"asyncio/074_done_already", playDoneAlready},
		scenario{"asyncio/091_shield_late_error", playShieldLateError},
		scenario{"asyncio/102_taskgroup_eager", playTaskGroupEager},
		scenario{"asyncio/103_taskgroup_generator_exit", playTaskGroupGeneratorExit},
		scenario{"asyncio/104_taskgroup_cancel", playTaskGroupCancel},
	)
}

func playDelayInThePast(s *script) {
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		l.CallLater(0, s.printer("zero"))
		handle := l.CallLater(-time.Second, s.printer("minus one"))
		l.CallLater(-3*time.Second, s.printer("minus three"))
		l.CallAt(l.Time()-2*time.Second, s.printer("call_at, two before now"))
		l.CallSoon(s.printer("ready"))
		s.print("the time is past", yes(handle.When() < l.Time()-500*time.Millisecond))
		l.CallLater(-2*time.Second, s.printer("not reached")).Cancel()
		s.must(asyncio.Sleep(ctx, -time.Second))
		s.print("slept less than nothing")
		return asyncio.Sleep(ctx, shortly)
	}))
}

// Which task and which future it was is told in words of Python or Go.
var whichTaskAndFuture = regexp.MustCompile("<.*> got Future <.*> attached")

func playTwoLoops(s *script) {
	told := func(what string, err error) {
		if err == nil {
			s.print(what + ": taken")
			return
		}
		text := whichTaskAndFuture.ReplaceAllString(pyMessage(err), "<task> got Future <future> attached")
		s.print(what+":", pyName(err), text)
	}
	first, second := scenarioLoop(), scenarioLoop()
	nothing := asyncio.Func(func(context.Context) error { return nil })
	_, err := asyncio.RunUntilComplete(first, asyncio.Func(func(ctx context.Context) error {
		_, err := asyncio.RunUntilComplete(first, nothing)
		told("the same loop", err)
		_, err = asyncio.RunUntilComplete(second, nothing)
		told("another loop", err)
		_, err = asyncio.Run(ctx, nothing)
		told("run", err)
		_, err = asyncio.RunIn(ctx, asyncio.NewRunner(), nothing)
		told("Runner.run", err)
		told("close", first.Close())
		return nil
	}))
	s.must(err)
	f := asyncio.NewFuture[asyncio.None](second)
	_, err = asyncio.RunUntilComplete(first, asyncio.Func(func(ctx context.Context) error {
		_, err := f.Await(ctx)
		told("await", err)
		_, err = asyncio.Gather(ctx, nothing, f).Result()
		told("gather", err)
		// Here a shield is refused, too: its future could not be awaited.
		_, err = asyncio.Shield(ctx, f).Result()
		if errors.Is(err, asyncio.ErrOtherLoop) {
			err = nil
		}
		told("shield", err)
		func() {
			defer func() { told("ensure_future", recover().(error)) }()
			asyncio.EnsureFuture(ctx, f)
		}()
		return nil
	}))
	s.must(err)
	_, err = asyncio.RunUntilComplete(first, f)
	told("run_until_complete", err)
	s.must(first.Close())
	s.print("closed:", first.RunForever())
	s.must(second.Close())
}

func playEagerStart(s *script) {
	quick := func(what string) asyncio.Coro[asyncio.None] {
		return asyncio.Func(func(ctx context.Context) error {
			s.print(what, "in", asyncio.CurrentTask(ctx).Name())
			return nil
		})
	}
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		create := func(what, name string, opts ...asyncio.TaskOption) *asyncio.Task[asyncio.None] {
			return asyncio.CreateTask(ctx, quick(what), append(opts, asyncio.WithTaskName(name))...)
		}
		t := create("asked for", "a", asyncio.EagerStart(true))
		s.print("done", yes(t.Done()))
		t = create("not asked for", "b")
		s.print("done", yes(t.Done()))
		t.Await(ctx)
		l.SetTaskFactory(asyncio.EagerTaskFactory)
		t = create("by the factory", "c")
		s.print("done", yes(t.Done()))
		t = create("refused", "d", asyncio.EagerStart(false))
		s.print("done", yes(t.Done()))
		t.Await(ctx)
		s.must(asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			t := asyncio.GroupTask(tg, quick("refused in a group"), asyncio.WithTaskName("e"), asyncio.EagerStart(false))
			s.print("done", yes(t.Done()))
			return nil
		}))
		// A factory here is not told which options there are: make has them.
		options := ""
		l.SetTaskFactory(func(_ *asyncio.Loop, make func(...asyncio.TaskOption) asyncio.AnyTask) asyncio.AnyTask {
			s.print("factory:", options)
			return make()
		})
		options = "name"
		create("by a factory", "f").Await(ctx)
		options = "eager_start name"
		t = create("by a factory, asked for", "g", asyncio.EagerStart(true))
		s.print("done", yes(t.Done()))
		l.SetTaskFactory(nil)
		return nil
	}))
}

func playGatherDone(s *script) {
	say := func(what string, outer asyncio.AnyFuture) { s.print(what+": done", yes(outer.Done())) }
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		ended := asyncio.CreateTask(ctx, returning(1, nil))
		failed := asyncio.CreateTask(ctx, returning(0, valueError("first")))
		later := asyncio.CreateTask(ctx, returning(0, valueError("second")))
		waits, cancelled := asyncio.NewFuture[int](l), asyncio.NewFuture[int](l)
		cancelled.Cancel()
		asyncio.Wait(ctx, []*asyncio.Task[int]{ended, failed, later})
		l.CallSoon(s.printer("ready before the first gather"))
		g := asyncio.Gather(ctx, ended, ended)
		say("all ended", g)
		vs, err := g.Await(ctx)
		s.must(err)
		s.print(withWords("results", vs)...)
		for _, c := range []struct {
			what string
			args []asyncio.Awaitable[int]
		}{
			{"one failed", []asyncio.Awaitable[int]{waits, failed, later}},
			{"two failed", []asyncio.Awaitable[int]{later, failed}},
			{"one cancelled", []asyncio.Awaitable[int]{ended, cancelled}},
		} {
			g := asyncio.Gather(ctx, c.args...)
			say(c.what, g)
			_, err := g.Await(ctx)
			s.print(pyName(err), pyMessage(err))
		}
		o := asyncio.GatherOutcomes(ctx, failed, ended, cancelled)
		say("outcomes", o)
		outcomes, err := o.Await(ctx)
		s.must(err)
		words := []any{}
		for _, o := range outcomes {
			word := "int"
			if o.Err != nil {
				word = pyName(o.Err)
			}
			words = append(words, word)
		}
		s.print(words...)
		o = asyncio.GatherOutcomes(ctx, waits, failed)
		say("outcomes, one pending", o)
		o.Cancel()
		asyncio.Sleep(ctx, 0)
		l.SetTaskFactory(asyncio.EagerTaskFactory)
		g = asyncio.Gather(ctx, returning(2, nil), returning(3, nil))
		say("eager", g)
		vs, err = g.Await(ctx)
		s.must(err)
		s.print(withWords("results", vs)...)
		g = asyncio.Gather(ctx, returning(2, nil), sleeping(0, 3))
		say("eager, one pending", g)
		vs, err = g.Await(ctx)
		s.must(err)
		s.print(withWords("results", vs)...)
		return nil
	}))
}

func playDoneAlready(s *script) {
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		ended := asyncio.CreateTask(ctx, returning(1, nil))
		ended.Await(ctx)
		all := []*asyncio.Task[int]{ended}
		turns := func(what string, wait func() error) {
			handle := l.CallSoon(s.printer("  a turn of the loop"))
			s.print(what)
			s.must(wait())
			handle.Cancel()
		}
		turns("await", func() error { _, err := ended.Await(ctx); return err })
		turns("gather", func() error { _, err := asyncio.Gather(ctx, ended).Await(ctx); return err })
		turns("shield", func() error { _, err := asyncio.Shield(ctx, ended).Await(ctx); return err })
		turns("wait_for", func() error { _, err := asyncio.WaitFor(ctx, time.Second, ended); return err })
		turns("wait_for, no time", func() error { _, err := asyncio.WaitFor(ctx, 0, ended); return err })
		turns("wait", func() error { _, _, err := asyncio.Wait(ctx, all); return err })
		turns("as_completed", func() (err error) {
			for _, err = range asyncio.AsCompleted(ctx, all) {
			}
			return err
		})
		turns("as_completed, async for", func() (err error) {
			for _, err = range asyncio.AsCompletedTasks(ctx, all) {
			}
			return err
		})
		group := func(children ...asyncio.Coro[int]) error {
			return asyncio.RunTaskGroup(ctx, func(_ context.Context, tg *asyncio.TaskGroup) error {
				for _, c := range children {
					asyncio.GroupTask(tg, c)
				}
				return nil
			})
		}
		turns("a group of nothing", func() error { return group() })
		l.SetTaskFactory(asyncio.EagerTaskFactory)
		turns("a group of a task that is done", func() error { return group(returning(2, nil)) })
		return nil
	}))
}

func playShieldLateError(s *script) {
	fails := func(text string) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) {
			asyncio.Sleep(ctx, shortly)
			return 0, valueError(text)
		}
	}
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
			words := []any{"handler:", c.Message, "/", c.Exception, "/ exception"}
			if c.Future != nil {
				words = append(words, "future")
			}
			s.print(append(words, "message")...)
		})
		givenUp := func(inner asyncio.Awaitable[int], howOften int) {
			for range howOften {
				outer := asyncio.Shield(ctx, inner)
				asyncio.Sleep(ctx, 0)
				outer.Cancel()
			}
			asyncio.Sleep(ctx, 0)
		}
		wait := func(t *asyncio.Task[int]) { asyncio.Wait(ctx, []*asyncio.Task[int]{t}) }
		lookedAt := func(f asyncio.AnyFuture) {
			exc, _ := f.Exception()
			s.print("looked at", exc)
		}

		inner := asyncio.CreateTask(ctx, fails("one shield"))
		givenUp(inner, 1)
		wait(inner)
		s.print("waited")
		asyncio.Sleep(ctx, 0)
		lookedAt(inner)

		inner = asyncio.CreateTask(ctx, fails("three shields"))
		givenUp(inner, 3)
		wait(inner)
		asyncio.Sleep(ctx, 0)
		lookedAt(inner)

		inner = asyncio.CreateTask(ctx, fails("somebody waits"))
		outer := asyncio.Shield(ctx, inner)
		givenUp(inner, 1)
		_, err := outer.Await(ctx)
		s.print("caught", err)
		asyncio.Sleep(ctx, 0)

		inner = asyncio.CreateTask(ctx, sleeping(shortly, 0))
		givenUp(inner, 1)
		inner.Await(ctx)
		s.print("no error, no report")

		inner = asyncio.CreateTask(ctx, sleeping(shortly, 0))
		givenUp(inner, 1)
		inner.Cancel()
		wait(inner)
		s.print("cancelled, no report")

		f := asyncio.NewFuture[int](l)
		outer = asyncio.Shield(ctx, f)
		asyncio.Sleep(ctx, 0)
		f.SetException(valueError("in one turn"))
		outer.Cancel()
		asyncio.Sleep(ctx, 0)
		asyncio.Sleep(ctx, 0)
		lookedAt(f)
		return nil
	}))
}

// printGroup prints the class of err, or of a group the message and what is in it.
func (s *script) printGroup(err error, class bool) {
	words := []any{err}
	if class {
		words = []any{pyName(err), err}
	}
	var group *asyncio.ExceptionGroup
	if errors.As(err, &group) {
		words = append(words, "/")
		for _, e := range group.Exceptions {
			if class {
				words = append(words, pyName(e))
			}
			if text := pyMessage(e); !errors.Is(e, asyncio.ErrGeneratorExit) {
				words = append(words, text)
			}
		}
	}
	s.print(words...)
}

func playTaskGroupEager(s *script) {
	says := func(what string) func(context.Context) error {
		return func(context.Context) error { s.print(what); return nil }
	}
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		l.SetTaskFactory(asyncio.EagerTaskFactory)
		me := asyncio.CurrentTask(ctx)
		s.printGroup(asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(context.Context) error { return valueError("eager") })
			s.print("cancelling", me.Cancelling())
			tg.Go(says("the second child runs"))
			s.print("the body goes on")
			err := asyncio.Sleep(ctx, 0)
			if err == nil {
				err = asyncio.Sleep(ctx, 0)
			}
			if errors.Is(err, asyncio.ErrCancelled) {
				s.print("the body is cancelled")
			}
			return err
		}), false)
		l.CallSoon(s.printer("ready before the group ends"))
		s.must(asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(says("a child that succeeds"))
			return nil
		}))
		s.print("left; cancelling", me.Cancelling())
		return nil
	}))
}

func playTaskGroupGeneratorExit(s *script) {
	child := func(what string, atEnd error) func(context.Context) error {
		return func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, 10*time.Second)
			if atEnd != nil {
				return atEnd
			}
			s.print(what, "ends")
			return err
		}
	}
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		closeIt := func(children ...func(context.Context) error) {
			it := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[string, asyncio.None]) error {
				return asyncio.RunTaskGroup(ctx, func(_ context.Context, tg *asyncio.TaskGroup) error {
					for _, c := range children {
						tg.Go(c)
					}
					_, err := y.Yield("item")
					return err
				})
			})
			item, err := it.Next(ctx)
			s.must(err)
			s.print(item)
			asyncio.Sleep(ctx, 0)
			if err := it.Close(ctx); err != nil {
				s.printGroup(err, true)
			} else {
				s.print("closed")
			}
		}
		closeIt()
		closeIt(child("the child", nil))
		closeIt(child("the first child", nil), child("", valueError("at the end")))
		err := asyncio.RunTaskGroup(ctx, func(context.Context, *asyncio.TaskGroup) error {
			return fmt.Errorf("by hand: %w", asyncio.ErrGeneratorExit)
		})
		// Here a message is what wraps the error.
		by, _, _ := strings.Cut(err.Error(), ":")
		s.print(pyName(err), by)
		// An error that was joined is one more.
		err = asyncio.RunTaskGroup(ctx, func(context.Context, *asyncio.TaskGroup) error {
			return errors.Join(asyncio.ErrGeneratorExit, io.ErrClosedPipe)
		})
		if !errors.As(err, new(*asyncio.ExceptionGroup)) {
			s.t.Errorf("the error of a close that was joined: %v", err)
		}
		return nil
	}))
}

func playTaskGroupCancel(s *script) {
	forever := func(what string) func(context.Context) error {
		return func(ctx context.Context) error {
			defer s.print(what, "ends")
			return asyncio.Sleep(ctx, 10*time.Second)
		}
	}
	// notReached gives the error of a wait that was cancelled on.
	notReached := func(err error) error {
		if err == nil {
			s.print("not reached")
		}
		return err
	}
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		me := asyncio.CurrentTask(ctx)
		group := func(f func(ctx context.Context, tg *asyncio.TaskGroup) error) {
			if err := asyncio.RunTaskGroup(ctx, f); err != nil {
				s.printGroup(err, false)
			}
			s.print("left, cancelling", me.Cancelling())
		}
		s.print("-- from the body")
		group(func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(forever("child"))
			asyncio.Sleep(ctx, 0)
			tg.Cancel()
			tg.Cancel()
			s.print("the body goes on, cancelling", me.Cancelling())
			return notReached(asyncio.Sleep(ctx, 0))
		})
		s.print("-- from a child")
		group(func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(forever("child"))
			tg.Go(func(ctx context.Context) error {
				asyncio.Sleep(ctx, 0)
				tg.Cancel()
				return notReached(asyncio.Sleep(ctx, 0))
			})
			return nil
		})
		s.print("-- before it is entered")
		tg := new(asyncio.TaskGroup)
		tg.Cancel()
		s.must(tg.Enter(ctx))
		s.print(strings.TrimPrefix(pyMessage(refusal(tg.Go(forever("child")))), "TaskGroup "))
		s.must(tg.Exit(ctx, notReached(asyncio.Sleep(ctx, 0))))
		s.print("left, cancelling", me.Cancelling())
		tg.Cancel()
		asyncio.Sleep(ctx, 0)
		s.print("cancelled after its end, cancelling", me.Cancelling())
		s.print("-- with an error of the body")
		group(func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(forever("child"))
			asyncio.Sleep(ctx, 0)
			tg.Cancel()
			return valueError("of the body")
		})
		s.print("-- after a child has failed")
		group(func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(ctx context.Context) error {
				asyncio.Sleep(ctx, 0)
				return valueError("failed")
			})
			err := asyncio.Sleep(ctx, 10*time.Second)
			tg.Cancel()
			s.print("cancelling", me.Cancelling())
			return err
		})
		s.print("-- while it is cancelled from outside")
		t := asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				me := asyncio.CurrentTask(ctx)
				l.CallSoon(tg.Cancel)
				l.CallSoon(func() { me.Cancel() })
				return asyncio.Sleep(ctx, 10*time.Second)
			})
			return notReached(err)
		})
		asyncio.Wait(ctx, []*asyncio.Task[asyncio.None]{t})
		s.print("cancelled", yes(t.Cancelled()))
		return nil
	}))
}
