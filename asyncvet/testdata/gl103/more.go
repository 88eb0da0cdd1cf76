package gl103

import (
	"context"
	"net"
	"sync"

	"github.com/go-greenlet/greenlet/asyncio"
)

type store struct {
	sync.RWMutex
	one, two sync.Mutex
	conn     net.Conn
}

func (s *store) load(ctx context.Context) error { return asyncio.Sleep(ctx, 1) }

// The wait is in a callee; the lock is one that is embedded, and for reading.
func (s *store) embedded(ctx context.Context) error {
	s.RLock() // want `GL103: s is locked while the task waits in gl103.store.load`
	err := s.load(ctx)
	s.RUnlock()
	return err
}

// Only one of the two.
func (s *store) both(ctx context.Context) error {
	s.one.Lock() // want `GL103: s.one is locked`
	s.two.Lock()
	s.two.Unlock()
	err := s.load(ctx)
	s.one.Unlock()
	return err
}

// A connection that waits.
func (s *store) send(ctx context.Context, p []byte) *asyncio.Task[int] {
	return asyncio.CreateTask(ctx, func(context.Context) (int, error) {
		s.one.Lock() // want `GL103: s.one is locked`
		defer s.one.Unlock()
		return s.conn.Write(p)
	})
}

// In each of the ways it is unlocked first.
func (s *store) branches(ctx context.Context, quick bool) error {
	s.one.Lock()
	if quick {
		s.one.Unlock()
		return s.load(ctx)
	}
	s.one.Unlock()
	for range 3 {
		s.one.Lock()
		s.one.Unlock()
		if err := s.load(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Locked on one way only: it may be that the wait is on the other.
func (s *store) perhaps(ctx context.Context, lock bool) error {
	if lock {
		s.one.Lock()
	}
	if lock {
		s.one.Unlock()
	}
	return s.load(ctx)
}

// Unlocked by a helper, and by a closure.
func (s *store) release() { s.one.Unlock() }

func (s *store) helper(ctx context.Context) error {
	s.one.Lock()
	s.release()
	unlock := func() { s.two.Unlock() }
	s.two.Lock()
	unlock()
	return s.load(ctx)
}

// The wait is on another goroutine, or in another task.
func (s *store) others(ctx context.Context) *asyncio.Task[asyncio.None] {
	s.one.Lock()
	defer s.one.Unlock()
	return asyncio.Go(ctx, s.load)
}

// Several calls in one.
func (s *store) chain(ctx context.Context) error {
	s.one.Lock() // want `GL103: s.one is locked while the task waits in asyncio.Task.Await at line`
	defer s.one.Unlock()
	_, err := asyncio.Go(ctx, s.load).Await(ctx)
	return err
}
