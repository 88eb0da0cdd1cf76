package bench_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"net"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// What grows with how many there are. bench/world/growth runs these, and Ring, Round
// and Hop, from 2 to 1,000,000, each in a process of its own, and draws them.

var scalesFlag = flag.String("scales", "", "how many there shall be in benchmarks of growth, a list; empty for each one's own")

// scaled is how many there shall be: own, unless -scales says else.
func scaled(b *testing.B, own ...int) (all []int) {
	if *scalesFlag == "" {
		return own
	}
	for _, s := range strings.Split(*scalesFlag, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 2 {
			b.Fatalf("-scales %s: want numbers from 2 on", *scalesFlag)
		}
		all = append(all, n)
	}
	return all
}

// BenchmarkAlive makes a task and awaits it, while n others wait.
func BenchmarkAlive(b *testing.B) {
	for _, n := range scaled(b, 1000) {
		b.Run(fmt.Sprintf("n=%d/by=greenlet", n), func(b *testing.B) { aliveTasks(b, n) })
		b.Run(fmt.Sprintf("n=%d/by=goroutine", n), func(b *testing.B) { aliveGoroutines(b, n) })
	}
}

// fewest is how many are made at least: to have n wait takes much longer than one.
const fewest = 10_000

func aliveTasks(b *testing.B, n int) {
	on(b, func(ctx context.Context) error {
		if err := waitInTasks(ctx, n); err != nil {
			return err
		}
		make := func(m int) error {
			for range m {
				if v, err := asyncio.CreateTask(ctx, one).Await(ctx); v != 1 {
					return err
				}
			}
			return nil
		}
		// After a cycle of the collector a tree looks at its greenlets, 256 at a switch.
		if err := make(fewest + n/100); err != nil {
			return err
		}
		m := max(b.N, fewest)
		b.ResetTimer()
		err := make(m)
		per(b, m, "ns/task")
		return err
	})
}

// waitInTasks has n tasks wait, until they are cancelled. What was made meanwhile and is
// not needed has been collected.
func waitInTasks(ctx context.Context, n int) error {
	var never asyncio.Event
	for range n {
		asyncio.Go(ctx, never.Wait) //asyncvet:ignore GL203 they wait until the run cancels them
	}
	err := asyncio.Sleep(ctx, 0)
	runtime.GC()
	return err
}

func aliveGoroutines(b *testing.B, n int) {
	end := waitOnChannel(n)
	defer end()
	m := max(b.N, fewest)
	b.ReportAllocs()
	b.ResetTimer()
	for range m {
		var done sync.WaitGroup
		done.Go(func() {})
		done.Wait()
	}
	per(b, m, "ns/task")
}

func waitOnChannel(n int) (end func()) {
	var running, ended sync.WaitGroup
	wait := make(chan struct{})
	running.Add(n)
	for range n {
		ended.Go(func() { running.Done(); <-wait })
	}
	running.Wait()
	runtime.GC()
	return func() { close(wait); ended.Wait() }
}

// BenchmarkOutstanding sets n timers, cancels them all, sets them anew and lets them all
// fire. What firing takes is counted from when all are due, and nothing could run before
// on the processor that sets them, to the end of the last callback. With several
// processors the runtime may begin a millisecond or two before.
func BenchmarkOutstanding(b *testing.B) {
	own := million
	if testing.Short() {
		own = fewest
	}
	for _, n := range scaled(b, own) {
		b.Run(fmt.Sprintf("n=%d/by=greenlet", n), func(b *testing.B) { outstandingOnLoop(b, n) })
		b.Run(fmt.Sprintf("n=%d/by=goroutine", n), func(b *testing.B) { outstandingInRuntime(b, n) })
	}
}

// Timers are some that can be set, which all call the same function.
type timers struct {
	set    func(i int, after time.Duration)
	cancel func(i int)
	sleep  func(d time.Duration) error
	fire   func() error // waits until n have called it
}

func outstanding(b *testing.B, n int, t timers) error {
	var set, cancelled, fired stopwatch
	for range b.N {
		begin := time.Now()
		set.start()
		for i := range n {
			t.set(i, timeout(i, n))
		}
		set.stop()
		ahead := 2*time.Since(begin) + 2*margin
		cancelled.start()
		for i := range n {
			t.cancel(i)
		}
		cancelled.stop()
		if err := t.sleep(time.Microsecond); err != nil { // what is cancelled goes
			return err
		}

		due, err := setAll(n, ahead, t)
		if err != nil {
			return err
		}
		for time.Since(due) < spread {
		}
		fired.start()
		if err := t.fire(); err != nil {
			return err
		}
		fired.stop()
	}
	set.report(b, n*b.N, "ns/set")
	cancelled.report(b, n*b.N, "ns/cancelled")
	fired.report(b, n*b.N, "ns/fired")
	return nil
}

const (
	spread = time.Millisecond     // of the times when they are due
	margin = 3 * time.Millisecond // before that
)

// setAll sets n timers, and returns when the first is nearly due. On a busy machine it
// may be too late then, and tries again.
func setAll(n int, ahead time.Duration, t timers) (due time.Time, err error) {
	for ; ahead < time.Minute; ahead *= 2 {
		due = time.Now().Add(ahead)
		for i := range n {
			t.set(i, time.Until(due)+spread*time.Duration(i*7919%n)/time.Duration(n))
		}
		if err := t.sleep(time.Until(due) - margin); err != nil {
			return due, err
		}
		if time.Now().Before(due) {
			return due, nil
		}
		if err := t.fire(); err != nil {
			return due, err
		}
	}
	return due, errors.New("the machine is too busy to set so many timers in time")
}

func outstandingOnLoop(b *testing.B, n int) {
	on(b, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		var all asyncio.Event
		calls := 0
		callback := func() {
			if calls++; calls == n {
				all.Set()
			}
		}
		handles := make([]*asyncio.TimerHandle, n)
		return outstanding(b, n, timers{
			set:    func(i int, after time.Duration) { handles[i] = l.CallLater(after, callback) },
			cancel: func(i int) { handles[i].Cancel() },
			sleep:  func(d time.Duration) error { return asyncio.Sleep(ctx, d) },
			fire: func() error {
				err := all.Wait(ctx)
				all.Clear()
				calls = 0
				return err
			},
		})
	})
}

func outstandingInRuntime(b *testing.B, n int) {
	b.ReportAllocs()
	all := make(chan struct{}, 1)
	var calls atomic.Int64
	callback := func() {
		if calls.Add(1) == int64(n) {
			all <- struct{}{}
		}
	}
	handles := make([]*time.Timer, n)
	err := outstanding(b, n, timers{
		set:    func(i int, after time.Duration) { handles[i] = time.AfterFunc(after, callback) },
		cancel: func(i int) { handles[i].Stop() },
		sleep:  func(d time.Duration) error { time.Sleep(d); return nil },
		fire:   func() error { <-all; calls.Store(0); return nil },
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCycle is a whole cycle of the collector while n wait.
func BenchmarkCycle(b *testing.B) {
	for _, n := range scaled(b, 10_000) {
		b.Run(fmt.Sprintf("n=%d/by=greenlet", n), func(b *testing.B) { cycle(b, n, waitInGreenlets) })
		b.Run(fmt.Sprintf("n=%d/by=greenlet-again", n), func(b *testing.B) {
			cycle(b, n, func(n int) (end func()) { return waitAgain(n, 2) })
		})
		b.Run(fmt.Sprintf("n=%d/by=task", n), func(b *testing.B) {
			on(b, func(ctx context.Context) (err error) {
				cycle(b, n, func(n int) func() {
					err = waitInTasks(ctx, n)
					return func() {}
				})
				return err
			})
		})
		b.Run(fmt.Sprintf("n=%d/by=pull", n), func(b *testing.B) { cycle(b, n, waitInPull) })
		b.Run(fmt.Sprintf("n=%d/by=goroutine", n), func(b *testing.B) { cycle(b, n, waitOnChannel) })
	}
}

// cycle also reports how much of the stack and of the heap the collector scans for each
// of n that wait makes wait: what it looks at grows by that.
func cycle(b *testing.B, n int, wait func(n int) (end func())) {
	waitOnChannel(n)() // goroutines are used again, and count themselves
	stack, heap := lookedAt()
	defer wait(n)()
	runtime.GC() // what was made meanwhile
	moreStack, moreHeap := lookedAt()
	defer func() {
		b.ReportMetric(float64(moreStack-stack)/float64(n), "stack-B/each")
		b.ReportMetric(float64(moreHeap-heap)/float64(n), "heap-B/each")
	}()
	cycles := max(b.N, 3)
	b.ResetTimer()
	for range cycles {
		runtime.GC()
	}
	per(b, cycles, "ns/cycle")
}

// lookedAt runs a cycle, and returns how many bytes of stacks and of the heap it has looked
// at for pointers.
func lookedAt() (stack, heap uint64) {
	runtime.GC()
	read := []metrics.Sample{{Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/heap:bytes"}}
	metrics.Read(read)
	return read[0].Value.Uint64(), read[1].Value.Uint64()
}

func waitInGreenlets(n int) (end func()) { return waitAgain(n, 1) }

// waitAgain makes n greenlets, each of which waits for the times-th time.
func waitAgain(n, times int) (end func()) {
	all := make([]*greenlet.Greenlet, n)
	root := greenlet.Current()
	for i := range all {
		all[i] = greenlet.New(func(v any) (any, error) {
			for range times {
				v, _ = root.Switch(v)
			}
			return v, nil
		})
		for range times {
			all[i].Switch(nil)
		}
	}
	return func() { killAll(all) }
}

func waitInPull(n int) (end func()) {
	all := make([]func(), n)
	for i := range all {
		next, stop := iter.Pull(repeat(new(box)))
		next()
		all[i] = stop
	}
	return func() {
		for _, stop := range all {
			stop()
		}
	}
}

// BenchmarkIdle is a round trip of 64 bytes over TCP, while n other connections are idle:
// both ends are here, so each takes two descriptors.
func BenchmarkIdle(b *testing.B) {
	for _, n := range scaled(b, 100) {
		b.Run(fmt.Sprintf("n=%d/by=greenlet", n), func(b *testing.B) {
			on(b, func(ctx context.Context) error {
				ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
				if err != nil {
					return err
				}
				return idle(b, n, ln,
					func(addr string) (net.Conn, error) { return asyncio.Dial(ctx, "tcp", addr) },
					func(c net.Conn) { asyncio.Go(ctx, func(context.Context) error { return sendBack(c) }) })
			})
		})
		b.Run(fmt.Sprintf("n=%d/by=goroutine", n), func(b *testing.B) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			err = idle(b, n, ln,
				func(addr string) (net.Conn, error) { return net.Dial("tcp", addr) },
				func(c net.Conn) { go sendBack(c) })
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

func idle(b *testing.B, n int, ln net.Listener, dial func(addr string) (net.Conn, error), serve func(c net.Conn)) error {
	defer ln.Close()
	var talker net.Conn
	message := make([]byte, 64)
	for range n + 1 {
		c, err := dial(ln.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		s, err := ln.Accept()
		if err != nil {
			return err
		}
		serve(s)
		if err := roundTrip(c, message); err != nil { // it waits for more then
			return err
		}
		talker = c
	}
	runtime.GC()
	m := max(b.N, 2000)
	b.ReportAllocs()
	b.ResetTimer()
	for range m {
		if err := roundTrip(talker, message); err != nil {
			return err
		}
	}
	per(b, m, "ns/trip")
	return nil
}

func roundTrip(c net.Conn, message []byte) error {
	if _, err := c.Write(message); err != nil {
		return err
	}
	_, err := io.ReadFull(c, message)
	return err
}

// sendBack serves a connection until its client has gone.
func sendBack(c net.Conn) error {
	defer c.Close()
	for p := make([]byte, 128); ; {
		n, err := c.Read(p)
		if err != nil {
			return nil
		}
		if _, err := c.Write(p[:n]); err != nil {
			return nil
		}
	}
}
