package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A result is what came of a crawl.
type result struct {
	pages, bytes, again int
	failed              map[string]error
	took                time.Duration
}

// A statusError is an answer other than 200.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprint("status ", e.code) }

// temporary reports whether another try may do better.
func temporary(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		return status.code >= 500 || status.code == 429
	}
	return asyncio.IsException(err) // a time limit, or a connection that broke
}

// crawl fetches all pages, each in a task. What the tasks share needs no lock.
func crawl(ctx context.Context, c client, o options, step func()) (*result, error) {
	r := &result{failed: make(map[string]error)}
	slots := asyncio.NewSemaphore(o.atOnce)
	start := time.Now()
	err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		for _, url := range o.urls {
			tg.Go(func(ctx context.Context) error {
				defer step()
				n, err := r.fetch(ctx, c, slots, o, url)
				if err == nil {
					r.pages++
					r.bytes += n
				} else if asyncio.IsException(err) {
					r.failed[url] = err // the others go on
				} else {
					return err // cancelled
				}
				return nil
			})
		}
		return nil
	})
	r.took = time.Since(start)
	return r, err
}

// fetch tries several times. It gives its slot to others while it pauses.
func (r *result) fetch(ctx context.Context, c client, slots *asyncio.Semaphore, o options, url string) (n int, err error) {
	for try := 1; ; try++ {
		err = slots.Do(ctx, func() error {
			return asyncio.WithTimeout(ctx, o.limit, func(ctx context.Context, _ *asyncio.Timeout) error {
				n, err = c.fetch(ctx, url)
				return err
			})
		})
		if err == nil || try == o.tries || !temporary(err) {
			return n, err
		}
		r.again++
		if err := asyncio.Sleep(ctx, o.pause<<(try-1)); err != nil {
			return 0, err
		}
	}
}
