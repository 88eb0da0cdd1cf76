package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// What gives up waiting for a future, here for x, which goes on.
type aWayOut struct {
	name string
	out  func(ctx, brief context.Context, x *asyncio.Task[int]) error // brief is about to end
}

var waysOut = []aWayOut{
	{"Await and ctx", func(_, brief context.Context, x *asyncio.Task[int]) error {
		_, err := x.Await(brief)
		return err
	}},
	{"Await of a task that is cancelled", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		waits := asyncio.CreateTask(ctx, asyncio.Shield(ctx, x).Await)
		asyncio.Sleep(ctx, 0)
		waits.Cancel()
		_, err := waits.Await(ctx)
		return err
	}},
	{"Shield and ctx", func(ctx, brief context.Context, x *asyncio.Task[int]) error {
		_, err := asyncio.Shield(ctx, x).Await(brief)
		return err
	}},
	{"Shield of Shield and ctx", func(ctx, brief context.Context, x *asyncio.Task[int]) error {
		_, err := asyncio.Shield(ctx, asyncio.Shield(ctx, x)).Await(brief)
		return err
	}},
	{"WaitFor", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		_, err := asyncio.WaitFor(ctx, 1, asyncio.Shield(ctx, x))
		return err
	}},
	{"WaitFor at once", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		_, err := asyncio.WaitFor(ctx, 0, asyncio.Shield(ctx, x))
		return err
	}},
	{"WithTimeout", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		return asyncio.WithTimeout(ctx, 1, func(ctx context.Context, _ *asyncio.Timeout) error {
			_, err := asyncio.Shield(ctx, x).Await(ctx)
			return err
		})
	}},
	{"Wait and time", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		_, left, _ := asyncio.Wait(ctx, []*asyncio.Task[int]{x}, asyncio.Within(1))
		if len(left) == 1 {
			return asyncio.ErrTimeout
		}
		return nil
	}},
	{"Wait and ctx", func(_, brief context.Context, x *asyncio.Task[int]) error {
		_, _, err := asyncio.Wait(brief, []*asyncio.Task[int]{x})
		return err
	}},
	{"Wait for the first", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		other := asyncio.CreateTask(ctx, number(1))
		_, left, _ := asyncio.Wait(ctx, []*asyncio.Task[int]{x, other}, asyncio.FirstCompleted)
		if len(left) == 1 {
			return asyncio.ErrTimeout
		}
		return nil
	}},
	{"Wait for a Shield", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		asyncio.Wait(ctx, []asyncio.FutureOf[int]{asyncio.Shield(ctx, x)}, asyncio.Within(1))
		return asyncio.ErrTimeout
	}},
	{"AsCompleted and break", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		for range asyncio.AsCompleted(ctx, []asyncio.Awaitable[int]{x, number(1)}) {
			return asyncio.ErrTimeout
		}
		return nil
	}},
	{"AsCompleted and time", func(ctx, _ context.Context, x *asyncio.Task[int]) (err error) {
		for _, err = range asyncio.AsCompleted(ctx, []asyncio.Awaitable[int]{x}, asyncio.Within(1)) {
		}
		return err
	}},
	{"AsCompleted and ctx", func(_, brief context.Context, x *asyncio.Task[int]) (err error) {
		for _, err = range asyncio.AsCompletedTasks(brief, []asyncio.Awaitable[int]{x}) {
		}
		return err
	}},
	{"Gather and ctx", func(ctx, brief context.Context, x *asyncio.Task[int]) error {
		_, err := asyncio.Gather(ctx, asyncio.Awaitable[int](x), x, number(1)).Await(brief)
		return err
	}},
	{"GatherOutcomes and ctx", func(ctx, brief context.Context, x *asyncio.Task[int]) error {
		_, err := asyncio.GatherOutcomes[int](ctx, x).Await(brief)
		return err
	}},
	{"Gather and a failure", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		_, err := asyncio.Gather(ctx, asyncio.Awaitable[int](x), x, asyncio.Coro[int](func(context.Context) (int, error) { return 0, errBroken })).Await(ctx)
		return err
	}},
	{"callback", func(_, _ context.Context, x *asyncio.Task[int]) error {
		cb := asyncio.NewCallback(func(asyncio.AnyFuture) { panic("it was removed") })
		x.AddDoneCallback(cb)
		x.AddDoneCallback(cb)
		if n := x.RemoveDoneCallback(cb); n != 2 {
			return fmt.Errorf("%d are removed", n)
		}
		return asyncio.ErrTimeout
	}},
	{"callback of a Shield", func(ctx, _ context.Context, x *asyncio.Task[int]) error {
		cb := asyncio.NewCallback(func(asyncio.AnyFuture) { panic("it was removed") })
		s := asyncio.Shield(ctx, x)
		s.AddDoneCallback(cb)
		s.RemoveDoneCallback(cb)
		return asyncio.ErrTimeout
	}},
}

var errBroken = errors.New("broken")

// brief runs f with a context that ends when f waits.
func brief(ctx context.Context, f func(brief context.Context) error) error {
	c, cancel := context.WithCancel(ctx)
	defer cancel()
	mustLoop(ctx).CallSoon(cancel)
	return f(c)
}

// waitersOf gives x waiters, and returns what takes them back.
func waitersOf(ctx context.Context, x *asyncio.Task[int], n int) (end func()) {
	c, cancel := context.WithCancel(ctx)
	for range n {
		asyncio.Go(ctx, func(ctx context.Context) error { x.Await(c); return nil })
	}
	asyncio.Sleep(ctx, 0)
	return func() {
		cancel()
		for asyncio.Waiters(x) > 0 {
			asyncio.Sleep(ctx, 1)
		}
	}
}

// Who gives up a future leaves nothing with it, whether others wait or not.
func TestGivingUpLeavesNothing(t *testing.T) {
	for _, w := range waysOut {
		for _, others := range []int{0, 1, 100} {
			t.Run(fmt.Sprint(w.name, " of ", 1+others), func(t *testing.T) {
				asynciotest.Run(t, func(ctx context.Context) {
					x := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) { return 1, asyncio.NewEvent().Wait(ctx) })
					asyncio.Sleep(ctx, 0)
					end := waitersOf(ctx, x, others)
					for range 3 {
						if err := brief(ctx, func(b context.Context) error { return w.out(ctx, b, x) }); err == nil {
							t.Error("it waits to the end")
						}
						asyncio.Sleep(ctx, 0)
						if n := asyncio.Waiters(x); n != others || x.Done() {
							t.Errorf("%d waiters are left, want %d", n, others)
						}
					}
					end()
					x.Cancel()
				})
			})
		}
	}
}

// The same for a future of other goroutines, on which work has begun.
func TestGivingUpConcurrentFuture(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		c := asyncio.NewConcurrentFuture[int]()
		c.SetRunning()
		give := func(what string, err error) {
			t.Helper()
			asyncio.Sleep(ctx, 0)
			asyncio.Sleep(ctx, 0)
			if n := asyncio.ConcurrentWaiters(c); n != 0 || err == nil {
				t.Errorf("%s: %d are left, %v", what, n, err)
			}
		}
		give("Await and ctx", brief(ctx, func(b context.Context) error { _, err := c.Await(b); return err }))
		give("Await and cancel", asyncio.WithTimeout(ctx, 1, func(ctx context.Context, _ *asyncio.Timeout) error {
			_, err := c.Await(ctx)
			return err
		}))
		_, err := asyncio.WaitFor(ctx, 1, asyncio.Awaitable[int](asyncio.WrapFuture(mustLoop(ctx), c)))
		give("WaitFor", err)
	})
}

// What was given up tells the outcome all the same, to whoever asks later.
func TestGivenUpButKept(t *testing.T) {
	ends := map[string]func(f *asyncio.Future[int]){
		"result":    func(f *asyncio.Future[int]) { f.SetResult(7) },
		"failure":   func(f *asyncio.Future[int]) { f.SetException(errBroken) },
		"cancelled": func(f *asyncio.Future[int]) { f.Cancel() },
	}
	kinds := map[string]func(ctx context.Context, f *asyncio.Future[int]) asyncio.AnyFuture{
		"Shield": func(ctx context.Context, f *asyncio.Future[int]) asyncio.AnyFuture { return asyncio.Shield(ctx, f) },
		"Shield of Shield": func(ctx context.Context, f *asyncio.Future[int]) asyncio.AnyFuture {
			return asyncio.Shield(ctx, asyncio.Shield(ctx, f))
		},
		"Gather": func(ctx context.Context, f *asyncio.Future[int]) asyncio.AnyFuture {
			return asyncio.Gather[int](ctx, f)
		},
		"GatherOutcomes": func(ctx context.Context, f *asyncio.Future[int]) asyncio.AnyFuture {
			return asyncio.GatherOutcomes[int](ctx, f)
		},
	}
	asks := map[string]func(ctx context.Context, f asyncio.AnyFuture) error{
		"Done":      func(_ context.Context, f asyncio.AnyFuture) error { return yesNo(f.Done()) },
		"Exception": func(_ context.Context, f asyncio.AnyFuture) error { f.Exception(); return nil },
		"Cancel":    func(_ context.Context, f asyncio.AnyFuture) error { return yesNo(!f.Cancel()) },
		"Wait": func(ctx context.Context, f asyncio.AnyFuture) error {
			_, _, err := asyncio.Wait(ctx, []asyncio.AnyFuture{f})
			return err
		},
		"callback": func(ctx context.Context, f asyncio.AnyFuture) error {
			called := false
			f.AddDoneCallback(asyncio.NewCallback(func(asyncio.AnyFuture) { called = true }))
			asyncio.Sleep(ctx, 0)
			asyncio.Sleep(ctx, 0)
			return yesNo(called)
		},
	}
	for kind, of := range kinds {
		for end, settle := range ends {
			for ask, answer := range asks {
				for _, early := range []bool{false, true} { // it is asked before the end, too
					t.Run(fmt.Sprint(kind, " ", end, " ", ask, " ", early), func(t *testing.T) {
						asynciotest.Run(t, func(ctx context.Context) {
							in := asyncio.NewFuture[int](mustLoop(ctx))
							out := of(ctx, in)
							asyncio.Wait(ctx, []asyncio.AnyFuture{out}, asyncio.Within(1)) // gives up
							if out.Done() || asyncio.Waiters(in) != 0 {
								t.Error("it is done, or waits")
							}
							if early {
								asyncio.Go(ctx, func(ctx context.Context) error {
									_, _, err := asyncio.Wait(ctx, []asyncio.AnyFuture{out})
									return err
								})
								asyncio.Sleep(ctx, 0)
								if n := asyncio.Waiters(in); n != 1 {
									t.Errorf("%d wait again", n)
								}
							}
							settle(in)
							if early {
								for range 4 {
									asyncio.Sleep(ctx, 0)
								}
							}
							assert.NoError(t, answer(ctx, out))
							exc, err := out.Exception()
							failed, cancelled := exc != nil && errors.Is(exc, errBroken), asCancel(exc) || asCancel(err)
							if kind == "GatherOutcomes" {
								failed, cancelled = end == "failure", end == "cancelled"
							}
							if !out.Done() || failed != (end == "failure") || cancelled != (end == "cancelled") {
								t.Errorf("%v, %v", exc, err)
							}
							in.Exception()
						})
					})
				}
			}
		}
	}
}

func asCancel(err error) bool { return errors.Is(err, asyncio.ErrCancelled) }

func yesNo(yes bool) error {
	if !yes {
		return errors.New("no")
	}
	return nil
}

// Tasks that are held by a limit, and cancelled, are not kept until their turn.
func TestGivingUpALimit(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.SetLimit(1)
			long := tg.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
			for range 100 {
				x := tg.Go(func(ctx context.Context) error { t.Error("it has begun"); return nil })
				x.Cancel()
				asyncio.Wait(ctx, []asyncio.AnyTask{x})
			}
			if n := asyncio.HeldByLimit(tg); n != 0 {
				t.Errorf("%d tasks are held", n)
			}
			last := tg.Go(func(ctx context.Context) error { return nil })
			long.Cancel()
			_, err := last.Await(ctx)
			return err
		})
		assert.NoError(t, err)
	})
}

// BenchmarkGiveUp is one more waiter that gives up a future for which none, or
// 50,000 others, wait.
func BenchmarkGiveUp(b *testing.B) {
	for _, w := range waysOut {
		for _, others := range []int{0, 50_000} {
			b.Run(fmt.Sprintf("%s/others=%d", w.name, others), func(b *testing.B) {
				asyncio.RunFunc(b.Context(), func(ctx context.Context) error {
					x := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) { return 1, asyncio.NewEvent().Wait(ctx) })
					asyncio.Sleep(ctx, 0)
					end := waitersOf(ctx, x, others)
					for b.Loop() {
						brief(ctx, func(c context.Context) error { return w.out(ctx, c, x) })
					}
					b.StopTimer()
					end()
					x.Cancel()
					return nil
				})
			})
		}
	}
}

// BenchmarkGiveUpAll is 50,000 waiters that give up one after the other, per waiter.
func BenchmarkGiveUpAll(b *testing.B) {
	for _, lastFirst := range []bool{false, true} {
		b.Run(fmt.Sprintf("lastFirst=%v", lastFirst), func(b *testing.B) {
			const n = 50_000
			asyncio.RunFunc(b.Context(), func(ctx context.Context) error {
				for b.Loop() {
					x := asyncio.NewFuture[int](mustLoop(ctx))
					ts := make([]*asyncio.Task[int], n)
					for i := range ts {
						ts[i] = asyncio.CreateTask(ctx, asyncio.Shield(ctx, x).Await)
					}
					asyncio.Sleep(ctx, 0)
					for i := range ts {
						if lastFirst {
							i = n - 1 - i
						}
						ts[i].Cancel()
					}
					asyncio.Wait(ctx, ts)
				}
				return nil
			})
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/waiter")
		})
	}
}
