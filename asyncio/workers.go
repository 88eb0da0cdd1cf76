package asyncio

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"sync"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/alone"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// A Worker is one of the loops of RunWorkers. What it has to do with the others
// goes through its methods; they share nothing else but what the program shares.
type Worker struct {
	index int
	all   []*Worker
	loop  *Loop
}

// Index returns which of the workers it is, from zero on. Any goroutine may call
// it.
func (w *Worker) Index() int { return w.index }

// Count returns how many workers there are. Any goroutine may call it.
func (w *Worker) Count() int { return len(w.all) }

// Peer returns the worker with index i, counted round and round: w.Peer(w.Index()+1)
// is the next one. Any goroutine may call it.
func (w *Worker) Peer(i int) *Worker {
	n := len(w.all)
	return w.all[((i%n)+n)%n]
}

// Loop returns the worker's loop. Any goroutine may call it.
func (w *Worker) Loop() *Loop { return w.loop }

// Go hands f over to w: it runs there as a task. What it returns tells how it has
// ended, and its Cancel cancels the task; it may be dropped. After the end of w's
// main the error is ErrLoopClosed. A nil f panics with a TypeError.
//
// Any goroutine may call it; it does not switch. A connection that goes along is
// made one of w's loop by Adopt.
func (w *Worker) Go(f func(ctx context.Context) error) *ConcurrentFuture[None] {
	return RunCoroutineThreadsafe(w.loop, Func(f))
}

// RunWorkers runs n loops, each on a goroutine of its own, and on each of them
// main as its main task: programs that use several processors, each loop a world
// of its own in which nothing needs a lock. Zero is as many as GOMAXPROCS. It
// returns when all have ended.
//
// Servers of several workers listen at one address with WithReusePort, or
// ListenConfig.ReusePort: the system spreads the connections. Where it does not
// evenly, or cannot, one worker accepts and hands over: see Worker.Go and Adopt.
//
// The first main that fails has the others cancelled. The error is an
// *ExceptionGroup of those of the mains that have failed. If ctx ends, or by an
// interrupt (Ctrl-C), all are cancelled, and the error is as that of Run. opts are
// for each of the loops. A calling task would block its loop; a goroutine waits.
//
// Python has no such call: programs start processes there.
func RunWorkers(ctx context.Context, n int, main func(ctx context.Context, w *Worker) error, opts ...RunOption) error {
	switch {
	case n < 0:
		return valueErrorf("the number of workers must not be negative")
	case main == nil:
		return typeErrorf("a function was expected, got nil")
	case runningLoops.here() != nil:
		return insideLoop("RunWorkers")
	case n == 0:
		n = runtime.GOMAXPROCS(0)
	}
	chosen := runOptions{signals: true}
	choose(&chosen, opts, RunOption.forRun)
	all, runners, err := newWorkers(n, opts)
	if err != nil {
		return err
	}

	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	interrupted := cancelOnInterrupt(chosen.signals, func() { cancel(ErrKeyboardInterrupt) })
	var group sync.WaitGroup
	errs := make([]error, n)
	for i, w := range all {
		group.Add(1)
		go func() {
			defer group.Done()
			defer greenlet.Close()
			errs[i] = errGoexit
			defer func() {
				if failed(ctx, errs[i]) {
					cancel(errs[i])
				}
			}()
			errs[i] = w.run(ctx, runners[i], main)
		}()
	}
	group.Wait()
	wasInterrupted := interrupted()

	var failures []error
	var ended error
	for _, err := range errs {
		if failed(ctx, err) {
			failures = append(failures, err)
		} else if err != nil {
			ended = err
		}
	}
	switch {
	case failures != nil:
		return NewExceptionGroup("unhandled errors in workers", failures...)
	case wasInterrupted:
		if outer.Err() != nil {
			return &endedRun{ErrKeyboardInterrupt, outer.Err()}
		}
		return ErrKeyboardInterrupt
	}
	return ended
}

// errGoexit is the error of a worker whose goroutine was ended.
var errGoexit = runtimeErrorf("the worker has ended its goroutine by runtime.Goexit")

// failed reports whether err is an error of a main of its own, and not only that it
// was told to end.
func failed(ctx context.Context, err error) bool {
	return err != nil && !alone.Is(err, context.Canceled) && !(ctx.Err() != nil && alone.Is(err, ctx.Err()))
}

// newWorkers makes the workers and their loops: before any of them runs, so that
// they can be reached from the beginning. If one cannot be made, because the loop
// factory panics, say, those before it are closed.
func newWorkers(n int, opts []RunOption) ([]*Worker, []*Runner, error) {
	all, runners := make([]*Worker, n), make([]*Runner, n)
	made := 0
	defer func() {
		if made == n {
			return
		}
		for _, r := range runners[:made] {
			r.abandon()
		}
	}()
	for ; made < n; made++ {
		r := NewRunner(append(opts[:len(opts):len(opts)], WithSignals(false))...)
		l, err := r.Loop()
		if err == nil {
			l.outsiders.Store(true) // the other workers know it
		}
		if err != nil {
			return nil, nil, err
		}
		all[made], runners[made] = &Worker{index: made, all: all, loop: l}, r
	}
	return all, runners, nil
}

// run runs main on w's loop, and closes it.
func (w *Worker) run(ctx context.Context, r *Runner, main func(ctx context.Context, w *Worker) error) error {
	returned := false
	defer func() {
		if !returned {
			r.abandon()
		}
	}()
	_, err := RunIn(ctx, r, coroutine(func(ctx context.Context) error { return main(ctx, w) }))
	if closing := r.Close(); err == nil {
		err = closing
	}
	returned = true
	return err
}

// cancelOnInterrupt has cancel called by the first interrupt; a second one ends
// the program, as without it. The function that it returns ends that, and tells
// whether there was one.
func cancelOnInterrupt(on bool, cancel func()) (end func() bool) {
	if !on || rt.InBubble() || interruptsIgnored() {
		return func() bool { return false }
	}
	caught := make(chan os.Signal, 1)
	done := make(chan bool)
	signal.Notify(caught, os.Interrupt)
	signalsUsed.Store(true)
	known := knownGoroutine()
	go func() {
		defer known()
		interrupted := false
		for {
			select {
			case <-caught:
				signal.Stop(caught)
				interrupted = true
				cancel()
			case done <- interrupted:
				return
			}
		}
	}()
	return func() bool {
		signal.Stop(caught)
		interrupted := <-done
		select {
		case <-caught: // it had no time to look
			interrupted = true
		default:
		}
		return interrupted
	}
}
