package asyncio

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
)

// Emulator is what must stand before a program's name to start it, where the
// tests run in an emulator.
var Emulator = strings.Fields(os.Getenv("TEST_EXEC"))

func init() { emulator = Emulator }

// Beside is how Dial waits.
func Beside(ctx context.Context, f func(ctx context.Context) (io.Closer, error)) (io.Closer, error) {
	return beside(ctx, f)
}

// OnPortableSockets has loops made that have portable sockets, connections and pipes from now
// on, also where the loop watches descriptors.
func OnPortableSockets() (restore func()) {
	sockets, conns, pipes, watches := systemSockets, systemConns, systemPipes, WatchesDescriptors
	systemSockets, systemConns, systemPipes, WatchesDescriptors = portableSockets{}, portableConns{}, portablePipes{}, false
	return func() { systemSockets, systemConns, systemPipes, WatchesDescriptors = sockets, conns, pipes, watches }
}

// WithoutProcessDescriptors has children waited for by goroutines, as on systems
// without a descriptor for them, until restore is called.
func WithoutProcessDescriptors() (restore func()) {
	processDescriptor = func(int) int { return -1 }
	return func() { processDescriptor = fd.OpenProcess }
}

// PendingTimers is how many timers of l have not fired.
func PendingTimers(l *Loop) int {
	_, timers := l.s.Pending()
	return timers
}

// LookForStandStill has l look at once whether it stands still, as when it is about to
// wait.
func LookForStandStill(l *Loop) {
	s := stillPart.in(l.parts)
	s.since, s.wait, s.turn = 0, 1, l.s.Turns()
	l.standsStill(true)
}

// NobodyElse reports whether there are no goroutines but those that cannot wake a loop.
func NobodyElse() bool { return nobodyElse() }

// Waiters is how many wait for f, whoever they are, but for the one report that all
// cancelled Shields of f share.
func Waiters(f AnyFuture) (n int) {
	count := func(w waiter) {
		if _, report := w.(*shieldReport); !report {
			n++
		}
	}
	switch w := f.base().waiter.(type) {
	case nil:
	case *waiters:
		w.each(count)
	default:
		count(w)
	}
	return n
}

// ConcurrentWaiters is how many callbacks wait for c.
func ConcurrentWaiters[T any](c *ConcurrentFuture[T]) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.callbacks.len()
}

// HeldByLimit is how many tasks of tg wait for their turn.
func HeldByLimit(tg *TaskGroup) int { return tg.limit.held.n }

// StillSince has l stand still since d ago, if it does.
func StillSince(l *Loop, d time.Duration) {
	l.seen().stillFrom.Store(int64(time.Since(started) - d))
}

// BlockedSince has the watchdog of l have seen it blocked d ago.
func BlockedSince(l *Loop, d time.Duration) {
	l.seen().blockedFrom.Store(int64(time.Since(started) - d))
}

// GoesOn takes BlockedSince back.
func GoesOn(l *Loop) { l.seen().blockedFrom.Store(0) }

// SnapshotOf is TakeSnapshot of loops of which those that are closed may be left out.
var SnapshotOf = snapshotOf

// WaitAndCount is f.Await, and called is called when a cancel comes to f.
func WaitAndCount[T any](ctx context.Context, f *Future[T], called func()) error {
	return f.wait(ctx, &cancelSeen{f, called})
}

type cancelSeen struct {
	canceller
	called func()
}

func (c *cancelSeen) Cancel(msg ...any) bool {
	c.called()
	return c.canceller.Cancel(msg...)
}

// FollowAndCount returns a future that is never done, as if it followed another one: called
// is called when nobody waits for it any more.
func FollowAndCount(l *Loop, called func()) *Future[int] {
	f := NewFuture[int](l)
	new(waiters).followOthers(&f.core, followed(called))
	return f
}

type followed func()

func (called followed) follow()   {}
func (called followed) unfollow() { called() }
func (called followed) catchUp()  {}

// SetOutsidePatience has the log told sooner that the loop does not come to a goroutine's call.
func SetOutsidePatience(d time.Duration) (restore func()) {
	old := outsidePatience
	outsidePatience = d
	return func() { outsidePatience = old }
}
