//go:build linux

package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/vikstrous/dataloadgen"

	"github.com/go-greenlet/greenlet/asyncio"
)

// batches has pages as a GraphQL server would make them: each has posts, each post an
// author, each author a city, and whoever makes a post knows of no other. A loader
// makes one query of those of all posts. Ours sends it when no task can go on; one
// for goroutines cannot know that, and waits for some time.
var batches = program{
	name: "batches", title: "A batch loader, as for GraphQL", unit: "page", n: 300, short: 40,
	ways: []way{
		{name: "tasks, no timer", run: pagesInTasks},
		{name: "dataloadgen, timer of 1 ms", run: pagesOnGoroutines(time.Millisecond)},
		{name: "dataloadgen, its timer of 16 ms", run: pagesOnGoroutines(16 * time.Millisecond)},
	},
}

const (
	askers  = 5  // pages at a time
	posts   = 30 // of a page
	latency = time.Millisecond
)

func authorOf(page, post int) int { return (page*17 + post*7) % 100 }
func cityOf(author int) int       { return author * 13 % 10 }
func nameOf(city int) string      { return fmt.Sprintf("city %d", city) }

// show writes a post.
func show(page, post, author int, city string) string {
	return fmt.Sprintf("%d/%d by %d in %s\n", page, post, author, city)
}

// sum is of a page, whose posts are in their order.
func sum(lines []string) uint64 {
	h := fnv.New32a()
	for _, l := range lines {
		h.Write([]byte(l))
	}
	return uint64(h.Sum32())
}

func pagesInTasks(r run) (result, error) {
	return timed(r.n, func() (check uint64, err error) {
		err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				next := 0
				for range askers {
					tg.Go(func(ctx context.Context) error {
						for next < r.n {
							page := next
							next++
							s, err := pageInTasks(ctx, page)
							if err != nil {
								return err
							}
							check += s
						}
						return nil
					})
				}
				return nil
			})
		})
		return check, err
	})
}

func pageInTasks(ctx context.Context, page int) (uint64, error) {
	cities := &loader[int, int]{of: cityOf}
	names := &loader[int, string]{of: nameOf}
	lines := make([]string, posts)
	err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		for post := range lines {
			tg.Go(func(ctx context.Context) error {
				author := authorOf(page, post)
				city, err := cities.load(ctx, author)
				if err != nil {
					return err
				}
				name, err := names.load(ctx, city)
				lines[post] = show(page, post, author, name)
				return err
			})
		}
		return nil
	})
	return sum(lines), err
}

// A loader fetches what tasks ask for when the loop has nothing else to do: as
// examples/loader, which says more.
type loader[K comparable, V any] struct {
	of    func(K) V
	known map[K]*asyncio.Future[V]
	keys  []K
}

func (l *loader[K, V]) load(ctx context.Context, key K) (v V, err error) {
	f := l.known[key]
	if f == nil {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return v, err
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
	return asyncio.Shield(ctx, f).Await(ctx)
}

// fetch stands for a query, which takes its time.
func (l *loader[K, V]) fetch(ctx context.Context) error {
	keys := l.keys
	l.keys = nil
	err := asyncio.Sleep(ctx, latency)
	for _, key := range keys {
		l.known[key].SetResult(l.of(key))
	}
	return err
}

func pagesOnGoroutines(wait time.Duration) func(r run) (result, error) {
	return func(r run) (result, error) {
		return timed(r.n, func() (check uint64, err error) {
			var lock sync.Mutex
			var all sync.WaitGroup
			next := 0
			for range askers {
				all.Go(func() {
					lock.Lock()
					defer lock.Unlock()
					for next < r.n && err == nil {
						page := next
						next++
						lock.Unlock()
						s, failed := pageOnGoroutines(wait, page)
						lock.Lock()
						check += s
						if failed != nil {
							err = failed
						}
					}
				})
			}
			all.Wait()
			return check, err
		})
	}
}

func pageOnGoroutines(wait time.Duration, page int) (uint64, error) {
	ctx := context.Background()
	cities := dataloadgen.NewLoader(query(cityOf), dataloadgen.WithWait(wait))
	names := dataloadgen.NewLoader(query(nameOf), dataloadgen.WithWait(wait))
	lines := make([]string, posts)
	failed := make(chan error, posts)
	for post := range lines {
		go func() {
			author := authorOf(page, post)
			city, err := cities.Load(ctx, author)
			if err == nil {
				var name string
				name, err = names.Load(ctx, city)
				lines[post] = show(page, post, author, name)
			}
			failed <- err
		}()
	}
	for range lines {
		if err := <-failed; err != nil {
			return 0, err
		}
	}
	return sum(lines), nil
}

// query is fetch of a loader.
func query[K comparable, V any](of func(K) V) func(context.Context, []K) ([]V, []error) {
	return func(_ context.Context, keys []K) ([]V, []error) {
		time.Sleep(latency)
		values := make([]V, len(keys))
		for i, key := range keys {
			values[i] = of(key)
		}
		return values, nil
	}
}
