package asyncio

// A waiter is told that a future is done, by way of the ready queue.
type waiter interface {
	futureDone(f *core)
}

// waiters are those who wait for one future, where they are several, or the future
// is one that follows others. Most futures have one waiter, and none of this.
type waiters struct {
	roll[waiter]
	calls map[*Callback][]*doneCall // what is in the roll for each; nil until one is removed
	of    follower                  // the future itself, if it follows others
	idle  bool                      // nobody waits for it, and it follows nobody
	few   [1]rollEntry[waiter]      // the memory of the first
}

// A follower is a future whose outcome follows from others: that of Shield and of
// Gather. It waits for those, but when everybody has given up waiting for it, it
// takes itself out of their waiters: for it may be forgotten, and they may live for
// long. It waits again when somebody waits for it, and is brought up to date when
// somebody asks. The futures of FromChan and WrapFuture follow what is on other
// goroutines.
type follower interface {
	// follow has the future told of the others' ends. If the outcome is there, it
	// settles the future at once.
	follow()
	// unfollow takes it back, where they have not ended. It is called when nobody
	// waits any more, and when the future is done, then perhaps again. A future that
	// takes is settled with what was taken for it.
	unfollow()
	// catchUp settles the future if the outcome is there.
	catchUp()
}

// followOthers makes f, which nobody waits for yet, the future of by.
func (ws *waiters) followOthers(f *core, by follower) {
	ws.of, ws.entries = by, ws.few[:0]
	f.waiter = ws
}

// futureDone tells all.
func (ws *waiters) futureDone(f *core) {
	if ws.of != nil {
		ws.of.unfollow()
	}
	ws.each(func(w waiter) { w.futureDone(f) })
}

// tell arranges that w is told when f is done: in the next turn if it is done
// already. It returns w's place among those who wait, for untell.
func (f *core) tell(w waiter) (place uint32) {
	ws, several := f.waiter.(*waiters)
	if several && ws.idle {
		ws.idle = false
		ws.of.follow()
	}
	switch {
	case f.state != pending:
		w.futureDone(f)
		return 0
	case f.waiter == nil:
		f.waiter = w
		return 0
	case !several:
		ws = new(waiters)
		ws.entries = append(ws.entries, rollEntry[waiter]{of: f.waiter}) // its place is 0
		f.waiter = ws
	}
	return ws.add(w)
}

// untell takes w out, which has the place that tell has returned. It reports
// whether it was in. It takes the same time however many wait.
func (f *core) untell(w waiter, place uint32) bool {
	ws, several := f.waiter.(*waiters)
	switch {
	case !several && f.waiter != w, several && !ws.leave(w, place):
		return false
	case !several:
		f.waiter = nil
	case ws.len() == 0:
		f.deserted(ws)
	}
	return true
}

// deserted is called when nobody waits for f any more.
func (f *core) deserted(ws *waiters) {
	if ws.of == nil {
		f.waiter = nil
		return
	}
	if f.loop.leaving != nil { // by one that follows it, which the loop below has come to
		f.loop.leaving = append(f.loop.leaving, ws)
		return
	}
	todo := []*waiters{ws}
	for f.loop.leaving = todo; len(todo) > 0; todo = f.loop.leaving {
		last := todo[len(todo)-1]
		f.loop.leaving = todo[:len(todo)-1]
		last.of.unfollow()
		last.idle = true
	}
	f.loop.leaving = nil
}

// lastCall is called when f, which takes, is about to be given up, cancelled or
// settled by hand: it settles f with what was taken for it already, which nobody
// would get otherwise. It reports whether f is done.
func (f *core) lastCall() bool {
	if ws, ok := f.waiter.(*waiters); ok && f.state == pending {
		ws.of.unfollow()
		ws.idle = true
	}
	return f.state != pending
}

// look brings f up to date, if it follows others and nobody waits for it. It
// reports whether f is done.
func (f *core) look() bool {
	if ws, ok := f.waiter.(*waiters); ok && ws.idle {
		ws.of.catchUp()
	}
	return f.state != pending
}

// call has cb called with self, which is f with its methods, when f is done.
func (f *core) call(cb *Callback, self AnyFuture) {
	c := &doneCall{cb: cb, f: self}
	if f.loop.callbacks != nil {
		c.by = f.loop.callbacks()
	}
	c.place = f.tell(c)
	if ws, ok := f.waiter.(*waiters); ok && ws.calls != nil {
		ws.calls[cb] = append(ws.calls[cb], c)
	}
}

// RemoveDoneCallback takes cb out, as often as it was added, and returns how
// often that was. Python: Future.remove_done_callback.
func (f *core) RemoveDoneCallback(cb *Callback) int {
	ws, ok := f.waiter.(*waiters)
	if !ok {
		if c, is := f.waiter.(*doneCall); is && c.cb == cb {
			f.waiter = nil
			return 1
		}
		return 0
	}
	if ws.calls == nil {
		ws.calls = make(map[*Callback][]*doneCall)
		ws.each(func(w waiter) {
			if c, is := w.(*doneCall); is {
				ws.calls[c.cb] = append(ws.calls[c.cb], c)
			}
		})
	}
	all := ws.calls[cb]
	delete(ws.calls, cb)
	for _, c := range all {
		ws.leave(c, c.place)
	}
	if len(all) > 0 && ws.len() == 0 {
		f.deserted(ws)
	}
	return len(all)
}
