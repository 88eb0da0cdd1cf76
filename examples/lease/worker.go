package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Addrs say where the service and the store are.
type Addrs struct{ Leases, Store string }

// A Worker adds one to the store's number again and again, while it has the lease.
type Worker struct {
	Addrs
	Term time.Duration
	Rand *rand.Rand
	Bug  Bug
	Sure func(ctx context.Context, lease uint64) // if not nil, is told when the worker is sure that it has the lease

	loop  *asyncio.Loop
	lease uint64
	until time.Duration // on the loop's clock
	end   int64         // WallClock
}

// Run works until its task is cancelled.
func (w *Worker) Run(ctx context.Context) (err error) {
	if w.loop, err = asyncio.RunningLoop(ctx); err != nil {
		return err
	}
	for {
		if ok, _, err := w.ask(ctx, "take"); err != nil {
			return err
		} else if ok {
			if err := w.work(ctx); err != nil {
				return err
			}
		}
		if err := asyncio.Sleep(ctx, time.Duration(w.Rand.Int64N(int64(w.Term/8)))); err != nil {
			return err
		}
	}
}

// ask asks the service, and reports whether it has answered, and granted. The error is that
// of a cancel. A lease lasts from when it was asked for, because the service has granted it
// later: whatever the answer's way took, the lease is over here before there.
func (w *Worker) ask(ctx context.Context, what string) (ok, answered bool, err error) {
	from := w.loop.Time()
	reply, err := ask(ctx, w.Leases, what)
	var number uint64
	if n, _ := fmt.Sscanf(reply, "ok %d", &number); err != nil || n == 0 {
		return false, err == nil, w.cancelled(err)
	}
	if w.Bug == FromAnswer {
		from = w.loop.Time()
	}
	// Clocks of two machines differ by much less in a term.
	w.lease, w.until = number, from+w.Term-w.Term/100
	fmt.Sscanf(reply, "ok %d %d", &number, &w.end)
	return true, true, nil
}

// cancelled returns err if it is that of a cancel: whoever does not hand that on never ends.
func (w *Worker) cancelled(err error) error {
	if w.Bug != NeverEnds && errors.Is(err, asyncio.ErrCancelled) {
		return err
	}
	return nil
}

// holds reports whether the lease lasts.
func (w *Worker) holds(ctx context.Context) bool {
	left := w.until - w.loop.Time()
	if w.Bug == WallClock {
		left = time.Duration(w.end - asyncio.Now(ctx).UnixNano())
	}
	if left > 0 && w.Sure != nil {
		w.Sure(ctx, w.lease)
	}
	return left > 0
}

// work adds, while the lease lasts: to its end, if the service cannot be reached meanwhile.
func (w *Worker) work(ctx context.Context) error {
	keeper := asyncio.Go(ctx, w.keep)
	var err error
	for ok := true; ok && err == nil && w.holds(ctx) && w.Rand.IntN(20) > 0; {
		ok, err = w.add(ctx)
		ok = ok || w.Bug == SameLease
	}
	keeper.Cancel()
	keeper.Await(ctx)
	if err != nil {
		return err
	}
	// Also after a put without an answer, which may be under way and come between a later get
	// and its put: it was the last one under this lease.
	_, err = ask(ctx, w.Leases, fmt.Sprint("free ", w.lease))
	return w.cancelled(err)
}

// keep has the lease last longer.
func (w *Worker) keep(ctx context.Context) error {
	for {
		if err := asyncio.Sleep(ctx, w.Term/4); err != nil {
			return err
		}
		switch ok, answered, err := w.ask(ctx, fmt.Sprint("keep ", w.lease)); {
		case err != nil:
			return err
		case answered && !ok:
			w.until = 0
			return nil
		}
	}
}

// add adds one, and reports whether it is known to be done. The error is that of a cancel.
func (w *Worker) add(ctx context.Context) (bool, error) {
	var value uint64
	reply, err := ask(ctx, w.Store, fmt.Sprint("get ", w.lease))
	if n, _ := fmt.Sscanf(reply, "ok %d", &value); err != nil || n == 0 || !w.holds(ctx) {
		return false, w.cancelled(err)
	}
	reply, err = ask(ctx, w.Store, fmt.Sprint("put ", w.lease, " ", value+1))
	return err == nil && reply != "late", w.cancelled(err)
}
