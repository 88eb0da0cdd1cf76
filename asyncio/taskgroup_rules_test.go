package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

type groupBody = func(ctx context.Context, tg *asyncio.TaskGroup) error

// failing fails with msg after d.
func failing(d time.Duration, msg string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if err := asyncio.Sleep(ctx, d); err != nil {
			return err
		}
		return valueError(msg)
	}
}

// failsWhenCancelled fails with msg when it is cancelled.
func failsWhenCancelled(msg string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if asyncio.Sleep(ctx, time.Hour) != nil {
			return valueError(msg)
		}
		return nil
	}
}

// messages are those of the errors of a group, and of groups in it.
func messages(err error) (all []string) {
	eg, ok := err.(*asyncio.ExceptionGroup)
	if !ok {
		return []string{pyName(err)}
	}
	for _, e := range eg.Exceptions {
		if sub, ok := e.(*asyncio.ExceptionGroup); ok {
			all = append(all, fmt.Sprint(messages(sub)))
		} else {
			all = append(all, e.Error())
		}
	}
	return all
}

// TestTaskGroupErrors runs groups in a task of their own, which may be cancelled
// from elsewhere after a time.
func TestTaskGroupErrors(t *testing.T) {
	sleep := func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }
	for _, c := range []struct {
		what    string
		f       groupBody
		outside []time.Duration // when it is cancelled from elsewhere
		want    []string        // the messages of the group, or the class of the error
		after   []bool          // whether the next waits are cancelled
		cancels int
	}{
		{what: "no error", f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(context.Context) error { return nil })
			return nil
		}},
		{what: "two in the same turn, then the body", want: []string{"one", "two", "body"},
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(failing(time.Second, "one"))
				tg.Go(failing(time.Second, "two"))
				tg.Go(sleep)
				if sleep(ctx) != nil {
					return valueError("body")
				}
				return nil
			}},
		{what: "in the order of their ends", want: []string{"first", "second", "third"},
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(func(ctx context.Context) error {
					sleep(ctx)
					return failing(time.Second, "third")(ctx)
				})
				tg.Go(failsWhenCancelled("second"))
				tg.Go(failing(time.Second, "first"))
				return nil
			}},
		{what: "the body fails", want: []string{"cleanup", "body"},
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(failsWhenCancelled("cleanup"))
				asyncio.Sleep(ctx, time.Second)
				return valueError("body")
			}},
		{what: "the body fails alone", want: []string{"body"},
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error { return valueError("body") }},
		{what: "a task is cancelled", f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
			lost := tg.Go(sleep)
			asyncio.Sleep(ctx, 0)
			lost.Cancel()
			return nil
		}},
		{what: "a group in a group", want: []string{"[inner]", "outer"},
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(func(ctx context.Context) error {
					return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
						tg.Go(failing(time.Second, "inner"))
						return nil
					})
				})
				tg.Go(failsWhenCancelled("outer"))
				return nil
			}},
		{what: "cancelled from elsewhere", outside: []time.Duration{time.Second}, want: []string{"CancelledError"}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(sleep)
				return nil
			}},
		{what: "cancelled from elsewhere in the body", outside: []time.Duration{time.Second}, want: []string{"CancelledError"}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(sleep)
				return sleep(ctx)
			}},
		{what: "cancelled again and again", outside: []time.Duration{1, 2, 3}, want: []string{"CancelledError"}, cancels: 3,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				asyncio.GroupTask(tg, stubborn(time.Second, 1))
				return nil
			}},
		{what: "cancelled three times in one turn", outside: []time.Duration{1, 1, 1}, want: []string{"CancelledError"}, cancels: 3,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(sleep)
				return nil
			}},
		{what: "cancelled from elsewhere, and an error", outside: []time.Duration{time.Second}, want: []string{"cleanup"}, after: []bool{true, false}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(failsWhenCancelled("cleanup"))
				return nil
			}},
		{what: "cancelled from elsewhere while it fails", outside: []time.Duration{2 * time.Second}, want: []string{"first"}, after: []bool{true, false}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(failing(time.Second, "first"))
				asyncio.GroupTask(tg, stubborn(time.Minute, 1))
				return sleep(ctx)
			}},
		{what: "a cancel and an error in one step", want: []string{"first"}, after: []bool{true, false}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				me := asyncio.CurrentTask(ctx)
				tg.Go(func(ctx context.Context) error {
					me.Cancel()
					return valueError("first")
				})
				return sleep(ctx)
			}},
		{what: "a cancel in the turn in which the error is told", want: []string{"first"}, after: []bool{true, false}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				me := asyncio.CurrentTask(ctx)
				me.Loop().CallSoon(func() { me.Loop().CallSoon(func() { me.Cancel() }) })
				tg.Go(failing(-1, "first"))
				return sleep(ctx)
			}},
		{what: "a cancel when the last task has ended", want: []string{"CancelledError"}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				me := asyncio.CurrentTask(ctx)
				tg.Go(func(ctx context.Context) error {
					me.Loop().CallSoon(func() { me.Cancel() })
					return nil
				})
				return nil
			}},
		{what: "the group is cancelled by its body", f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(sleep)
			tg.Cancel()
			tg.Cancel()
			return sleep(ctx)
		}},
		{what: "the group is cancelled by its body, which goes on", f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(sleep)
			asyncio.Sleep(ctx, 0)
			tg.Cancel()
			return nil
		}},
		{what: "the group is cancelled by a task", f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(sleep)
			tg.Go(func(ctx context.Context) error { tg.Cancel(); return nil })
			return sleep(ctx)
		}},
		{what: "the group is cancelled when it waits", f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(sleep)
			tg.Go(func(ctx context.Context) error {
				asyncio.Sleep(ctx, time.Second)
				tg.Cancel()
				return nil
			})
			return nil
		}},
		{what: "the group is cancelled, and an error", want: []string{"cleanup"},
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(failsWhenCancelled("cleanup"))
				asyncio.Sleep(ctx, 0)
				tg.Cancel()
				return sleep(ctx)
			}},
		{what: "the group and its task are cancelled", outside: []time.Duration{time.Second}, want: []string{"CancelledError"}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				asyncio.GroupTask(tg, stubborn(time.Minute, 1))
				asyncio.CurrentTask(ctx).Loop().CallLater(time.Second, tg.Cancel)
				return sleep(ctx)
			}},
		{what: "cancelled from elsewhere after its body has cancelled the group", outside: []time.Duration{time.Second}, want: []string{"CancelledError"}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				asyncio.GroupTask(tg, stubborn(time.Minute, 1))
				asyncio.Sleep(ctx, 0)
				tg.Cancel()
				return nil
			}},
		{what: "cancelled from elsewhere after the group's own cancel has ended its body", outside: []time.Duration{1, 2}, want: []string{"CancelledError"}, cancels: 2,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				asyncio.GroupTask(tg, stubborn(time.Minute, 1))
				asyncio.Sleep(ctx, 0)
				tg.Cancel()
				return sleep(ctx)
			}},
		{what: "cancelled from elsewhere after a task has cancelled the group that waits", outside: []time.Duration{2 * time.Second}, want: []string{"CancelledError"}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				asyncio.GroupTask(tg, stubborn(time.Minute, 1))
				asyncio.CurrentTask(ctx).Loop().CallLater(time.Second, tg.Cancel)
				return nil
			}},
		{what: "cancelled by the group and from elsewhere before it waits", want: []string{"CancelledError"}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(sleep)
				tg.Cancel()
				asyncio.CurrentTask(ctx).Cancel()
				return nil
			}},
		{what: "the same without a task", after: []bool{true, false}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Cancel()
				asyncio.CurrentTask(ctx).Cancel()
				return nil
			}},
		{what: "cancelled by the group, from elsewhere, and an error", outside: []time.Duration{time.Second}, want: []string{"cleanup"}, after: []bool{true, false}, cancels: 1,
			f: func(ctx context.Context, tg *asyncio.TaskGroup) error {
				asyncio.GroupTask(tg, stubborn(time.Minute, 1))
				tg.Go(failsWhenCancelled("cleanup"))
				asyncio.Sleep(ctx, 0)
				tg.Cancel()
				return nil
			}},
	} {
		play(t, func(ctx context.Context) error {
			var after []bool
			parent := asyncio.CreateTask(ctx, func(ctx context.Context) (error, error) {
				err := asyncio.RunTaskGroup(ctx, c.f)
				for range c.after {
					after = append(after, errors.Is(asyncio.Sleep(ctx, 0), asyncio.ErrCancelled))
				}
				if c.after == nil && asyncio.Sleep(ctx, 0) != nil {
					t.Errorf("%s: the wait after the group is cancelled", c.what)
				}
				return err, nil
			})
			for _, d := range c.outside {
				parent.Loop().CallLater(d, func() { parent.Cancel() })
			}
			asyncio.Wait(ctx, []asyncio.AnyTask{parent})
			err, _ := parent.Result()
			switch {
			case c.want == nil:
				if err != nil {
					t.Errorf("%s: %v, want no error", c.what, err)
				}
			case err == nil || !reflect.DeepEqual(messages(err), c.want):
				t.Errorf("%s: %v, want %v", c.what, err, c.want)
			}
			if !reflect.DeepEqual(after, c.after) || parent.Cancelling() != c.cancels {
				t.Errorf("%s: the next waits are cancelled %v, want %v; %d requests, want %d", c.what, after, c.after, parent.Cancelling(), c.cancels)
			}
			return nil
		})
	}
}

func TestTaskGroupMisuse(t *testing.T) {
	one := returning(1, nil)
	nothing := func(context.Context, *asyncio.TaskGroup) error { return nil }
	assert.ErrorIs(t, asyncio.RunTaskGroup(context.Background(), nothing), asyncio.ErrNoRunningLoop, "no task")
	wantPy(t, "no function", asyncio.RunTaskGroup(context.Background(), nil), "TypeError", "got nil")
	play(t, func(ctx context.Context) error {
		refused := func(what string, tg *asyncio.TaskGroup, class, msg string) {
			t.Helper()
			task := asyncio.GroupTask(tg, func(context.Context) (int, error) { t.Error("it runs: " + what); return 0, nil })
			_, err := task.Await(ctx)
			wantPy(t, what, err, class, msg)
		}
		misused := func(what string, tg *asyncio.TaskGroup, class, msg string) {
			t.Helper()
			wantPy(t, what, panicOf(func() { asyncio.GroupTask(tg, one) }), class, msg)
		}
		joined := false
		bad := valueError("bad")
		var tg asyncio.TaskGroup
		misused("no group", nil, "RuntimeError", "TaskGroup has not been entered")
		misused("before Enter", &tg, "RuntimeError", "TaskGroup has not been entered")
		assert.ErrorIs(t, tg.Exit(ctx, bad), bad, "Exit before Enter")
		assert.NoError(t, tg.Enter(ctx))
		wantPy(t, "Enter twice", tg.Enter(ctx), "RuntimeError", "already been entered")
		wantPy(t, "no coroutine", panicOf(func() { asyncio.GroupTask[int](&tg, nil) }), "TypeError", "a coroutine was expected")
		wantPy(t, "no function", panicOf(func() { tg.Go(nil) }), "TypeError", "a coroutine was expected")
		asyncio.Go(ctx, func(ctx context.Context) error {
			wantPy(t, "Exit by another task", tg.Exit(ctx, nil), "RuntimeError", "entered by another task")
			return nil
		})
		foreign := make(chan error)
		go func() {
			foreign <- panicOf(func() { asyncio.GroupTask(&tg, one) })
		}()
		assert.ErrorIs(t, <-foreign, asyncio.ErrNoRunningLoop, "another goroutine")
		tg.Go(func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, time.Second)
			asyncio.GroupTask(&tg, func(context.Context) (int, error) { joined = true; return 1, nil })
			return err
		})
		assert.ErrorIs(t, tg.Exit(context.Background(), bad), bad, "Exit by no task")
		assert.NoError(t, tg.Exit(ctx, nil))
		require.True(t, joined, "a task that ends last cannot make another")
		refused("after Exit", &tg, "RuntimeError", "TaskGroup is finished")
		assert.ErrorIs(t, tg.Exit(ctx, bad), bad, "Exit twice")
		wantPy(t, "Enter again", tg.Enter(ctx), "RuntimeError", "already been entered")
		tg.Cancel()
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(failing(time.Second, "fails"))
			asyncio.Sleep(ctx, time.Hour)
			refused("while it fails", tg, "RuntimeError", "TaskGroup is shutting down")
			return nil
		})
		wantPy(t, "a group that fails", err, "ExceptionGroup", "unhandled errors in a TaskGroup (1 sub-exception): fails")
		var early asyncio.TaskGroup
		early.Cancel()
		early.Enter(ctx)
		refused("cancelled before Enter", &early, "RuntimeError", "TaskGroup is shutting down")
		err = early.Exit(ctx, asyncio.Sleep(ctx, time.Hour))
		if err != nil || asyncio.CurrentTask(ctx).Cancelling() != 0 {
			t.Errorf("cancelled before Enter: %v", err)
		}
		defer func() { wantPy(t, "no slots", recover().(error), "ValueError", "at least 1") }()
		early.SetLimit(0)
		return nil
	})
}

func TestTaskGroupPanic(t *testing.T) {
	play(t, func(ctx context.Context) error {
		ended := false
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			asyncio.GroupTask(tg, slowToEnd(time.Second, &ended))
			asyncio.Sleep(ctx, 0)
			panic("in the body")
		})
		var p *asyncio.PanicError
		if !errors.As(err, &p) || p.Value != "in the body" || !ended {
			t.Errorf("a panic of the body: %v, the task has ended: %v", err, ended)
		}
		err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(context.Context) error { panic("in a task") })
			return asyncio.Sleep(ctx, time.Hour)
		})
		if !errors.As(err, &p) || p.Value != "in a task" {
			t.Errorf("a panic of a task: %v", err)
		}
		return nil
	})
}

// TestTaskGroupExit: an error that ends the program is not put into a group.
func TestTaskGroupExit(t *testing.T) {
	exit := &asyncio.SystemExit{Code: 3}
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(failsWhenCancelled("cleanup"))
			asyncio.Sleep(ctx, 0)
			return exit
		})
	})
	if err != exit {
		t.Errorf("the body exits: %v", err)
	}
	var of error
	err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		asyncio.CurrentTask(ctx).Loop().SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
		of = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(context.Context) error { return exit })
			return asyncio.Sleep(ctx, time.Hour)
		})
		return of
	})
	if err != exit || of != exit {
		t.Errorf("a task exits: the group %v, the run %v", of, err)
	}
}

// TestTaskGroupContextEnds: the end of the context is a cancel of all.
func TestTaskGroupContextEnds(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		waits := func(ctx context.Context) error {
			_, err := asyncio.NewFuture[int](l).Await(ctx)
			return err
		}
		for what, body := range map[string]groupBody{
			"all wait": func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(waits)
				tg.Go(waits)
				return waits(ctx)
			},
			"the body has ended": func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(waits)
				return nil
			},
			"a task has a context of its own": func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(func(ctx context.Context) error {
					err := waits(ctx)
					asyncio.Sleep(ctx, 0)
					return err
				}, asyncio.WithTaskContext(context.WithoutCancel(ctx)))
				return nil
			},
		} {
			end, cancel := context.WithCancel(ctx)
			l.CallLater(time.Second, cancel)
			if err := asyncio.RunTaskGroup(end, body); err != context.Canceled {
				t.Errorf("%s: %v, want the error of the context alone", what, err)
			}
		}
		end, cancel := context.WithCancel(ctx)
		err := asyncio.RunTaskGroup(end, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(ctx context.Context) error {
				cancel()
				waits(ctx)
				return valueError("cleanup")
			})
			return nil
		})
		wantPy(t, "a task that fails at the end", err, "ExceptionGroup", "cleanup")
		return nil
	})
}

// A seenEnd is a context that tells when somebody has asked it why it has ended.
type seenEnd struct {
	context.Context
	seen func()
}

func (c seenEnd) Err() error {
	err := c.Context.Err()
	if err != nil {
		c.seen()
	}
	return err
}

// TestTaskGroupOutside: what asks a task from outside to stop, while a group that
// has cancelled itself waits for its tasks, comes out of the group.
func TestTaskGroupOutside(t *testing.T) {
	play(t, func(ctx context.Context) error {
		// ending is a group that waits until over is done, or for a minute.
		ending := func(over *asyncio.Future[asyncio.None]) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
					tg.Go(func(ctx context.Context) error {
						err := asyncio.Sleep(ctx, time.Hour)
						if over != nil {
							over.Await(context.WithoutCancel(ctx))
						} else {
							asyncio.Sleep(ctx, time.Minute)
						}
						return err
					})
					asyncio.Sleep(ctx, 0)
					tg.Cancel()
					return nil
				})
			}
		}
		endable := func() (context.Context, *asyncio.Future[asyncio.None], context.CancelFunc) {
			over := asyncio.NewFuture[asyncio.None](asyncio.CurrentTask(ctx).Loop())
			end, cancel := context.WithCancel(ctx)
			return seenEnd{end, func() { over.SetResult(asyncio.None{}) }}, over, cancel
		}
		require.NoError(t, ending(nil)(ctx))
		err := asyncio.WithTimeout(ctx, time.Second, func(ctx context.Context, _ *asyncio.Timeout) error { return ending(nil)(ctx) })
		require.Equal(t, asyncio.ErrTimeout, err)

		task := asyncio.Go(ctx, ending(nil))
		asyncio.Sleep(ctx, time.Second)
		task.Cancel("shutdown")
		_, err = task.Await(ctx)
		require.EqualError(t, err, "asyncio: cancelled: shutdown")

		end, over, cancel := endable()
		task = asyncio.Go(end, ending(over))
		asyncio.Sleep(ctx, time.Second)
		cancel()
		_, err = task.Await(ctx)
		require.Equal(t, context.Canceled, err)

		// A cancel comes once and the end of ctx is there to stay: the cancel is told.
		end, over, cancel = endable()
		task = asyncio.Go(end, ending(over))
		asyncio.Sleep(ctx, time.Second)
		task.Cancel("shutdown")
		asyncio.Sleep(ctx, time.Second)
		cancel()
		_, err = task.Await(ctx)
		require.EqualError(t, err, "asyncio: cancelled: shutdown")

		// A cancel that was asked for before the group was entered, and is delivered in
		// it, is not the group's, though that asks for one as well.
		task = asyncio.Go(ctx, func(ctx context.Context) error {
			asyncio.CurrentTask(ctx).Cancel("early")
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(func(ctx context.Context) error {
					err := asyncio.Sleep(ctx, time.Hour)
					tg.Cancel()
					return err
				}, asyncio.EagerStart(true))
				return asyncio.Sleep(ctx, time.Hour)
			})
		})
		_, err = task.Await(ctx)
		require.EqualError(t, err, "asyncio: cancelled: early")

		// The group in a group does not go on after the outer one was cancelled.
		err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(failing(time.Second, "a sibling"))
			err := ending(nil)(ctx)
			require.ErrorIs(t, err, asyncio.ErrCancelled)
			return err
		})
		require.Equal(t, []string{"a sibling"}, messages(err))
		require.Zero(t, asyncio.CurrentTask(ctx).Cancelling())
		return asyncio.Sleep(ctx, 0)
	})
}

// TestTaskGroupEagerCancels: an eager task that cancels its group before its first
// wait is cancelled there, however deep it was made.
func TestTaskGroupEagerCancels(t *testing.T) {
	type run = func(ctx context.Context, tg *asyncio.TaskGroup, f func(ctx context.Context) error)
	eager := func(ctx context.Context, tg *asyncio.TaskGroup, f func(ctx context.Context) error) {
		tg.Go(f, asyncio.EagerStart(true))
	}
	for what, c := range map[string]run{
		"by its option": eager,
		"by the task factory": func(ctx context.Context, tg *asyncio.TaskGroup, f func(ctx context.Context) error) {
			asyncio.CurrentTask(ctx).Loop().SetTaskFactory(asyncio.EagerTaskFactory)
			tg.Go(f)
		},
		"made by another one": func(ctx context.Context, tg *asyncio.TaskGroup, f func(ctx context.Context) error) {
			eager(ctx, tg, func(ctx context.Context) error {
				eager(ctx, tg, f)
				return asyncio.Sleep(ctx, time.Hour)
			})
		},
		"with a limit": func(ctx context.Context, tg *asyncio.TaskGroup, f func(ctx context.Context) error) {
			tg.SetLimit(1)
			eager(ctx, tg, f)
		},
	} {
		play(t, func(ctx context.Context) error {
			start := asyncio.CurrentTask(ctx).Loop().Time()
			var child error
			err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				c(ctx, tg, func(ctx context.Context) error {
					tg.Cancel()
					child = asyncio.Sleep(ctx, time.Hour)
					return child
				})
				return nil
			})
			require.NoError(t, err, what)
			require.ErrorIs(t, child, asyncio.ErrCancelled, what)
			require.Equal(t, start, asyncio.CurrentTask(ctx).Loop().Time(), what)
			return nil
		})
	}
}

func TestTaskGroupEager(t *testing.T) {
	play(t, func(ctx context.Context) error {
		asyncio.CurrentTask(ctx).Loop().SetTaskFactory(asyncio.EagerTaskFactory)
		reached := false
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(failing(-1, "at once"))
			asyncio.GroupTask(tg, returning(1, nil))
			tg.Go(func(context.Context) error { return valueError("too early") })
			reached = true // an eager failure does not cancel in the middle of a step
			return asyncio.Sleep(ctx, time.Hour)
		})
		if !reached || err == nil || !errors.Is(err, err) {
			t.Errorf("reached %v, %v", reached, err)
		}
		if err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(context.Context) error { return nil })
			_, err := tg.Go(func(context.Context) error { return nil }).Await(ctx)
			return err
		}); err != nil {
			t.Error(err)
		}
		return nil
	})
}

// TestTaskGroupRefusesATask: what a group refuses is a task that has failed before it
// began, of which nothing is left behind.
func TestTaskGroupRefusesATask(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		var group *asyncio.TaskGroup
		asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.SetLimit(1)
			group = tg
			return nil
		})
		before := asyncio.NewTask(l, asyncio.Func(func(context.Context) error { return nil }), asyncio.WithTaskName("x"))
		l.SetTaskFactory(func(_ *asyncio.Loop, make func(...asyncio.TaskOption) asyncio.AnyTask) asyncio.AnyTask {
			t.Error("the factory is asked for a task that will not run")
			return make()
		})
		never := func(context.Context) error { t.Error("it runs"); return nil }
		x := group.Go(never, asyncio.EagerStart(true))
		named := group.Go(never, asyncio.WithTaskName("mine"))
		l.SetTaskFactory(nil)
		next := asyncio.Go(ctx, func(context.Context) error { return nil })

		require.True(t, x.Done())
		require.False(t, x.Cancelled())
		require.False(t, x.Cancel())
		require.Equal(t, "refused", x.Name())
		require.Equal(t, "mine", named.Name())
		require.Equal(t, "Task-2", next.Name(), "a number is lost")
		require.Empty(t, x.Stack())
		require.NotContains(t, l.AllTasks(), asyncio.AnyTask(x))
		require.NotNil(t, x.Context())
		require.Empty(t, asyncio.CaptureCallGraph(x).AwaitedBy)
		require.NoError(t, asyncio.Kill(x, valueError("late")))
		told := 0
		x.AddDoneCallback(asyncio.NewCallback(func(asyncio.AnyFuture) { told++ }))
		asyncio.Wait(ctx, []asyncio.AnyFuture{before, next, x, named})
		require.Equal(t, 1, told)
		for _, x := range []*asyncio.Task[asyncio.None]{x, named} {
			_, err := x.Await(ctx)
			wantPy(t, "refused", err, "RuntimeError", "TaskGroup is finished")
		}
		return nil
	})
}

// TestTaskGroupEndsInOrder has a task join the group after the last one has ended,
// and end at once: the parent is woken at its turn, not at that of the other.
func TestTaskGroupEndsInOrder(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		var order []string
		between := asyncio.NewFuture[int](l)
		waiter := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
			between.Await(ctx)
			order = append(order, "between")
			return 0, nil
		})
		asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, 0) })
			asyncio.Go(ctx, func(ctx context.Context) error {
				asyncio.Sleep(ctx, 0)
				l.CallSoon(func() { between.SetResult(1) })
				_, err := asyncio.GroupTask(tg, returning(1, nil), asyncio.EagerStart(true)).Result()
				return err
			})
			return nil
		})
		order = append(order, "parent")
		waiter.Await(ctx)
		if !reflect.DeepEqual(order, []string{"between", "parent"}) {
			t.Errorf("woken are %v", order)
		}
		return nil
	})
}

// TestTaskGroupSeesErrors: an error that is in the group is not reported as lost.
func TestTaskGroupSeesErrors(t *testing.T) {
	l := asyncio.NewLoop()
	l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
		t.Errorf("report: %s: %v", c.Message, c.Exception)
	})
	_, err := asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(failing(0, "one"))
			tg.Go(failing(0, "two"))
			return nil
		})
	}))
	if !reflect.DeepEqual(messages(err), []string{"one", "two"}) {
		t.Error(err)
	}
	l.Close()
}

func TestTaskGroupLimit(t *testing.T) {
	play(t, func(ctx context.Context) error {
		running, most, begun := 0, 0, 0
		work := func(ctx context.Context) error {
			begun++
			running++
			most = max(most, running)
			defer func() { running-- }()
			return asyncio.Sleep(ctx, time.Second)
		}
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.SetLimit(2)
			for range 9 {
				tg.Go(work)
			}
			return nil
		})
		if l := asyncio.CurrentTask(ctx).Loop(); err != nil || most != 2 || begun != 9 || l.Time() != 5*time.Second {
			t.Errorf("%v, %d of %d at a time, %v", err, most, begun, l.Time())
		}
		begun = 0
		err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.SetLimit(2)
			tg.Go(failing(0, "first"))
			for range 9 {
				tg.Go(work)
			}
			return nil
		})
		if wantPy(t, "one fails", err, "ExceptionGroup", "first"); begun > 2 {
			t.Errorf("%d have begun after the first had failed", begun)
		}
		return nil
	})
}
