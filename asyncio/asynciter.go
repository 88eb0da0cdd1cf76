package asyncio

import (
	"context"
	"iter"

	"github.com/go-greenlet/greenlet/internal/alone"
)

// An AsyncIterator gives values one by one, and may wait for each. An AsyncGen is
// one. Python: an asynchronous iterator.
type AsyncIterator[T any] interface {
	// Next returns the next value, or ErrStopAsyncIteration when there is none.
	// Python: __anext__.
	Next(ctx context.Context) (T, error)
}

// AIter returns the values of it that are still to come, for a loop that waits for
// each of them with ctx. An error other than ErrStopAsyncIteration comes as the
// last pair. A loop that is left early leaves the iterator open, as in Python;
// AsyncGen.All closes it. Python: async for.
func AIter[T any](ctx context.Context, it AsyncIterator[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := it.Next(ctx)
			if alone.Is(err, ErrStopAsyncIteration) || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// ANext returns the next value of it, or def if there is none. Without a default,
// call Next. Python: anext(it, def).
func ANext[T any](ctx context.Context, it AsyncIterator[T], def T) (T, error) {
	v, err := it.Next(ctx)
	if alone.Is(err, ErrStopAsyncIteration) {
		return def, nil
	}
	return v, err
}

// Collect returns all values of seq as a slice, those before an error with that
// error. seq may wait, as those of AIter and AsyncGen.All do. Python: [v async for
// v in seq].
func Collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}
