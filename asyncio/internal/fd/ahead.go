package fd

import (
	"sync"

	"github.com/go-greenlet/greenlet/sched"
)

// An Ahead gets things on a goroutine, connections or datagrams, some ahead of who
// takes them. Those that are not taken hold it up.
type Ahead[T any] struct {
	Loop *sched.Loop       // whose goroutine takes
	Get  func() (T, error) // waits
	Drop func(T)           // what nobody will take
	Came func()            // called on the loop when there is something to take again

	mu    sync.Mutex
	queue []got[T]
	under chan struct{} // way is a goroutine that gets, which closes it at its end; or nil
	told  bool          // Came was called, and since then something was taken each time
	shut  bool
}

type got[T any] struct {
	what T
	err  error
}

// aheadMost is how many are got ahead. More wait with the system.
const aheadMost = 64

// run gets until there are enough of them, or an error: the next Take goes on
// then.
func (a *Ahead[T]) run() {
	for {
		what, err := a.Get()
		a.mu.Lock()
		dropped := a.shut
		if !dropped {
			a.push(got[T]{what, err})
		}
		ends := dropped || err != nil || len(a.queue) >= aheadMost
		if ends {
			close(a.under)
			a.under = nil
		}
		a.mu.Unlock()
		if dropped && err == nil {
			a.Drop(what)
		}
		if ends {
			return
		}
	}
}

// push is called with mu held.
func (a *Ahead[T]) push(g got[T]) {
	a.queue = append(a.queue, g)
	if !a.told {
		a.told = true
		a.Loop.Post(a.Came) // a closed loop need not know
	}
}

// Tell puts err in the queue, for who takes next. Any goroutine may call it.
func (a *Ahead[T]) Tell(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.shut {
		a.push(got[T]{err: err})
	}
}

// Take returns the next one, or an error in the place of one: ErrAgain if there is
// nothing. It has the getting go on.
func (a *Ahead[T]) Take() (T, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var g got[T]
	if len(a.queue) > 0 {
		g, a.queue[0] = a.queue[0], got[T]{}
		a.queue = a.queue[1:]
	} else {
		g.err = ErrAgain
		a.told = false
	}
	if failed := g.err != nil && g.err != ErrAgain; !failed && len(a.queue) < aheadMost {
		a.begin()
	}
	return g.what, g.err
}

// Begin begins to get, before the first Take.
func (a *Ahead[T]) Begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin()
}

// begin is called with mu held.
func (a *Ahead[T]) begin() {
	if a.under == nil && !a.shut {
		a.under = make(chan struct{})
		go a.run()
	}
}

// Close drops what nobody has taken. Who waits in Get is to be woken afterwards.
func (a *Ahead[T]) Close() {
	for _, what := range a.left() {
		a.Drop(what)
	}
}

// Rest returns what nobody has taken, the last one included: Get was made to fail,
// so there will be no more.
func (a *Ahead[T]) Rest() []T {
	a.mu.Lock()
	under := a.under
	a.mu.Unlock()
	if under != nil {
		<-under
	}
	return a.left()
}

// left has everything dropped that is got from now on, and returns what there is.
func (a *Ahead[T]) left() (all []T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, g := range a.queue {
		if g.err == nil {
			all = append(all, g.what)
		}
	}
	a.shut, a.queue = true, nil
	return all
}
