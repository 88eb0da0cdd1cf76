package asyncio_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

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
		assert.Equal(t, 1, v, "item")
		assert.NoError(t, err)
		settle(t, ctx)
		getters, putters := q.Waiting()
		assert.Equal(t, 1, getters, "getters")
		assert.Equal(t, 0, putters, "putters")
		q.PutNowait(2)
		v, err = getter.Await(ctx)
		assert.Equal(t, 2, v, "item")
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
		assert.Equal(t, 1, v, "item")
		assert.NoError(t, err)
		assert.ErrorIs(t, awaitAll(ctx, first), asyncio.ErrCancelled)

		q.PutNowait(1)
		put := func(v int) *asyncio.Task[asyncio.None] {
			return asyncio.Go(ctx, func(ctx context.Context) error { return q.Put(ctx, v) })
		}
		third, fourth := put(3), put(4)
		tick(t, ctx)
		q.GetNowait()
		third.Cancel()
		assert.NoError(t, awaitAll(ctx, fourth))
		assert.ErrorIs(t, awaitAll(ctx, third), asyncio.ErrCancelled)
		v, err = q.GetNowait()
		assert.Equal(t, 4, v, "item")
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
		assert.ErrorIs(t, awaitAll(ctx, putter), asyncio.ErrQueueShutDown)
		assert.ErrorIs(t, q.PutNowait(3), asyncio.ErrQueueShutDown)
		assert.ErrorIs(t, q.Put(ctx, 3), asyncio.ErrQueueShutDown)
		v, err := q.Get(ctx)
		assert.Equal(t, 1, v, "item")
		assert.NoError(t, err)
		assert.ErrorIs(t, q.Put(ctx, 3), asyncio.ErrQueueShutDown) // where there is a place, too
		q.TaskDone()
		q.TaskDone() // before it was taken
		assert.NoError(t, awaitAll(ctx, joiner))
		q.Shutdown(true)
		assert.Equal(t, 0, q.Unfinished(), "unfinished")
		_, err = q.GetNowait()
		assert.ErrorIs(t, err, asyncio.ErrQueueShutDown)
		assert.Equal(t, "QueueShutDown", pyName(err), "name")

		q = asyncio.NewQueue[int](0)
		getter := asyncio.CreateTask(ctx, q.Get)
		tick(t, ctx)
		q.Shutdown(false)
		assert.ErrorIs(t, awaitAll(ctx, getter), asyncio.ErrQueueShutDown)

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
			assert.NoError(t, err)
			sum += v
		}
		assert.Equal(t, 10, sum, "sum")

		q = asyncio.NewQueue[int](0)
		q.PutNowait(1)
		q.PutNowait(2)
		for range q.All(ctx) {
			break
		}
		assert.Equal(t, 1, q.QSize(), "left")

		asyncio.CurrentTask(ctx).Cancel()
		q.GetNowait()
		n := 0
		for _, err := range q.All(ctx) {
			assert.ErrorIs(t, err, asyncio.ErrCancelled)
			n++
		}
		assert.Equal(t, 1, n, "errors")
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
			assert.Equal(t, max, q.MaxSize(), name+"'s bound")
			for i := range 3 {
				assert.False(t, q.Full(), name+" is full")
				assert.NoError(t, q.PutNowait(i))
			}
			assert.Equal(t, max == 3, q.Full(), name+" is full")
			if max <= 0 {
				assert.NoError(t, q.PutNowait(3))
			} else {
				assert.ErrorIs(t, q.PutNowait(3), asyncio.ErrQueueFull)
			}
		}
	}
	assert.Equal(t, "TypeError a function that compares items was expected, got nil", raised(func() { asyncio.NewPriorityQueue[int](0, nil) }), "no order")
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
			assert.Equal(t, want[0], *v, "item")
			want = want[1:]
		}
	}
	for want := n - 1; !stack.Empty(); want-- {
		v, _ := stack.GetNowait()
		assert.Equal(t, want, *v, "item")
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
