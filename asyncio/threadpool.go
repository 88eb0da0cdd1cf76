package asyncio

import (
	"context"
	"runtime"
	"sync"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// A ThreadPool runs functions on goroutines of its own, a bounded number of them
// at a time, and keeps the others in a queue, first come first. A goroutine is
// started when there is work and ends when there is none, so a pool that is idle
// holds nothing. Any goroutine may call its methods.
//
// Python: concurrent.futures.ThreadPoolExecutor.
type ThreadPool struct {
	most int

	mu      sync.Mutex
	busy    int // goroutines
	queue   []queued
	refuses bool
	idle    chan struct{} // closed when it refuses and nothing is left to do
}

// A queued function waits for a goroutine.
type queued struct {
	run    func()
	drop   func()    // called in place of run if the pool is closed before
	labels rt.Labels // of who has submitted it, for the profiler
}

// NewThreadPool makes a pool of at most n goroutines. Zero is Python's default:
// four more than there are processors, and at most 32. Less than zero panics with
// a ValueError. Any goroutine may call it; it does not switch.
func NewThreadPool(n int) *ThreadPool {
	switch {
	case n < 0:
		panic(valueErrorf("the number of workers must be greater than 0"))
	case n == 0:
		n = min(32, runtime.GOMAXPROCS(0)+4)
	}
	return &ThreadPool{most: n, idle: make(chan struct{})}
}

// Submit has f called on one of the pool's goroutines. After Shutdown or Close it
// returns a RuntimeError. An f that panics ends the program, as on any goroutine;
// package asyncio submits only what recovers. It does not switch.
func (p *ThreadPool) Submit(f func()) error { return p.submit(f, nil) }

func (p *ThreadPool) submit(f, drop func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuses {
		return runtimeErrorf("cannot schedule new futures after shutdown")
	}
	p.queue = append(p.queue, queued{f, drop, rt.OwnLabels()})
	if p.busy < p.most {
		p.busy++
		go p.work()
	}
	return nil
}

// work runs what is in the queue. A function may end its goroutine: then another
// takes its place.
func (p *ThreadPool) work() {
	ended := false
	defer func() {
		if !ended {
			go p.work()
		}
	}()
	for {
		p.mu.Lock()
		if len(p.queue) == 0 {
			p.busy--
			p.tellIdle()
			p.mu.Unlock()
			ended = true
			return
		}
		next := p.queue[0]
		p.queue[0] = queued{}
		p.queue = p.queue[1:]
		p.mu.Unlock()
		rt.SetOwnLabels(next.labels) // the goroutine may have had another's
		next.run()
	}
}

// tellIdle tells those who wait for the end. mu is held.
func (p *ThreadPool) tellIdle() {
	if p.refuses && p.busy == 0 {
		select {
		case <-p.idle:
		default:
			close(p.idle)
		}
	}
}

// Shutdown refuses new functions and waits until those that were submitted have
// run. If ctx ends before, it returns the error of that, and they go on. A task
// that calls it with its ctx is suspended meanwhile, any other caller is blocked: a task
// with another ctx keeps its loop from going on. A second call waits, too. It switches if
// ctx is the calling task's.
//
// Python: Executor.shutdown.
func (p *ThreadPool) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.refuses = true
	p.tellIdle()
	p.mu.Unlock()
	return waitChan(ctx, p.idle)
}

// Close refuses new functions and drops those that have not begun: their futures
// are cancelled. It waits for nothing; Shutdown after it does. A second call does
// nothing. The error is nil. It does not switch.
//
// Python: Executor.shutdown(wait=False, cancel_futures=True).
func (p *ThreadPool) Close() error {
	p.mu.Lock()
	p.refuses = true
	dropped := p.queue
	p.queue = nil
	p.tellIdle()
	p.mu.Unlock()
	for _, q := range dropped {
		if q.drop != nil {
			q.drop()
		}
	}
	return nil
}

// waitChan waits for ch to be closed, or for the end of ctx: a task is suspended,
// any other caller is blocked.
func waitChan(ctx context.Context, ch <-chan struct{}) error {
	select {
	case <-ch:
		return nil
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if t, err := current(ctx); err == nil {
		t.loop.s.Hold()
		defer t.loop.s.Release()
		f := FromChan(t.loop, ch)
		_, err := f.Await(ctx)
		f.Cancel() // if ctx has ended
		return err
	}
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
