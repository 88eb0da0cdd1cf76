// Target is a program that others look at: in the state that its argument says, once
// it has printed "ready", and until its standard input ends. For each line of that it
// prints its own snapshot.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			tell()
		}
		os.Exit(0)
	}()
	switch scene := os.Args[1]; scene {
	case "greenlets":
		greenlets()
	case "nothing":
		ready()
		select {}
	default:
		err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			scenes[scene](ctx)
			return nil
		})
		fmt.Println("over:", err)
	}
}

// tell prints the snapshot that the program takes of itself.
func tell() {
	s, err := asyncio.TakeSnapshot(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	s.WriteJSON(os.Stdout, true)
}

func ready() { fmt.Println("ready") }

var scenes = map[string]func(context.Context){
	"waits": waits, "circle": circle, "demo": demo, "locks": locks, "warned": warned, "stands": stands, "relay": relay, "grows": grows, "crowded": crowded, "many": many, "churn": churn, "changes": changes, "names": names,
	"sleep": blocks(sleepBlocks), "channel": blocks(channelBlocks), "read": blocks(readBlocks), "compute": blocks(computes), "competes": blocks(competes),
	"callback": func(ctx context.Context) {
		l, _ := asyncio.RunningLoop(ctx)
		l.CallSoon(func() { sleepBlocks() })
		forever(ctx)
	},
}

func forever(ctx context.Context) {
	asyncio.NewEvent().Wait(ctx) // forever
}

// waits has tasks that wait in each way.
func waits(ctx context.Context) {
	lock := asyncio.NewLock()
	lock.Acquire(ctx)
	queue := asyncio.NewQueue[int](0)
	start := func(name string, f func(context.Context) error) *asyncio.Task[asyncio.None] {
		return asyncio.Go(ctx, f, asyncio.WithTaskName(name))
	}
	start("sleeper", sleeper)
	start("locker", func(ctx context.Context) error { return locker(ctx, lock) })
	start("locker 2", func(ctx context.Context) error { return locker(ctx, lock) })
	start("getter", func(ctx context.Context) error { return getter(ctx, queue) })
	start("gatherer", gatherer)
	start("grouper", grouper)
	leaf := start("leaf", sleeper)
	start("awaiter", func(ctx context.Context) error { return awaiter(ctx, leaf) })
	start("awaiter 2", func(ctx context.Context) error { return awaiter(ctx, leaf) })
	asyncio.Sleep(ctx, 10*time.Millisecond)
	start("late", sleeper)
	l, _ := asyncio.RunningLoop(ctx)
	l.CallWhenQuiet(ready)
	forever(ctx)
}

func sleeper(ctx context.Context) error {
	return asyncio.Sleep(ctx, time.Hour) // sleeper
}

func locker(ctx context.Context, lock *asyncio.Lock) error {
	return lock.Acquire(ctx) // locker
}

func getter(ctx context.Context, q *asyncio.Queue[int]) error {
	_, err := q.Get(ctx) // getter
	return err
}

func awaiter(ctx context.Context, t *asyncio.Task[asyncio.None]) error {
	_, err := t.Await(ctx) // awaiter
	return err
}

func gatherer(ctx context.Context) error {
	a := asyncio.Go(ctx, sleeper, asyncio.WithTaskName("gathered 1"))
	b := asyncio.Go(ctx, sleeper, asyncio.WithTaskName("gathered 2"))
	_, err := asyncio.Gather[asyncio.None](ctx, a, b).Await(ctx) // gatherer
	return err
}

func grouper(ctx context.Context) error {
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error { // grouper
		tg.Go(sleeper, asyncio.WithTaskName("member"))
		return nil
	})
}

// circle has two tasks that wait for each other.
func circle(ctx context.Context) {
	var a, b *asyncio.Task[asyncio.None]
	a = asyncio.Go(ctx, func(ctx context.Context) error { return awaiter(ctx, b) }, asyncio.WithTaskName("a-to-b"))
	b = asyncio.Go(ctx, func(ctx context.Context) error { return awaiter(ctx, a) }, asyncio.WithTaskName("b-to-a"))
	asyncio.Sleep(ctx, 10*time.Millisecond)
	ready()
	asyncio.Sleep(ctx, time.Hour)
}

// locks has two tasks that wait for each other's lock, and one for that of a task that
// has ended.
func locks(ctx context.Context) {
	a, b, forgotten, handed, signal := asyncio.NewLock(), asyncio.NewLock(), asyncio.NewLock(), asyncio.NewLock(), asyncio.NewSemaphore(1)
	both := func(name string, first, second *asyncio.Lock) {
		asyncio.Go(ctx, func(ctx context.Context) error {
			first.Acquire(ctx)
			asyncio.Sleep(ctx, 0)
			return second.Acquire(ctx)
		}, asyncio.WithTaskName(name))
	}
	both("left", a, b)
	both("right", b, a)
	asyncio.Go(ctx, func(ctx context.Context) error { return forgotten.Acquire(ctx) }, asyncio.WithTaskName("forgetful"))
	asyncio.Go(ctx, func(ctx context.Context) error { return signal.Acquire(ctx) }, asyncio.WithTaskName("sender"))
	asyncio.Sleep(ctx, 10*time.Millisecond)
	asyncio.Go(ctx, func(ctx context.Context) error { return forgotten.Acquire(ctx) }, asyncio.WithTaskName("late"))
	asyncio.Go(ctx, func(ctx context.Context) error { return signal.Acquire(ctx) }, asyncio.WithTaskName("receiver"))
	for range 3 { // another releases what the first has acquired, and the last waits for the second
		asyncio.Go(ctx, func(ctx context.Context) error { return handed.Acquire(ctx) }, asyncio.WithTaskName("handed on"))
	}
	asyncio.Sleep(ctx, 0)
	asyncio.Go(ctx, func(ctx context.Context) error { handed.Release(); return nil })
	first := asyncio.Go(ctx, sleeper, asyncio.WithTaskName("first"))
	var waiter *asyncio.Task[asyncio.None]
	second := asyncio.Go(ctx, func(ctx context.Context) error { return awaiter(ctx, waiter) }, asyncio.WithTaskName("second"))
	waiter = asyncio.Go(ctx, func(ctx context.Context) error {
		_, _, err := asyncio.Wait(ctx, []*asyncio.Task[asyncio.None]{first, second}, asyncio.FirstCompleted)
		return err
	}, asyncio.WithTaskName("waiter"))
	asyncio.Sleep(ctx, 10*time.Millisecond)
	ready()
	asyncio.Sleep(ctx, time.Hour)
}

// warned has what takes its time until it is warned of.
func warned(ctx context.Context) {
	l, _ := asyncio.RunningLoop(ctx)
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	for name, err := range map[string]error{
		"plain": errors.New("disk full"), "formatted": fmt.Errorf("disk %d full", 7),
		"wrapping": fmt.Errorf("disk: %w", errors.ErrUnsupported), "typed": &os.PathError{Op: "open", Path: "x", Err: os.ErrExist},
	} {
		failed = append(failed, asyncio.Go(ctx, func(context.Context) error { return err }, asyncio.WithTaskName(name)))
	}
	lock, semaphore, signal := asyncio.NewLock(), asyncio.NewSemaphore(1), asyncio.NewSemaphore(1)
	semaphore.Do(ctx, func() error { return nil })
	for range 2 {
		asyncio.Go(ctx, func(ctx context.Context) error { return lock.Do(ctx, func() error { return sleeper(ctx) }) }, asyncio.WithTaskName("slow"))
		asyncio.Go(ctx, func(ctx context.Context) error { return signal.Do(ctx, func() error { return sleeper(ctx) }) })
	}
	swallower := asyncio.Go(ctx, func(ctx context.Context) error {
		sleeper(ctx)
		return sleeper(ctx)
	}, asyncio.WithTaskName("swallower"))
	asyncio.Sleep(ctx, 10*time.Millisecond)
	swallower.Cancel()
	asyncio.Sleep(ctx, 10*time.Millisecond)
	ready()
	asyncio.Sleep(ctx, time.Hour)
}

// failed is tasks whose errors somebody may still look at.
var failed []*asyncio.Task[asyncio.None]

// relay has a lock that tasks take one after the other, each of which ends with it, and
// many others, so that a look takes its time.
func relay(ctx context.Context) {
	for range 1000 {
		asyncio.Go(ctx, sleeper)
	}
	lock := asyncio.NewLock()
	for range 3 {
		asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				_, err := asyncio.Go(ctx, func(ctx context.Context) error {
					if err := lock.Acquire(ctx); err != nil {
						return err
					}
					defer lock.Release()
					return asyncio.Sleep(ctx, 0)
				}).Await(ctx)
				if err != nil {
					return err
				}
			}
		})
	}
	ready()
	asyncio.Sleep(ctx, time.Hour)
}

// stands has nothing that could wake it.
func stands(ctx context.Context) {
	l, _ := asyncio.RunningLoop(ctx)
	l.CallWhenQuiet(ready)
	forever(ctx)
}

// grows has more tasks all the time.
func grows(ctx context.Context) {
	ready()
	for {
		asyncio.Go(ctx, sleeper)
		asyncio.Sleep(ctx, time.Millisecond)
	}
}

// crowded has so many tasks to run that each of them waits for long.
func crowded(ctx context.Context) {
	for range 150 {
		asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				for start := time.Now(); time.Since(start) < time.Millisecond; { // it computes
				}
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
			}
		})
	}
	ready()
	asyncio.Sleep(ctx, time.Hour)
}

// demo is what the documentation shows.
func demo(ctx context.Context) {
	lock := asyncio.NewLock()
	lock.Acquire(ctx)
	queue := asyncio.NewQueue[int](0)
	start := func(name string, f func(context.Context) error) {
		asyncio.Go(ctx, f, asyncio.WithTaskName(name))
	}
	start("sleeper", sleeper)
	start("locker", func(ctx context.Context) error { return locker(ctx, lock) })
	start("getter", func(ctx context.Context) error { return getter(ctx, queue) })
	start("gatherer", gatherer)
	circle(ctx)
}

func names(ctx context.Context) {
	asyncio.Go(ctx, sleeper, asyncio.WithTaskName("evil\x1b[2J\r\n\u009b\xff"))
	asyncio.Sleep(ctx, 10*time.Millisecond)
	ready()
	asyncio.Sleep(ctx, time.Hour)
}

// many has as many tasks as the second argument says.
func many(ctx context.Context) {
	n, _ := strconv.Atoi(os.Args[2])
	for range n {
		asyncio.Go(ctx, sleeper)
	}
	asyncio.Sleep(ctx, 10*time.Millisecond)
	ready()
	asyncio.Sleep(ctx, time.Hour)
}

// churn changes all the time: tasks begin, wait for each other and end.
func churn(ctx context.Context) {
	ready()
	var last *asyncio.Task[asyncio.None]
	for i := 0; ; i++ {
		before := last
		last = asyncio.Go(ctx, func(ctx context.Context) error {
			if before != nil && i%3 == 0 {
				before.Await(ctx)
			}
			return asyncio.Sleep(ctx, time.Duration(i%7)*time.Millisecond)
		}, asyncio.WithTaskName(fmt.Sprint("churning ", i)))
		next, stop := greenlet.Pull(func(yield func(int) bool) { _ = yield(1) && yield(2) })
		next()
		stop()
		if i%100 == 99 {
			asyncio.Sleep(ctx, time.Millisecond)
		}
	}
}

// blocks has a task that f keeps from waiting.
func blocks(f func()) func(context.Context) {
	return func(ctx context.Context) {
		asyncio.Go(ctx, sleeper, asyncio.WithTaskName("sleeper"))
		asyncio.Go(ctx, func(context.Context) error { f(); return nil }, asyncio.WithTaskName("blocker"))
		forever(ctx)
	}
}

func sleepBlocks() {
	ready()
	time.Sleep(time.Hour) // sleep
}

func channelBlocks() {
	ready()
	<-make(chan int) // channel
}

func readBlocks() {
	r, _, _ := os.Pipe()
	r.Fd() // makes it block
	ready()
	r.Read(make([]byte, 1)) // read
}

func computes() {
	ready()
	for n := uint64(1); n != 0; n += 2 { // compute
	}
}

// greenlets has no loop.
func greenlets() {
	main := greenlet.Current()
	var all []*greenlet.Greenlet
	for range 3 {
		g := greenlet.New(func(any) (any, error) { return waiter(main) })
		g.Switch(nil)
		all = append(all, g)
	}
	ready()
	time.Sleep(time.Hour)
	runtime.KeepAlive(all)
}

//go:noinline
func waiter(main *greenlet.Greenlet) (any, error) {
	return main.Switch(nil) // waiter
}
