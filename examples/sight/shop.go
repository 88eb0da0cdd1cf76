package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// run is the program that is looked at. It ends when it is interrupted.
func run(ctx context.Context, leaves int, block time.Duration) error {
	asyncio.CurrentTask(ctx).SetName("main")
	start(ctx, "front", front)
	start(ctx, "invoices", deadlock)
	start(ctx, "stock", forget)
	mailer := start(ctx, "mailer", mail)
	defer runtime.KeepAlive(mailer) // so that its error could still be looked at
	if block > 0 {
		start(ctx, "report", func(ctx context.Context) error { return report(ctx, block) })
	}
	for i := range leaves {
		start(ctx, fmt.Sprint("basket ", i+1), basket)
	}
	return asyncio.Sleep(ctx, 10000*time.Hour)
}

// start makes a task that has a name.
func start(ctx context.Context, name string, f func(ctx context.Context) error) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, f, asyncio.WithTaskName(name))
}

// front takes orders, and has clerks who work on them.
func front(ctx context.Context) error {
	orders := asyncio.NewQueue[int](20)
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, group *asyncio.TaskGroup) error {
		for i := range 4 {
			group.Go(func(ctx context.Context) error { return clerk(ctx, orders) }, asyncio.WithTaskName(fmt.Sprint("clerk ", i+1)))
		}
		group.Go(func(ctx context.Context) error { return take(ctx, orders) }, asyncio.WithTaskName("orders"))
		return nil
	})
}

// take takes an order each few milliseconds.
func take(ctx context.Context, orders *asyncio.Queue[int]) error {
	for i := 0; ; i++ {
		if err := orders.Put(ctx, i); err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

// clerk packs what is ordered.
func clerk(ctx context.Context, orders *asyncio.Queue[int]) error {
	for _, err := range orders.All(ctx) {
		if err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, 12*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// basket is what a customer has left behind.
func basket(ctx context.Context) error { return asyncio.Sleep(ctx, 10000*time.Hour) }

// deadlock has two tasks that take two locks, each in another order.
func deadlock(ctx context.Context) error {
	var books, till asyncio.Lock
	both := func(first, second *asyncio.Lock) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			return first.Do(ctx, func() error {
				if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
				return second.Do(ctx, func() error { return nil })
			})
		}
	}
	_, err := asyncio.Gather[asyncio.None](ctx,
		start(ctx, "books, then till", both(&books, &till)),
		start(ctx, "till, then books", both(&till, &books)),
	).Await(ctx)
	return err
}

// forget waits for a lock whose holder has ended without releasing it.
func forget(ctx context.Context) error {
	var shelf asyncio.Lock
	counts := start(ctx, "inventory", func(ctx context.Context) error { return shelf.Acquire(ctx) })
	if _, err := counts.Await(ctx); err != nil {
		return err
	}
	return shelf.Do(ctx, func() error { return nil })
}

// mail fails, and main does not look at it.
func mail(ctx context.Context) error {
	if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
		return err
	}
	return errors.New("mail: 550 mailbox <anna@example.org> is full")
}

// report computes on the loop, now and then, for too long.
func report(ctx context.Context, long time.Duration) error {
	for {
		if err := asyncio.Sleep(ctx, 10*time.Second); err != nil {
			return err
		}
		sum(long)
	}
}

func sum(long time.Duration) (n int) {
	for begin := time.Now(); time.Since(begin) < long; n++ {
	}
	return n
}
