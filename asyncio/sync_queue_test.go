package asyncio_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// An item belongs to nobody before it is taken: a task that comes by takes it,
// and the one that was woken for it waits again.
func TestQueueBarging(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](1)
		getter := asyncio.CreateTask(ctx, q.Get)
		tick(t, ctx)
		q.PutNowait(1)
		v, err := q.GetNowait()
		wants(t, "item", v, 1)
		isError(t, err, nil)
		settle(t, ctx)
		getters, putters := q.Waiting()
		wants(t, "getters", getters, 1)
		wants(t, "putters", putters, 0)
		q.PutNowait(2)
		v, err = getter.Await(ctx)
		wants(t, "item", v, 2)
		return err
	})
}

// Who is cancelled after being chosen lets the next one go on.
func TestQueueChosenThenCancelled(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](1)
		first, second := asyncio.CreateTask(ctx, q.Get), asyncio.CreateTask(ctx, q.Get)
		tick(t, ctx)
		q.PutNowait(1)
		first.Cancel()
		v, err := second.Await(ctx)
		wants(t, "item", v, 1)
		isError(t, err, nil)
		isError(t, awaitAll(ctx, first), asyncio.ErrCancelled)

		q.PutNowait(1)
		put := func(v int) *asyncio.Task[asyncio.None] {
			return asyncio.Go(ctx, func(ctx context.Context) error { return q.Put(ctx, v) })
		}
		third, fourth := put(3), put(4)
		tick(t, ctx)
		q.GetNowait()
		third.Cancel()
		isError(t, awaitAll(ctx, fourth), nil)
		isError(t, awaitAll(ctx, third), asyncio.ErrCancelled)
		v, err = q.GetNowait()
		wants(t, "item", v, 4)
		return err
	})
}

func TestQueueShutdown(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](2)
		q.PutNowait(1)
		q.PutNowait(2)
		putter := asyncio.Go(ctx, func(ctx context.Context) error { return q.Put(ctx, 3) })
		joiner := asyncio.Go(ctx, q.Join)
		tick(t, ctx)
		q.Shutdown(false)
		isError(t, awaitAll(ctx, putter), asyncio.ErrQueueShutDown)
		isError(t, q.PutNowait(3), asyncio.ErrQueueShutDown)
		isError(t, q.Put(ctx, 3), asyncio.ErrQueueShutDown)
		v, err := q.Get(ctx)
		wants(t, "item", v, 1)
		isError(t, err, nil)
		isError(t, q.Put(ctx, 3), asyncio.ErrQueueShutDown) // where there is a place, too
		q.TaskDone()
		q.TaskDone() // before it was taken
		isError(t, awaitAll(ctx, joiner), nil)
		q.Shutdown(true)
		wants(t, "unfinished", q.Unfinished(), 0)
		_, err = q.GetNowait()
		isError(t, err, asyncio.ErrQueueShutDown)
		wants(t, "name", pyName(err), "QueueShutDown")

		q = asyncio.NewQueue[int](0)
		getter := asyncio.CreateTask(ctx, q.Get)
		tick(t, ctx)
		q.Shutdown(false)
		isError(t, awaitAll(ctx, getter), asyncio.ErrQueueShutDown)

		q = asyncio.NewQueue[int](0)
		q.PutNowait(1)
		joiner = asyncio.Go(ctx, q.Join)
		tick(t, ctx)
		q.Shutdown(true)
		return awaitAll(ctx, joiner)
	})
}

func TestQueueAll(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](1)
		producer := asyncio.Go(ctx, func(ctx context.Context) error {
			defer q.Shutdown(false)
			for i := range 5 {
				if err := q.Put(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
		sum := 0
		for v, err := range q.All(ctx) {
			isError(t, err, nil)
			sum += v
		}
		wants(t, "sum", sum, 10)

		q = asyncio.NewQueue[int](0)
		q.PutNowait(1)
		q.PutNowait(2)
		for range q.All(ctx) {
			break
		}
		wants(t, "left", q.QSize(), 1)

		asyncio.CurrentTask(ctx).Cancel()
		q.GetNowait()
		n := 0
		for _, err := range q.All(ctx) {
			isError(t, err, asyncio.ErrCancelled)
			n++
		}
		wants(t, "errors", n, 1)
		return awaitAll(ctx, producer)
	})
}

func TestQueueSizes(t *testing.T) {
	for _, max := range []int{-1, 0, 3} {
		for name, q := range map[string]*asyncio.Queue[int]{
			"queue":    asyncio.NewQueue[int](max),
			"lifo":     &asyncio.NewLifoQueue[int](max).Queue,
			"priority": &asyncio.NewPriorityQueue(max, func(a, b int) bool { return a < b }).Queue,
		} {
			wants(t, name+"'s bound", q.MaxSize(), max)
			for i := range 3 {
				wants(t, name+" is full", q.Full(), false)
				isError(t, q.PutNowait(i), nil)
			}
			wants(t, name+" is full", q.Full(), max == 3)
			if max <= 0 {
				isError(t, q.PutNowait(3), nil)
			} else {
				isError(t, q.PutNowait(3), asyncio.ErrQueueFull)
			}
		}
	}
	wants(t, "no order", raised(func() { asyncio.NewPriorityQueue[int](0, nil) }), "TypeError a function that compares items was expected, got nil")
}

// The ring of a queue turns, grows while it is turned, and keeps no item that was
// taken; a long one is given back.
func TestQueueStore(t *testing.T) {
	q, stack := asyncio.NewQueue[*int](0), asyncio.NewLifoQueue[*int](0)
	var want []int
	n := 0
	put := func() {
		v, w := n, n
		q.PutNowait(&v)
		stack.PutNowait(&w)
		want = append(want, n)
		n++
	}
	for round := range 200 {
		for range round%7 + 1 {
			put()
		}
		for range min(len(want), round%5) {
			v, _ := q.GetNowait()
			wants(t, "item", *v, want[0])
			want = want[1:]
		}
	}
	for want := n - 1; !stack.Empty(); want-- {
		v, _ := stack.GetNowait()
		wants(t, "item", *v, want)
	}

	dropped := make(chan bool)
	func() {
		big := new([64]byte)
		runtime.AddCleanup(big, func(c chan bool) { close(c) }, dropped)
		items := asyncio.NewQueue[*[64]byte](0)
		defer runtime.KeepAlive(items)
		items.PutNowait(big)
		items.GetNowait()
		big = nil
		for i := 0; ; i++ {
			runtime.GC()
			select {
			case <-dropped:
				return
			default:
				runtime.Gosched()
			}
			if i > 1000 {
				t.Error("a queue keeps an item that was taken")
				return
			}
		}
	}()

	var before, after runtime.MemStats
	burst := asyncio.NewQueue[[64]byte](0)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 1 << 16 {
		burst.PutNowait([64]byte{})
	}
	for !burst.Empty() {
		burst.GetNowait()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 1<<20 {
		t.Errorf("an empty queue keeps %d bytes", kept)
	}
	runtime.KeepAlive(burst)
}
