package greenlet

import (
	"fmt"
	"sync/atomic"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// A Greenlet is a function with a stack of its own that runs only when it is
// switched to and waits, in the middle of any call, when it switches away.
//
// Greenlets form trees: each has a parent, to which control goes when it ends,
// and at the root is the main greenlet, the plain goroutine on which
// everything began. Of a tree one greenlet runs at a time, and no greenlet of
// another goroutine's tree can be switched to (ErrForeign).
//
// Unless a method says otherwise it belongs to the owner, that is: it may be
// called by the greenlets of the same tree only.
type Greenlet struct {
	// The assembly reads gp and hub.

	gp  rt.G // what the switch may resume with values in registers; else none
	hub *hub // the tree; never changes

	c      *carrier // what it runs on, from its start to its end
	parent *Greenlet
	body   func(v any) (any, error) // until it starts
	name   *string
	id     uint64
	state  uint32
	depth  uint32 // stack to reserve at the start, in KiB
}

// The states of a greenlet. The only transitions are fresh to started, by
// hub.start, and both to dead, by carrier.finish and hub.discard.
const (
	fresh uint32 = iota
	started
	dead
)

func (g *Greenlet) loadState() uint32 { return atomic.LoadUint32(&g.state) }

// setState is the owner's alone. Where the assembly switch is built in, a plain
// store serves: other goroutines that ask load one aligned word, and an atomic
// store costs as much as half a switch. The race detector sees the atomic one.
func (g *Greenlet) setState(s uint32) {
	if rt.SwitchBuilt {
		g.state = s
	} else {
		atomic.StoreUint32(&g.state, s)
	}
}

// An Option is a choice made when a greenlet is made.
type Option func(*Greenlet)

// WithParent makes p the parent, instead of the greenlet that calls New. A nil
// p is the same as no option. The new greenlet belongs to the tree of p; if
// that is not the caller's, the caller cannot switch to it.
func WithParent(p *Greenlet) Option {
	return func(g *Greenlet) {
		if p != nil {
			g.parent, g.hub = p, p.hub
		}
	}
}

// WithName gives the greenlet a name for String, for error messages and for
// PanicError.
func WithName(name string) Option { return func(g *Greenlet) { g.name = &name } }

// WithStack reserves n bytes of stack before the body runs, so that no call
// which stays below has to grow the stack in the middle of hot work. See
// stack.Reserve.
func WithStack(n int) Option {
	return func(g *Greenlet) { g.depth = uint32(min(max(0, (n+1023)/1024), 1<<30)) }
}

// New makes a greenlet that will run body when it is first switched to. The
// value of that switch is body's argument; what body returns goes to the
// parent, which is the greenlet that calls New. Nothing runs yet and no stack
// exists yet, so a greenlet that is never started costs nothing but its memory.
//
// Any goroutine may call New; it does not switch. A nil body makes a greenlet
// that refuses to start (ErrNoBody). Cost: one allocation.
//
// Python: greenlet.greenlet(run, parent).
func New(body func(v any) (any, error), opts ...Option) *Greenlet {
	p := Current()
	g := &Greenlet{hub: p.hub, parent: p, body: body, id: p.hub.nextID()}
	for _, o := range opts {
		o(g)
	}
	return g
}

// Current returns the greenlet that calls it: the running greenlet of the
// calling goroutine. A plain goroutine gets its main greenlet, which is made on
// the first call.
//
// Any goroutine may call it; it does not switch. It costs less than a switch.
//
// Python: greenlet.getcurrent.
func Current() *Greenlet {
	c := self()
	c.mustHold()
	if c.handle != nil {
		return c.handle
	}
	return c.current()
}

// Switch suspends the caller and lets g run: if g has not started, v becomes
// its body's argument, else the result of the Switch in which g waits. The call
// returns when somebody switches to the caller, and returns what they send.
//
// The error is not nil if somebody threw it at the caller (Throw), if it is
// what a child's body returned as its error, or if the switch was refused, in
// which case nothing has happened: ErrForeign, ErrNil, ErrNoBody. A child's
// panic goes on as a panic of *PanicError; a child's runtime.Goexit goes on in
// the caller's goroutine.
//
// A switch to a dead greenlet goes to its nearest living ancestor. A switch to
// the caller itself returns v at once.
//
// Owner only. It always switches, unless refused or to oneself. It allocates
// nothing and can be inlined.
//
// Python: greenlet.switch.
func (g *Greenlet) Switch(v any) (any, error) { return enter(g, v, nil) }

// Throw is Switch with an error in place of a value: the Switch in which g
// waits returns err. A nil err throws Exit.
//
// A greenlet that has not started dies without running, and err goes to its
// parent. With a dead one, err goes to its nearest living ancestor. An error
// that is Exit by errors.Is and so ends g arrives at g's parent as a value
// with no error.
//
// Owner only. It always switches, unless refused (see Switch) or to oneself.
//
// Python: greenlet.throw.
func (g *Greenlet) Throw(err error) (any, error) {
	if err == nil {
		err = Exit
	}
	return enter(g, nil, err)
}

// Parent returns the greenlet to which control goes when g ends: nil for a
// main greenlet, the killer while g is being killed. Any goroutine may call it;
// it does not switch.
func (g *Greenlet) Parent() *Greenlet {
	if g == nil || g.hub == nil {
		return nil
	}
	g.hub.mu.Lock()
	defer g.hub.mu.Unlock()
	return g.hub.heir(g)
}

// SetParent makes p the parent of g, at any time of g's life. It returns
// ErrCycle if g is p or an ancestor of p, ErrForeign if g, p and the caller are
// not of one tree, ErrMain if g is a main greenlet and ErrNil if either is nil;
// the parent is then unchanged. Owner only; it does not switch.
//
// Python: setting greenlet.parent.
func (g *Greenlet) SetParent(p *Greenlet) error {
	if err := self().mayAdopt(g, p); err != nil {
		return err
	}
	g.hub.forgetAdoptions()
	g.setParent(p)
	return nil
}

func (g *Greenlet) setParent(p *Greenlet) {
	g.hub.mu.Lock()
	g.parent = p
	if g.c != nil && g.c.old != nil {
		g.c.old.parent = p
	}
	g.hub.changes(g, false)
	g.hub.mu.Unlock()
}

// Dead reports whether g has ended: its body has returned, panicked, exited or
// been killed, or it was thrown at before it started. Any goroutine may call
// it; it does not switch.
func (g *Greenlet) Dead() bool { return g != nil && g.loadState() == dead }

// Started reports whether g's body has ever run; it stays true when g is dead.
// A greenlet that was killed before its start counts as started, as in Python's
// C interface. Any goroutine may call it; it does not switch.
func (g *Greenlet) Started() bool { return g != nil && g.loadState() != fresh }

// Active reports whether g has started and not ended. Any goroutine may call
// it; it does not switch.
//
// Python: bool(g).
func (g *Greenlet) Active() bool { return g != nil && g.loadState() == started }

// IsCurrent reports whether g is the greenlet that calls it. Any goroutine may
// call it; it does not switch. It is Current() == g, in half the time if g has
// been suspended before.
func (g *Greenlet) IsCurrent() bool {
	// A carrier's goroutine outlives what it carries, so where gp is the running
	// goroutine it is g that runs. A root's goroutine may have ended and its G
	// been used again.
	if assembly && g != nil && g.gp == rt.Self() && g.hub.main != g {
		return true
	}
	return Current() == g
}

// Owned reports whether the caller is the owner: a greenlet of the same tree as
// g, which may switch to g. Any goroutine may call it; it does not switch. It
// costs as much as Current.
func (g *Greenlet) Owned() bool {
	return g != nil && g.hub != nil && selfFor(g).hub == g.hub
}

// Name returns the name given by WithName: "main" for a main greenlet, else
// "". Any goroutine may call it; it does not switch.
func (g *Greenlet) Name() string {
	if g == nil || g.name == nil {
		return ""
	}
	return *g.name
}

// ID returns a number that no other greenlet of the program has. Any goroutine
// may call it; it does not switch.
func (g *Greenlet) ID() uint64 {
	if g == nil {
		return 0
	}
	return g.id
}

// String describes g for people: its number, its name and its state. Any
// goroutine may call it; it does not switch.
func (g *Greenlet) String() string {
	if g == nil {
		return "greenlet <nil>"
	}
	return g.title() + " (" + g.stateName() + ")"
}

// title is String without the state.
func (g *Greenlet) title() string {
	if g.name != nil {
		return fmt.Sprintf("greenlet %d %q", g.id, *g.name)
	}
	return fmt.Sprintf("greenlet %d", g.id)
}

func (g *Greenlet) stateName() string {
	switch g.loadState() {
	case fresh:
		return "not started"
	case dead:
		return "dead"
	}
	if Current() == g {
		return "current"
	}
	return "suspended"
}

// isMain reports whether g is a tree's root.
func (g *Greenlet) isMain() bool { return g.hub.main == g }
