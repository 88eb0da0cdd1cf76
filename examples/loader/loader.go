package main

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A Loader makes one query of many: it collects the keys that tasks ask for, until
// every task has gone as far as it can, and then fetches all of them at once. It
// fetches no key twice. It belongs to the loop of those who use it.
type Loader[K comparable, V any] struct {
	// Fetch returns the values of keys, in their order. It may wait.
	Fetch func(ctx context.Context, keys []K) ([]V, error)

	known map[K]*asyncio.Future[V] // those that were asked for
	keys  []K                      // those that were not fetched yet
}

// Load returns the value of key. Its caller, a task, waits for the next batch.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	f := l.known[key]
	if f == nil {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			var none V
			return none, err
		}
		if l.known == nil {
			l.known = make(map[K]*asyncio.Future[V])
		}
		f = asyncio.NewFuture[V](loop)
		l.known[key] = f
		l.keys = append(l.keys, key)
		if len(l.keys) == 1 {
			loop.CallWhenQuiet(func() { asyncio.Go(context.WithoutCancel(ctx), l.fetch) })
		}
	}
	// Others may wait for the same value: a cancel is not theirs.
	return asyncio.Shield(ctx, f).Await(ctx)
}

// fetch fetches what was asked for so far.
func (l *Loader[K, V]) fetch(ctx context.Context) error {
	keys := l.keys
	l.keys = nil
	values, err := l.Fetch(ctx, keys)
	for i, key := range keys {
		f := l.known[key]
		if err != nil {
			delete(l.known, key) // the next one may have more luck
			f.SetException(err)
		} else {
			f.SetResult(values[i])
		}
	}
	return nil
}
