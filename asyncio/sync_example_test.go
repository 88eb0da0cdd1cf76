package asyncio_test

import (
	"context"
	"fmt"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ExampleLock() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var lock asyncio.Lock
		work := func(name string) *asyncio.Task[asyncio.None] {
			return asyncio.Go(ctx, func(ctx context.Context) error {
				return lock.Do(ctx, func() error {
					fmt.Println(name, "begins")
					defer fmt.Println(name, "ends")
					return asyncio.Sleep(ctx, 0) // others run, but none has the lock
				})
			})
		}
		a, b := work("a"), work("b")
		a.Await(ctx)
		b.Await(ctx)
		return nil
	})
	// Output:
	// a begins
	// a ends
	// b begins
	// b ends
}

func ExampleEvent() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var ready asyncio.Event
		waiter := asyncio.Go(ctx, func(ctx context.Context) error {
			fmt.Println("waiting")
			err := ready.Wait(ctx)
			fmt.Println("ready")
			return err
		})
		asyncio.Sleep(ctx, 0)
		ready.Set()
		_, err := waiter.Await(ctx)
		return err
	})
	// Output:
	// waiting
	// ready
}

func ExampleCondition() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var (
			cond  asyncio.Condition
			count int
		)
		waiter := asyncio.Go(ctx, func(ctx context.Context) error {
			return cond.Do(ctx, func() error {
				err := cond.WaitFor(ctx, func() bool { return count == 3 })
				fmt.Println("there are", count)
				return err
			})
		})
		for range 3 {
			cond.Do(ctx, func() error {
				count++
				cond.NotifyAll()
				return nil
			})
			asyncio.Sleep(ctx, 0)
		}
		_, err := waiter.Await(ctx)
		return err
	})
	// Output: there are 3
}

func ExampleSemaphore() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		two := asyncio.NewSemaphore(2)
		inside, most := 0, 0
		var tasks []*asyncio.Task[asyncio.None]
		for range 10 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				return two.Do(ctx, func() error {
					inside++
					most = max(most, inside)
					defer func() { inside-- }()
					return asyncio.Sleep(ctx, 0)
				})
			}))
		}
		for _, t := range tasks {
			t.Await(ctx)
		}
		fmt.Println("at most", most, "at a time")
		return nil
	})
	// Output: at most 2 at a time
}

func ExampleBoundedSemaphore() {
	s := asyncio.NewBoundedSemaphore(1)
	defer func() { fmt.Println(recover()) }()
	s.Release()
	// Output: asyncio: BoundedSemaphore released too many times
}

func ExampleBarrier() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		barrier := asyncio.NewBarrier(3)
		var tasks []*asyncio.Task[asyncio.None]
		for _, name := range []string{"a", "b", "c"} {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				fmt.Println(name, "comes")
				i, err := barrier.Wait(ctx)
				if i == 0 {
					fmt.Println("all are here")
				}
				return err
			}))
		}
		for _, t := range tasks {
			t.Await(ctx)
		}
		return nil
	})
	// Output:
	// a comes
	// b comes
	// c comes
	// all are here
}

func ExampleQueue() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		q := asyncio.NewQueue[int](2) // a producer that is two ahead waits
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer q.Shutdown(false)
			for i := range 5 {
				if err := q.Put(ctx, i*i); err != nil {
					return err
				}
			}
			return nil
		})
		for v, err := range q.All(ctx) {
			if err != nil {
				return err
			}
			fmt.Print(v, " ")
		}
		return nil
	})
	// Output: 0 1 4 9 16
}

func ExampleQueue_Join() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		jobs := asyncio.NewQueue[string](0)
		for _, name := range []string{"a", "b", "c"} {
			jobs.PutNowait(name)
		}
		worker := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				job, err := jobs.Get(ctx)
				if err != nil {
					return err
				}
				fmt.Println("did", job)
				jobs.TaskDone()
			}
		})
		jobs.Join(ctx)
		fmt.Println("all done")
		worker.Cancel()
		return nil
	})
	// Output:
	// did a
	// did b
	// did c
	// all done
}

func ExamplePriorityQueue() {
	q := asyncio.NewPriorityQueue(0, func(a, b int) bool { return a < b })
	for _, v := range []int{5, 1, 3} {
		q.PutNowait(v)
	}
	for !q.Empty() {
		v, _ := q.GetNowait()
		fmt.Print(v, " ")
	}
	// Output: 1 3 5
}

func ExampleLifoQueue() {
	q := asyncio.NewLifoQueue[string](0)
	for _, v := range []string{"a", "b", "c"} {
		q.PutNowait(v)
	}
	for !q.Empty() {
		v, _ := q.GetNowait()
		fmt.Print(v, " ")
	}
	// Output: c b a
}
