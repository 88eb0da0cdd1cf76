package gl101

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Two calls below a task.
func twoBelow(ctx context.Context) error {
	_, err := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) { return first(), nil }).Await(ctx)
	return err
}

func first() int { return second() }

func second() int {
	time.Sleep(1) // want `GL101: time.Sleep blocks the loop, called by first`
	return 1
}

// In a callback, by a closure that is called, in a deferred call.
func callback(loop *asyncio.Loop) {
	nap := func() {
		time.Sleep(1) // want `GL101`
	}
	loop.CallSoon(func() {
		defer func() {
			time.Sleep(2) // want `GL101: time.Sleep blocks the loop, in a callback of asyncio.Loop.CallSoon`
		}()
		nap()
	})
	loop.CallLater(time.Second, tick)
}

func tick() {
	time.Sleep(1) // want `GL101`
}

// A function that is given, a method that is given, one that is converted.
type server struct{ mu sync.Mutex }

func (s *server) work(context.Context) error {
	time.Sleep(1) // want `GL101`
	return nil
}

func (s *server) start(ctx context.Context) (err error) {
	_, err = asyncio.Gather(ctx, asyncio.Func(s.work), asyncio.Awaitable[asyncio.None](asyncio.Func(func(context.Context) error {
		time.Sleep(2) // want `GL101`
		return nil
	}))).Await(ctx)
	return err
}

func list(ctx context.Context) error {
	aws := []asyncio.Awaitable[int]{asyncio.Coro[int](func(context.Context) (int, error) {
		time.Sleep(1) // want `GL101: time.Sleep blocks the loop, in a function that who awaits it runs`
		return 1, nil
	})}
	_, err := asyncio.Gather(ctx, aws...).Await(ctx)
	return err
}

func runs(ctx context.Context, do func() error) error {
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		tg.Go(func(context.Context) error {
			time.Sleep(1) // want `GL101: time.Sleep blocks the loop, in a function that asyncio.TaskGroup.Go runs`
			return do()
		})
		return nil
	})
}

var pool = asyncio.NewPool(asyncio.PoolConfig[net.Conn]{
	Limit: 1,
	New: func(ctx context.Context) (net.Conn, error) {
		time.Sleep(1) // want `GL101`
		return asyncio.Dial(ctx, "tcp", "localhost:1")
	},
})

// Transports call the methods of a protocol on the loop.
type protocol struct{ asyncio.NopProtocol }

func (protocol) DataReceived([]byte) {
	time.Sleep(1) // want `GL101: time.Sleep blocks the loop, in a callback of a transport`
}

// What is no method of a protocol's is not.
func (protocol) Flush() { time.Sleep(1) }

// Elsewhere: on goroutines, in threads, in handlers of net/http.
func elsewhere(ctx context.Context, loop *asyncio.Loop) error {
	go func() { time.Sleep(1) }()
	go nap()
	var group sync.WaitGroup
	group.Go(func() { time.Sleep(1) })
	time.AfterFunc(1, func() { time.Sleep(1) })
	http.HandleFunc("/", func(http.ResponseWriter, *http.Request) { time.Sleep(1) })
	do := func() (int, error) { time.Sleep(1); return 1, nil }
	if _, err := asyncio.RunInExecutor(loop, nil, do).Await(ctx); err != nil {
		return err
	}
	_, err := asyncio.ToThread(ctx, asyncio.Coro[int](func(context.Context) (int, error) { time.Sleep(1); return 1, nil }))
	return err
}

func nap() { time.Sleep(1) }

// Before the loop, and after it.
func program() error {
	time.Sleep(1)
	defer time.Sleep(1)
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error { return asyncio.Sleep(ctx, 1) })
}

// For both: who is no task sleeps as a goroutine.
func both(ctx context.Context) error {
	if asyncio.CurrentTask(ctx) == nil {
		time.Sleep(1)
		return nil
	}
	return asyncio.Sleep(ctx, 1)
}

func bothTheOtherWay(ctx context.Context) error {
	if asyncio.CurrentTask(ctx) != nil {
		return asyncio.Sleep(ctx, 1)
	}
	time.Sleep(1)
	return nil
}

func inTask(ctx context.Context) bool { return asyncio.CurrentTask(ctx) != nil }

func bothByHelper(ctx context.Context) error {
	if t := asyncio.CurrentTask(ctx); t == nil {
		time.Sleep(1)
	}
	if !inTask(ctx) {
		nap()
		return nil
	}
	return asyncio.Sleep(ctx, 1)
}

// Its callers say which, so it is not known.
func either(ctx context.Context, async bool) error {
	if async {
		return asyncio.Sleep(ctx, 1)
	}
	time.Sleep(1)
	return nil
}

func callsEither(ctx context.Context) error {
	if err := either(ctx, true); err != nil {
		return err
	}
	return asyncio.Sleep(ctx, 1)
}

// What a function is that is only returned, or that others are given, is not known.
func later() func() { return func() { time.Sleep(1) } }

func visit(ctx context.Context, each func(func())) error {
	each(func() { time.Sleep(1) })
	return asyncio.Sleep(ctx, 1)
}

func init() { _ = os.Getpid }
