package greenlet

import (
	"errors"
	"fmt"
	"iter"

	"github.com/go-greenlet/greenlet/internal/alone"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// A Generator is Python's generator object: it yields values of type Y, may be
// sent values of type S, and returns one of type R. It belongs to the tree of
// the greenlet that made it, and its parent is whoever resumes it.
//
// A paused generator that nobody refers to is ended like any abandoned
// greenlet: its deferred calls run.
type Generator[Y, S, R any] struct {
	face
	k *generator[Y, S, R]
}

// generator is what the generator's stack refers to.
type generator[Y, S, R any] struct {
	Yielder[Y, S]
	result   R
	returned bool
	failure  error // why it ended, if not by returning a result
	body     func(y *Yielder[Y, S]) (R, error)
}

// A Yielder is the generator's side of a Generator: the body yields through it.
type Yielder[Y, S any] struct {
	p       pair
	value   Y     // to the consumer
	outcome error // to the consumer, when the generator has ended
	sent    S     // to the body
}

// errAway is what a call of a generator returns that has been resumed by somebody
// else, and errNone what it returns with a value.
var errAway = fmt.Errorf("greenlet: a greenlet that waits in Next was switched to (%w)", ErrReentrant)

var errNone error

// Errors of generators.
var (
	// ErrStop is returned by a generator that has ended: Python's StopIteration.
	// What the body returned is in Result.
	ErrStop = errors.New("greenlet: the generator has ended")

	// ErrStopEscaped is returned if a body returns ErrStop as its own error,
	// which would look like an ordinary end. What else was in that error is found
	// behind it by errors.Is and errors.As. Python: RuntimeError "generator
	// raised StopIteration".
	ErrStopEscaped = errors.New("greenlet: a generator's body returned ErrStop")

	// ErrIgnoredExit is returned by Close if the generator yields once more
	// instead of ending. It stays paused; the value is lost. Python:
	// RuntimeError "generator ignored GeneratorExit".
	ErrIgnoredExit = errors.New("greenlet: the generator ignored Exit")

	// ErrJustStarted is returned by Send if the generator waits in no Yield yet
	// that could receive the value. Python: TypeError.
	ErrJustStarted = errors.New("greenlet: cannot send a value to a generator that has not started")
)

// NewGenerator makes a generator that will run body at the first Next. Any
// goroutine may call it; it does not switch. Cost: two allocations.
func NewGenerator[Y, S, R any](body func(y *Yielder[Y, S]) (R, error)) *Generator[Y, S, R] {
	parent := Current()
	h := parent.hub
	both := &struct {
		Generator[Y, S, R]
		g Greenlet
	}{g: Greenlet{hub: h, parent: parent, body: runPair, id: h.nextID()}}
	k := &generator[Y, S, R]{Yielder: Yielder[Y, S]{p: pair{hub: h, paused: paused, stops: true}}, body: body}
	k.p.script = scriptOf(k)
	both.k, both.p = k, &k.p
	both.setHandle(&both.g)
	return &both.Generator
}

// Next lets the generator run until it yields and returns the value. The error
// is ErrStop when it has ended, what the body returned as its error if it ended
// so just now, ErrReentrant if it runs already and ErrForeign if it belongs to
// another goroutine; the value is then of no use. A panic of the body goes on
// as a panic of *PanicError.
//
// Owner only. It switches, unless the generator has ended. It allocates nothing.
func (g *Generator[Y, S, R]) Next() (v Y, err error) {
	if !rt.SwitchBuilt {
		return g.resume(nil)
	}
	if _, err = call(&g.face); err == nil { // else value may be half written
		v, err = g.k.value, *g.p.how
	}
	return
}

// resume is Next that touches nothing before it knows that it may, with an error
// for the body or nil.
func (g *Generator[Y, S, R]) resume(thrown error) (v Y, err error) {
	if _, err = g.p.resume(g.g, thrown); err == nil {
		v, err = g.k.value, *g.p.how
	}
	return v, err
}

// Send is Next with a value, which the Yield that waits returns. A generator
// that has not started refuses it with ErrJustStarted; no harm is done.
func (g *Generator[Y, S, R]) Send(v S) (Y, error) {
	k := g.k
	if !reserve(&g.face) {
		return g.send(v)
	}
	if !k.p.started { // only who has claimed it may look
		k.p.set(paused)
		var none Y
		return none, ErrJustStarted
	}
	k.sent = v
	_, err := proceed(&g.face)
	if err == nil {
		err = *k.p.how
	}
	var nothing S
	k.sent = nothing
	return k.value, err
}

// send is Send where it is not the short way.
func (g *Generator[Y, S, R]) send(v S) (none Y, err error) {
	k := g.k
	switch err := k.p.fault(g.g); {
	case err != nil:
		return none, err
	case k.p.finished:
		return none, ErrStop
	case !k.p.started:
		return none, ErrJustStarted
	}
	k.sent = v
	y, err := g.Next()
	var nothing S
	k.sent = nothing
	return y, err
}

// Throw makes the Yield that waits return err, and returns what the generator
// yields next. If the body does not handle it, err comes out again and the
// generator has ended. A generator that has not started or has ended returns
// err at once and has ended then. A nil err throws Exit.
func (g *Generator[Y, S, R]) Throw(err error) (Y, error) {
	if err == nil {
		err = Exit
	}
	var none Y
	k := g.k
	if refused := k.p.fault(g.g); refused != nil {
		return none, refused
	}
	switch {
	case k.p.finished:
		return none, err
	case !k.p.started:
		k.failure = err
		k.p.close(g.g)
		return none, err
	}
	return g.resume(err)
}

// Close ends the generator: the Yield that waits returns Exit. Close returns
// nil if the body then ends with no error, with Exit or with ErrStop, else the
// body's error, also where Exit is only a part of it: errors.Join(Exit, failed);
// ErrIgnoredExit if it yields. A generator that has not started,
// or has ended, is closed without running. Owner only; it switches if the
// generator is paused.
func (g *Generator[Y, S, R]) Close() error {
	k := g.k
	if err := k.p.fault(g.g); err != nil {
		return err
	}
	switch {
	case k.p.finished:
		return nil
	case !k.p.started:
		return k.p.close(g.g)
	}
	switch _, err := g.resume(Exit); {
	case err == nil:
		return fmt.Errorf("%w (%s)", ErrIgnoredExit, g.g)
	case alone.Is(err, Exit, ErrStop, errStopAlone):
		return nil
	default:
		return err
	}
}

// Result returns what the body returned, and whether it has returned without an
// error. Owner only; it does not switch.
//
// Python: StopIteration.value.
func (g *Generator[Y, S, R]) Result() (R, bool) { return g.k.result, g.k.returned }

// Err returns the error with which the body ended, or nil: for a loop over All,
// which cannot return it. It is ErrReentrant while the generator runs, and
// ErrForeign on another goroutine. Owner only; it does not switch.
func (g *Generator[Y, S, R]) Err() error {
	if err := g.k.p.fault(g.g); err != nil {
		return err
	}
	return g.k.failure
}

// All returns the values that the generator has still to yield. A loop that
// breaks leaves the generator paused, as in Python; it may be resumed, or
// closed. An error of the body ends the loop: see Err.
func (g *Generator[Y, S, R]) All() iter.Seq[Y] {
	return func(yield func(Y) bool) {
		for {
			v, err := g.Next()
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// Yield suspends the generator, gives v to the call that waits and returns what
// the next one sends: the zero value and nil for Next, a value for Send, an
// error for Throw and Close. A body that gets Exit should return. Only the body
// may call it, on its own greenlet; elsewhere it panics with an error that is
// ErrReentrant.
func (y *Yielder[Y, S]) Yield(v Y) (S, error) {
	y.value = v
	_, err := back(&y.p)
	return y.sent, err
}

// YieldFrom yields all that sub yields, passes on to sub what is sent and
// thrown, and returns sub's result: the yield from of Python. Close and Exit
// close sub first; and if the generator is ended by force, abandoned or with its
// tree, so is sub, before the generator's own deferred calls run. Only the body
// that y belongs to may call it.
func YieldFrom[Y, S, R any](y *Yielder[Y, S], sub *Generator[Y, S, R]) (R, error) {
	defer y.p.takesAlong(&sub.face)
	var none R
	ended := sub.k.p.finished
	v, err := sub.Next()
	for {
		switch {
		case err == nil:
		case !alone.Is(err, ErrStop):
			return none, err
		case ended:
			return none, nil // who ended it has had the result
		default:
			return sub.k.result, nil
		}
		sent, thrown := y.Yield(v)
		ended = sub.k.p.finished
		switch {
		case thrown == nil:
			v, err = sub.Send(sent)
		case alone.Is(thrown, Exit):
			if err := sub.Close(); err != nil {
				return none, err
			}
			return none, thrown
		default:
			v, err = sub.Throw(thrown)
		}
	}
}

// takesAlong kills the coroutine sub, to which p's delegates, if p's is being
// killed. It leaves alone a sub from which the killer has come, which then waits
// for the end of p's.
func (p *pair) takesAlong(sub *face) {
	c := p.c
	if c == nil || !c.killed || sub.g.Dead() || !sub.g.Started() || sub.p.hub != c.hub || self() != c {
		return
	}
	if sub.p.paused == runs {
		h := c.hub
		h.mu.Lock()
		killer := h.heir(h.handleOf(c))
		h.mu.Unlock()
		for ; killer != nil; killer = killer.parent {
			if killer == sub.g {
				return
			}
		}
	}
	c.kill(sub.g)
}

// errStopAlone is what an ErrStopEscaped is, too, if the body has returned nothing
// else.
var errStopAlone = fmt.Errorf("%w", ErrStopEscaped)

func escaped(failure error) error {
	is := ErrStopEscaped
	if alone.Is(failure, ErrStop) {
		is = errStopAlone
	}
	return alone.Behind(fmt.Errorf("%w (%v)", is, failure), failure, ErrStop)
}

func (k *generator[Y, S, R]) keep() func() {
	value, outcome, sent := k.value, k.outcome, k.sent
	return func() { k.value, k.outcome, k.sent = value, outcome, sent }
}

// run is the generator's greenlet.
func (k *generator[Y, S, R]) run() {
	k.p.begin()
	failure := errCut
	defer func() {
		var value Y
		var sent S
		k.value, k.sent, k.failure = value, sent, failure
		k.p.end()
		k.p.how = &k.outcome
	}()
	var result R
	switch result, failure = k.body(&k.Yielder); {
	case failure == nil:
		k.result, k.returned = result, true
		k.outcome = ErrStop
		return
	case alone.Within(failure, ErrStop):
		failure = escaped(failure)
	}
	k.outcome = failure
}
