package asyncio

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// requests are what asks the main task of a run to end: the end of its context, and
// interrupts. An interrupt that also ends the context, because that is one of
// signal.NotifyContext, is one request: a second would cut the clean-up off that the
// first has begun.
type requests struct {
	ctx   context.Context
	loop  *Loop
	main  AnyTask
	count int // how many interrupts there were; the loop's
}

// interrupt cancels the main task, the first time, and then ends the run.
func (q *requests) interrupt() {
	if q.count++; q.count == 1 && !q.main.Done() {
		q.main.Cancel()
		return
	}
	q.loop.s.Abort(ErrKeyboardInterrupt)
}

// ended cancels the main task when ctx has ended, if the interrupt that has ended it
// has not done that.
func (q *requests) ended() {
	if q.count == 0 || !endedByInterrupt(q.ctx) {
		q.main.Cancel(context.Cause(q.ctx))
	}
}

// both is for an interrupt that was there when ctx ended.
func (q *requests) both() {
	q.count++
	q.main.Cancel(context.Cause(q.ctx))
}

// endedByInterrupt reports whether ctx has ended since signal.NotifyContext has seen
// an interrupt. From Go 1.26 on the cause tells; before, only the name does.
func endedByInterrupt(ctx context.Context) bool {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return cause.Error() == os.Interrupt.String()+" signal received"
	}
	_, signals, ok := strings.Cut(fmt.Sprint(ctx), "signal.NotifyContext(")
	return ok && strings.Contains(signals, os.Interrupt.String())
}

// follow has q made of what comes, until the function that it returns is called.
// That tells whether there was an interrupt.
func (q *requests) follow(interrupts bool) (end func() bool) {
	over := q.ctx.Done()
	if q.ctx.Err() != nil {
		over = nil
		q.main.Cancel(context.Cause(q.ctx))
	}
	// In a testing/synctest bubble package signal would make channels of the
	// bubble, which it uses outside.
	if !interrupts || rt.InBubble() || interruptsIgnored() {
		if over == nil {
			return func() bool { return false }
		}
		unhook := context.AfterFunc(q.ctx, func() { q.loop.s.Post(q.ended) })
		return func() bool {
			unhook()
			return false
		}
	}
	caught := make(chan os.Signal, 2)
	done := make(chan struct{})
	signal.Notify(caught, os.Interrupt)
	signalsUsed.Store(true)
	known := knownGoroutine()
	go func() {
		defer known()
		q.watch(over, caught, done)
	}()
	return sync.OnceValue(func() bool {
		signal.Stop(caught)
		close(done)
		return q.count > 0
	})
}

// watch posts what comes, until done is closed.
func (q *requests) watch(over <-chan struct{}, caught chan os.Signal, done <-chan struct{}) {
	post := func(f func()) { q.loop.s.Post(f) }
	for n := 0; ; {
		came, ended := false, false
		select {
		case <-caught:
			came = true
			select {
			case <-over:
				ended = true
			default:
			}
		case <-over:
			ended = true
			// A signal that has ended ctx is on its way to caught, too: package signal
			// sends it to all before it takes another call.
			signal.Notify(caught, os.Interrupt)
			select {
			case <-caught:
				came = true
			default:
			}
		case <-done:
			return
		}
		if ended {
			over = nil
		}
		if came = came && !signalPart.in(q.loop.parts).interrupts.Load(); came { // else a handler of the loop takes it
			if n++; n == 2 {
				signal.Stop(caught) // a third one ends the program
			}
		}
		switch {
		case came && ended && n == 1:
			post(q.both)
		case came && ended:
			post(q.interrupt)
			post(q.ended)
		case came:
			post(q.interrupt)
		case ended:
			post(q.ended)
		}
	}
}
