package fd

import (
	"slices"
	"sync"

	"github.com/go-greenlet/greenlet/sched"
)

// An Ahead gets things on a goroutine, connections, datagrams or data, some ahead of
// who takes them. Those that are not taken hold it up.
type Ahead[T any] struct {
	Loop    *sched.Loop       // whose goroutine takes
	Get     func() (T, error) // waits
	Drop    func(T)           // what nobody will take
	Came    func()            // called on the loop when there is something to take again
	Most    int               // how many it gets ahead; more wait with the system
	OnlyFor bool              // it gets only for who waits: by Begin, or in Wait

	mu      sync.Mutex
	queue   []got[T]
	getting bool      // somebody is in Get
	ended   sync.Cond // of the one who was
	wanted  bool      // Came is to be called
	shut    bool
}

// AheadMost is how many connections or datagrams are got ahead.
const AheadMost = 64

type got[T any] struct {
	what T
	err  error
}

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
		ends := dropped || err != nil || len(a.queue) >= a.Most
		if ends {
			a.getting = false
			if a.ended.L != nil {
				a.ended.Broadcast()
			}
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
	if a.wanted {
		a.wanted = false
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

// Take has use called with the next one, which stays the next until use reports that
// it has left nothing of it. It returns an error that is in the place of one, and
// ErrAgain if there is nothing. It has the getting go on. Any goroutine may call it.
func (a *Ahead[T]) Take(use func(what *T) (all bool)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var err error = ErrAgain
	if len(a.queue) > 0 {
		g := &a.queue[0]
		err = g.err
		if err == nil && !use(&g.what) {
			return nil
		}
		a.pop()
	}
	if !a.OnlyFor {
		a.wanted = a.wanted || len(a.queue) == 0
		if err == nil || err == ErrAgain {
			a.begin()
		}
	}
	return err
}

// pop is called with mu held.
func (a *Ahead[T]) pop() {
	a.queue = slices.Delete(a.queue, 0, 1)
}

// Any reports whether there is something to take.
func (a *Ahead[T]) Any() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queue) > 0
}

// Begin begins to get, if there is room, and has Came called when there is something.
func (a *Ahead[T]) Begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wanted = true; len(a.queue) > 0 {
		a.wanted = false
		a.Loop.Post(a.Came)
	}
	a.begin()
}

// begin is called with mu held.
func (a *Ahead[T]) begin() {
	if !a.getting && !a.shut && len(a.queue) < a.Most {
		a.getting = true
		go a.run()
	}
}

// Wait returns when there may be something to take. It is for goroutines that are
// not the loop's: the first one gets it itself.
func (a *Ahead[T]) Wait() {
	a.mu.Lock()
	if len(a.queue) == 0 && !a.getting {
		a.getting = true
		a.mu.Unlock()
		a.run()
		return
	}
	a.wait()
	a.mu.Unlock()
}

// wait waits for the end of who is in Get. It is called with mu held.
func (a *Ahead[T]) wait() {
	a.ended.L = &a.mu
	for a.getting {
		a.ended.Wait()
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
	a.wait()
	a.mu.Unlock()
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

// Forget takes out those of which f reports true.
func (a *Ahead[T]) Forget(f func(what T, err error) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = slices.DeleteFunc(a.queue, func(g got[T]) bool { return f(g.what, g.err) })
}

// Getting reports whether somebody is in Get.
func (a *Ahead[T]) Getting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.getting
}
