// Crawl shows a task group that grows while it works: each page that is fetched
// starts tasks for its links. A fetch has a time limit, and what fails is tried
// again, with longer and longer pauses.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

const (
	limit  = 100 * time.Millisecond // for one fetch
	pause  = 50 * time.Millisecond  // after the first failure; it doubles
	tries  = 3
	atOnce = 2 // fetches
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, opts ...asyncio.RunOption) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			c := &crawler{w: w, site: newSite(), tasks: tg, slots: asyncio.NewSemaphore(atOnce), seen: make(map[string]bool)}
			c.visit("/")
			return nil
		})
	}, opts...)
}

type crawler struct {
	w     io.Writer
	site  site
	tasks *asyncio.TaskGroup
	slots *asyncio.Semaphore
	seen  map[string]bool // no lock: nothing runs between two waits
}

// visit starts a task for a page that nobody has visited.
func (c *crawler) visit(url string) {
	if c.seen[url] {
		return
	}
	c.seen[url] = true
	c.tasks.Go(func(ctx context.Context) error {
		links, err := c.fetch(ctx, url)
		if asyncio.IsException(err) {
			fmt.Fprintf(c.w, "%s: given up: %v\n", url, err)
			return nil // the others go on
		}
		if err != nil {
			return err // cancelled
		}
		fmt.Fprintf(c.w, "%s: %d links\n", url, len(links))
		for _, to := range links {
			c.visit(to)
		}
		return nil
	})
}

// fetch tries several times.
func (c *crawler) fetch(ctx context.Context, url string) (links []string, err error) {
	for try := 1; ; try++ {
		links, err = c.fetchOnce(ctx, url)
		temporary := errors.Is(err, errBusy) || errors.Is(err, asyncio.ErrTimeout)
		if !temporary || try == tries {
			return links, err
		}
		fmt.Fprintf(c.w, "%s: %v\n", url, err)
		if err := asyncio.Sleep(ctx, pause<<(try-1)); err != nil {
			return nil, err
		}
	}
}

// fetchOnce waits for a slot, and then for the page, but not for long.
func (c *crawler) fetchOnce(ctx context.Context, url string) (links []string, err error) {
	err = c.slots.Do(ctx, func() error {
		return asyncio.WithTimeout(ctx, limit, func(ctx context.Context, _ *asyncio.Timeout) error {
			links, err = c.site.fetch(ctx, url)
			return err
		})
	})
	return links, err
}
