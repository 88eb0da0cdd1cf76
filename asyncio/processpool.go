package asyncio

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// ErrBrokenProcessPool is the error of a job whose worker process has died.
// Python: concurrent.futures.process.BrokenProcessPool.
var ErrBrokenProcessPool = errorf("BrokenProcessPool", nil, "a worker process has died")

// A ProcessPool runs jobs in other processes, a bounded number of them at a time:
// for work that must not share memory or may crash. The processes run the same
// program, which tells by ProcessWorker, at the start of main, that it is one of
// them. They are started when there is work, wait for more when it is done, and
// end with the pool or with the process that has it.
//
// A worker that dies fails the job that it ran, with ErrBrokenProcessPool, and no
// other: the next job gets a new worker. Python breaks the whole pool there,
// because its workers share a queue that may be damaged; here each has pipes of
// its own.
//
// Any goroutine may call its methods. Python: ProcessPoolExecutor.
type ProcessPool struct {
	most int

	mu      sync.Mutex
	workers int            // that live
	idle    []*poolProcess // of these, the one used last at the end
	all     map[*poolProcess]struct{}
	queue   []*processCall
	last    uint64
	refuses bool
	ended   chan struct{} // closed when it refuses and all workers have ended
}

// A processCall is a job that is to be done.
type processCall struct {
	request
	claim  func() bool // makes it this pool's to finish; false if it was cancelled
	finish func(packed []byte, err error)
	at     *poolProcess // where it runs
}

// NewProcessPool makes a pool of at most n processes: zero is as many as there
// are processors. It starts none yet. Less than zero panics with a ValueError. In
// a process that should be a worker, and whose main has not called ProcessWorker,
// it panics with a RuntimeError. Any goroutine may call it; it does not switch.
func NewProcessPool(n int) *ProcessPool {
	switch {
	case n < 0:
		panic(valueErrorf("the number of workers must be greater than 0"))
	case isWorker():
		panic(runtimeErrorf("a worker process must not run the program; does main begin with asyncio.ProcessWorker?"))
	case n == 0:
		n = runtime.GOMAXPROCS(0)
	}
	return &ProcessPool{most: n, all: make(map[*poolProcess]struct{}), ended: make(chan struct{})}
}

// Submit has the job done by a process of p, with arg, and returns its result.
// Cancel of what that returns prevents it, if it has not begun. The errors are
// those of the job (see RemoteError; a panic is a *PanicError), of encoding/gob,
// ErrBrokenProcessPool, or a RuntimeError after the end of p.
//
// Any goroutine may call it; it does not switch.
func (j *Job[A, R]) Submit(p *ProcessPool, arg A) *ConcurrentFuture[R] {
	c, _ := j.submit(p, arg)
	return c
}

func (j *Job[A, R]) submit(p *ProcessPool, arg A) (*ConcurrentFuture[R], *processCall) {
	c := NewConcurrentFuture[R]()
	packed, err := pack(arg)
	if err != nil {
		c.SetException(fmt.Errorf("asyncio: the argument of job %q: %w", j.name, err))
		return c, nil
	}
	call := &processCall{
		request: request{Job: j.name, Arg: packed},
		claim:   c.SetRunning,
		finish: func(packed []byte, err error) {
			var v R
			if err == nil {
				err = unpack(packed, &v)
			}
			if err != nil {
				c.SetException(err)
			} else {
				c.SetResult(v)
			}
		},
	}
	if err := p.submit(call); err != nil {
		c.SetException(err)
	}
	return c, call
}

// RunInProcess has job done by a process of p, with arg, and waits for its
// result. If the wait is cancelled, or ctx ends, the context of the job ends, and
// its process is free again when it returns. A virtual clock stands still
// meanwhile.
//
// A task that calls it is suspended, any other caller blocked. The errors are
// those of Job.Submit and of the wait. Python: loop.run_in_executor with a
// ProcessPoolExecutor.
func RunInProcess[A, R any](ctx context.Context, p *ProcessPool, job *Job[A, R], arg A) (R, error) {
	if l, err := RunningLoop(ctx); err == nil {
		if err := l.onlySystem("a job of a ProcessPool"); err != nil {
			var none R
			return none, err
		}
	}
	c, call := job.submit(p, arg)
	v, err := c.awaitHeld(ctx)
	select {
	case <-c.Done():
	default:
		if !c.Cancel() {
			p.cancel(call)
		}
	}
	return v, err
}

func (p *ProcessPool) submit(call *processCall) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuses {
		return runtimeErrorf("cannot schedule new futures after shutdown")
	}
	p.last++
	call.Number = p.last
	p.queue = append(p.queue, call)
	p.dispatch()
	return nil
}

// dispatch gives queued calls to workers that have nothing to do, or are yet to
// be started. mu is held.
func (p *ProcessPool) dispatch() {
	for len(p.queue) > 0 && (len(p.idle) > 0 || p.workers < p.most) {
		call := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		if !call.claim() {
			continue
		}
		var w *poolProcess
		if last := len(p.idle) - 1; last >= 0 {
			w, p.idle = p.idle[last], p.idle[:last]
		} else {
			w = &poolProcess{pool: p, bell: make(chan struct{}, 1)}
			p.workers++
			p.all[w] = struct{}{}
			go w.life()
		}
		call.at, w.call = w, call
		w.give(call.request)
	}
	if p.refuses && len(p.queue) == 0 {
		for _, w := range p.idle {
			w.dismiss()
		}
		p.idle = nil
		if p.workers == 0 {
			select {
			case <-p.ended:
			default:
				close(p.ended)
			}
		}
	}
}

// returned takes the reply of w, whose call is over.
func (p *ProcessPool) returned(w *poolProcess) *processCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	call := w.call
	call.at, w.call = nil, nil
	p.idle = append(p.idle, w)
	p.dispatch()
	return call
}

// died takes w off the books, and returns the call that died with it.
func (p *ProcessPool) died(w *poolProcess) *processCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	call := w.call
	if call != nil {
		call.at, w.call = nil, nil
	}
	for i, other := range p.idle {
		if other == w {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			break
		}
	}
	delete(p.all, w)
	p.workers--
	p.dispatch()
	return call
}

// cancel ends the context of a job that runs.
func (p *ProcessPool) cancel(call *processCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if call != nil && call.at != nil {
		call.at.give(request{Number: call.Number})
	}
}

// Shutdown refuses new jobs, waits until those that were submitted are done, and
// ends the processes. If ctx ends before, it returns the error of that, and they
// go on; Close then ends them. A task that calls it is suspended meanwhile, any
// other caller is blocked. It switches if the caller is a task.
//
// Python: Executor.shutdown.
func (p *ProcessPool) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.refuses = true
	p.dispatch()
	p.mu.Unlock()
	return waitChan(ctx, p.ended)
}

// Close ends the pool: it kills the processes and waits for their end. Jobs that
// run fail with ErrBrokenProcessPool, those that have not begun are cancelled. A
// second call does nothing. The error is nil. It does not switch.
func (p *ProcessPool) Close() error {
	p.mu.Lock()
	p.refuses = true
	dropped := p.queue
	p.queue = nil
	for w := range p.all {
		w.kill()
	}
	p.dispatch()
	p.mu.Unlock()
	for _, call := range dropped {
		if call.claim() {
			call.finish(nil, &CancelledError{})
		}
	}
	<-p.ended
	return nil
}
