// Crawler fetches many pages: so many at a time, each with a time limit, and again
// after a failure. It does so with two clients that know nothing of tasks, and
// compares: fasthttp's, whose calls wait in the task that makes them, and
// net/http's, which needs a thread for each.
//
//	go run .                          # 1,000 pages of a site of its own, each of 50 ms
//	go run . -at-once 20 http://...   # pages of your own, one argument each
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	o := defaults()
	flag.IntVar(&o.pages, "pages", o.pages, "how many pages the site of its own has")
	flag.IntVar(&o.atOnce, "at-once", o.atOnce, "how many pages to fetch at a time")
	flag.DurationVar(&o.limit, "limit", o.limit, "how long one try may take")
	flag.IntVar(&o.tries, "tries", o.tries, "how often to try a page")
	flag.Parse()
	o.urls = flag.Args()
	o.progress = func(name string, n int) func() {
		bar := progressbar.Default(int64(n), name)
		return func() { bar.Add(1) }
	}
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error { return run(ctx, os.Stdout, o) })
	if err != nil && !errors.Is(err, asyncio.ErrKeyboardInterrupt) {
		log.Fatal(err)
	}
}

// options say what to fetch, and how.
type options struct {
	urls     []string // none: those of a site of its own
	pages    int
	atOnce   int
	limit    time.Duration // for one try
	pause    time.Duration // after the first failure; it doubles
	tries    int
	progress func(name string, n int) (step func())
}

func defaults() options {
	return options{pages: 1000, atOnce: 200, limit: 2 * time.Second, pause: 100 * time.Millisecond, tries: 3,
		progress: func(string, int) func() { return func() {} }}
}

// A client fetches one page, from a task. It fails with *statusError if the answer
// is not 200.
type client interface {
	fetch(ctx context.Context, url string) (bytes int, err error)
	close()
}

// run crawls with one client after the other, and prints what came of it.
func run(ctx context.Context, w io.Writer, o options) error {
	if len(o.urls) == 0 {
		s, err := newSite(o.pages)
		if err != nil {
			return err
		}
		defer s.close()
		o.urls = s.urls
	}
	for _, kind := range []struct {
		name string
		make func(ctx context.Context, o options) (client, error)
	}{
		{"fasthttp, in tasks", newFast},
		{"net/http, in threads", newThreads},
	} {
		c, err := kind.make(ctx, o)
		if err != nil {
			return err
		}
		r, err := crawl(ctx, c, o, o.progress(kind.name, len(o.urls)))
		c.close()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-21s %d pages, %d bytes, %d tried again, %d given up: %v\n",
			kind.name, r.pages, r.bytes, r.again, len(r.failed), r.took.Round(time.Millisecond))
		for url, err := range r.failed {
			fmt.Fprintf(w, "    %s: %v\n", url, err)
		}
	}
	return nil
}
