package asyncio

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ErrPoolClosed is returned by a Pool that was closed, for errors.Is.
var ErrPoolClosed error = &classError{"RuntimeError", "the pool is closed", nil}

// A PoolConfig says what a Pool consists of. Its functions are called by the task
// that calls With, except where they say otherwise, and may wait.
type PoolConfig[T any] struct {
	// Limit is how many members there may be, idle ones and those that are being
	// made or closed among them. It is at least 1.
	Limit int

	// New makes a member: dials, say. It is required. Its error is With's.
	New func(ctx context.Context) (T, error)

	// Close lets go of a member. It may be nil. It runs in a task of its own, with
	// a context that has the values of the caller's and does not end, so a member
	// can say goodbye although its user was cancelled. Its place is free when it
	// returns, so it must not wait for ever. Its error is lost, except in
	// Pool.Close, as there is nobody who could do anything about it.
	Close func(ctx context.Context, v T) error

	// Check tells whether a member that was idle is still good, before it is handed
	// out: a ping, say. One with an error is closed, and another is taken. With a
	// nil Check all are taken to be good.
	Check func(ctx context.Context, v T) error

	// Keep reports whether a member may be used again, of which err is what the
	// function has returned that used it: nil, too. Most libraries can tell:
	//
	//	Keep: func(c *pgx.Conn, _ error) bool { return !c.IsClosed() }
	//
	// With a nil Keep each error ends its member. It must not wait. It is not asked
	// where the answer is no in any case: see Pool.With.
	Keep func(v T, err error) bool

	// IdleTime is how long a member may be idle before it is closed, on the loop's
	// clock. With zero or less it is not limited.
	IdleTime time.Duration
}

// A Pool keeps things that are costly to make and that one task uses at a time:
// connections of a database, of a cache or of a mail server. Tasks that find the
// limit reached wait as tasks do, first come, first served, and the loop goes on.
// The pools that libraries bring wait by channels and locks, which stops a loop.
//
// The member that was given back last is used first, so those in excess get old.
// A Pool belongs to the loop on which a task first uses it. Close it, in a
// deferred call.
//
// Python: aiomysql.Pool, asyncpg.Pool.
type Pool[T any] struct {
	config  PoolConfig[T]
	places  Semaphore // one is taken for each member that is not idle
	idle    []idleMember[T]
	members int // that there are, idle or not
	reaper  *TimerHandle
	closed  bool
	last    Event   // of a closed pool: the last member is gone
	errs    []error // of the calls of Close by a closed pool
}

// An idleMember waits to be used. The ones that wait longest come first.
type idleMember[T any] struct {
	v     T
	since time.Duration
}

// NewPool makes an empty pool. It panics with a ValueError if the limit is below
// one, and with a TypeError if there is no New. Any goroutine may call it; it does
// not switch.
func NewPool[T any](config PoolConfig[T]) *Pool[T] {
	switch {
	case config.Limit < 1:
		panic(valueErrorf("a pool's limit must be at least 1, not %d", config.Limit))
	case config.New == nil:
		panic(typeErrorf("a pool needs a function that makes its members, got nil"))
	}
	p := &Pool[T]{config: config}
	p.places.init(config.Limit)
	p.places.held = holding{handed: true} // who takes a place need not be who gives it back
	return p
}

// With calls f with a member that nobody else uses meanwhile: an idle one, or a
// new one. If the limit is reached the calling task waits for a member.
//
// Afterwards the member is idle, unless it cannot be trusted: because f has
// panicked, because a request to cancel the task came while f ran, because ctx has
// ended, or because Keep says so. Then it is closed. So an f that is cancelled in
// the middle of a query never leaves the rest of the answer to the next user.
//
// The error is that of f, that of New, ErrPoolClosed, or one of a wait. If it is not f's, f was not called. Only a task may call it.
// It switches where it has to wait, and where New, Check and f do. With an idle
// member it allocates nothing.
//
// Python: async with pool.acquire().
func (p *Pool[T]) With(ctx context.Context, f func(v T) error) error {
	me, err := p.places.owner.caller(ctx, "Pool")
	if err != nil {
		return err
	}
	v, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	requests, keep := me.cancels, false
	defer func() {
		if keep && !p.closed {
			p.rest(v)
		} else {
			p.discard(ctx, v)
		}
	}()
	err = f(v)
	keep = me.cancels <= requests && ctx.Err() == nil && p.keeps(v, err)
	return err
}

func (p *Pool[T]) keeps(v T, err error) bool {
	if p.config.Keep != nil {
		return p.config.Keep(v, err)
	}
	return err == nil
}

// acquire returns a member that is the caller's until it rests or is discarded.
func (p *Pool[T]) acquire(ctx context.Context) (v T, err error) {
	for {
		if p.closed {
			return v, ErrPoolClosed
		}
		if err := p.places.Acquire(ctx); err != nil {
			return v, err
		}
		switch n := len(p.idle); {
		case p.closed:
			return v, ErrPoolClosed // Close has woken all who waited
		case n == 0:
			return p.grow(ctx)
		default:
			v, p.idle[n-1] = p.idle[n-1].v, idleMember[T]{}
			p.idle = p.idle[:n-1]
		}
		if p.config.Check == nil {
			return v, nil
		}
		if good, err := p.good(ctx, v); good || err != nil {
			return v, err
		}
	}
}

// good checks v, and discards it if it is bad. The error is the caller's own.
func (p *Pool[T]) good(ctx context.Context, v T) (good bool, _ error) {
	defer func() {
		if !good {
			p.discard(ctx, v)
		}
	}()
	switch err := p.config.Check(ctx, v); {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case asCancelled(err) != nil:
		return false, err
	default:
		return err == nil, nil
	}
}

// grow makes a member for a caller who has a place.
func (p *Pool[T]) grow(ctx context.Context) (v T, err error) {
	made := false
	p.members++
	defer func() {
		if !made {
			p.gone()
		}
	}()
	v, err = p.config.New(ctx)
	made = err == nil
	return v, err
}

// rest makes v idle.
func (p *Pool[T]) rest(v T) {
	p.idle = append(p.idle, idleMember[T]{v, p.loop().Time()})
	p.watchIdle()
	p.places.Release()
}

// discard closes v in a task of its own. Its place is taken meanwhile, by whoever
// calls.
func (p *Pool[T]) discard(ctx context.Context, v T) {
	if p.config.Close == nil || p.loop().IsClosed() {
		p.gone()
		return
	}
	start(p.loop(), context.WithoutCancel(ctx), coroutine(func(ctx context.Context) error {
		defer p.gone()
		if err := p.config.Close(ctx, v); err != nil && p.closed {
			p.errs = append(p.errs, err)
		}
		return nil
	}))
}

// gone notes that there is a member less, and a free place more.
func (p *Pool[T]) gone() {
	p.members--
	p.places.Release()
	if p.closed && p.members == 0 {
		p.last.Set()
	}
}

func (p *Pool[T]) loop() *Loop { return p.places.owner.loop }

// watchIdle has the member that is idle longest looked at in time.
func (p *Pool[T]) watchIdle() {
	if p.reaper == nil && p.config.IdleTime > 0 && len(p.idle) > 0 {
		p.reaper = p.loop().CallAt(p.idle[0].since+p.config.IdleTime, p.reap)
	}
}

// reap closes the members that are idle for too long. Where no place is free,
// tasks are on their way that will take them.
func (p *Pool[T]) reap() {
	p.reaper = nil
	old := p.loop().Time() - p.config.IdleTime
	n := 0
	for n < len(p.idle) && p.idle[n].since <= old {
		p.places.value--
		p.discard(context.Background(), p.idle[n].v)
		n++
	}
	p.idle = slices.Delete(p.idle, 0, n)
	p.watchIdle()
}

// PoolStats are the numbers of a Pool.
type PoolStats struct {
	Limit   int // members that there may be
	Members int // members that there are; those that are being made or closed, too
	Idle    int // members that nobody uses
	Waiting int // tasks that wait for one
}

// Stats returns how many members there are, and how many tasks wait for one.
// Owner only; it takes time for each that waits, and does not switch.
func (p *Pool[T]) Stats() PoolStats {
	return PoolStats{p.config.Limit, p.members, len(p.idle), p.places.Waiting()}
}

// Close closes the idle members at once, and each of the others when its user is
// done with it, and waits for all of them. Tasks that wait for a member get
// ErrPoolClosed, and so does who comes later. Several tasks may call it, and one
// after the other. It must not be called by a function that With calls: it would
// wait for itself.
//
// The error joins those of the members' Close, or it is one of a wait: then the members are closed
// all the same, but nobody has waited for it. Only a task may call it.
//
// Python: pool.close and pool.wait_closed.
func (p *Pool[T]) Close(ctx context.Context) error {
	if _, err := p.places.owner.caller(ctx, "Pool"); err != nil {
		return err
	}
	if !p.closed {
		p.close(ctx)
	}
	if err := p.last.Wait(ctx); err != nil {
		return err
	}
	return errors.Join(p.errs...)
}

func (p *Pool[T]) close(ctx context.Context) {
	p.closed = true
	if p.reaper != nil {
		p.reaper.Cancel()
		p.reaper = nil
	}
	for range p.places.Waiting() {
		p.places.Release()
	}
	idle := p.idle
	p.idle = nil
	for _, m := range idle {
		p.discard(ctx, m.v)
	}
	if p.members == 0 {
		p.last.Set()
	}
}
