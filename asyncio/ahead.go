//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import "sync"

// An ahead gets things on a goroutine, connections or datagrams, some ahead of who
// takes them. Those that are not taken hold it up.
type ahead[T any] struct {
	loop *Loop
	get  func() (T, error) // waits
	drop func(T)           // what nobody will take
	came func()            // called on the loop when there is something to take again

	mu    sync.Mutex
	queue []got[T]
	under chan struct{} // way is a goroutine that gets, which closes it at its end; or nil
	told  bool          // came was called, and since then something was taken each time
	shut  bool
}

type got[T any] struct {
	what T
	err  error
}

// aheadMost is how many are got ahead. More wait with the system.
const aheadMost = 64

// run gets until there are enough of them, or an error: the next take goes on
// then.
func (a *ahead[T]) run() {
	for {
		what, err := a.get()
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
			a.drop(what)
		}
		if ends {
			return
		}
	}
}

// push is called with mu held.
func (a *ahead[T]) push(g got[T]) {
	a.queue = append(a.queue, g)
	if !a.told {
		a.told = true
		a.loop.s.Post(a.came) // a closed loop need not know
	}
}

// tell puts err in the queue, for who takes next. Any goroutine may call it.
func (a *ahead[T]) tell(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.shut {
		a.push(got[T]{err: err})
	}
}

// take returns the next one, or an error in the place of one: errAgain if there is
// nothing. It has the getting go on.
func (a *ahead[T]) take() (T, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var g got[T]
	if len(a.queue) > 0 {
		g, a.queue[0] = a.queue[0], got[T]{}
		a.queue = a.queue[1:]
	} else {
		g.err = errAgain
		a.told = false
	}
	if failed := g.err != nil && g.err != errAgain; !failed && len(a.queue) < aheadMost {
		a.begin()
	}
	return g.what, g.err
}

// begin is called with mu held.
func (a *ahead[T]) begin() {
	if a.under == nil && !a.shut {
		a.under = make(chan struct{})
		go a.run()
	}
}

// close drops what nobody has taken. Who waits in get is to be woken afterwards.
func (a *ahead[T]) close() {
	for _, what := range a.left() {
		a.drop(what)
	}
}

// rest returns what nobody has taken, the last one included: get was made to fail,
// so there will be no more.
func (a *ahead[T]) rest() []T {
	a.mu.Lock()
	under := a.under
	a.mu.Unlock()
	if under != nil {
		<-under
	}
	return a.left()
}

// left has everything dropped that is got from now on, and returns what there is.
func (a *ahead[T]) left() (all []T) {
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
