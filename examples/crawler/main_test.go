package main

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

var clients = map[string]func(context.Context, options) (client, error){"fasthttp": newFast, "net/http": newThreads}

// A forwardClock is the system's, which a test sets forward.
type forwardClock struct {
	start time.Time
	by    atomic.Int64
}

func (c *forwardClock) Now() time.Duration { return time.Since(c.start) + time.Duration(c.by.Load()) }

func (c *forwardClock) Until(when time.Duration, _ bool) time.Duration {
	if when == asyncio.NoTimeout {
		return when
	}
	return when - c.Now()
}

// onSite crawls pages of a site with each client. The limit of a request to /slow is over
// when it has come to the site and all other pages are done.
func onSite(t *testing.T, o options, paths []string, check func(t *testing.T, s *site, r *result)) {
	for name, newClient := range clients {
		t.Run(name, func(t *testing.T) {
			s, err := newSite(1)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			base := strings.TrimSuffix(s.urls[0], "/page/0")
			o.urls = nil
			for _, p := range paths {
				o.urls = append(o.urls, base+p)
			}
			clock := &forwardClock{start: time.Now()}
			err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				c, err := newClient(ctx, o)
				if err != nil {
					return err
				}
				defer c.close()
				steps := 0
				limits := asyncio.Go(ctx, func(ctx context.Context) error {
					for over := 0; over < o.tries; {
						if steps == len(o.urls)-1 && s.times("/slow") > over {
							clock.by.Add(int64(o.limit))
							over++
						}
						if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
							return err
						}
					}
					return nil
				})
				defer limits.Cancel()
				r, err := crawl(ctx, c, o, func() { steps++ })
				if err != nil {
					return err
				}
				if steps != len(o.urls) {
					t.Errorf("the progress is %d of %d", steps, len(o.urls))
				}
				check(t, s, r)
				return nil
			}, asyncio.WithSignals(false), asyncio.WithClock(clock))
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTroubles(t *testing.T) {
	o := defaults()
	o.pause, o.limit = time.Millisecond, time.Hour
	onSite(t, o, []string{"/page/1", "/busy/2", "/busy/9", "/slow", "/lost"}, func(t *testing.T, s *site, r *result) {
		if r.pages != 2 || r.again != 6 || len(r.failed) != 3 {
			t.Errorf("%d pages, %d tried again, failed: %v", r.pages, r.again, r.failed)
		}
		for url, err := range r.failed {
			var status *statusError
			switch {
			case strings.HasSuffix(url, "/slow"):
				if !errors.Is(err, asyncio.ErrTimeout) {
					t.Errorf("%s: %v", url, err)
				}
			case strings.HasSuffix(url, "/lost"):
				if !errors.As(err, &status) || status.code != 404 {
					t.Errorf("%s: %v", url, err)
				}
			default:
				if !errors.As(err, &status) || status.code != 503 {
					t.Errorf("%s: %v", url, err)
				}
			}
		}
		for path, want := range map[string]int{"/page/1": 1, "/busy/2": 3, "/busy/9": 3, "/slow": 3, "/lost": 1} {
			if n := s.times(path); n != want {
				t.Errorf("%s was asked for %d times, want %d", path, n, want)
			}
		}
	})
}

// times is how often a page was asked for.
func (s *site) times(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

// A cancel from outside ends all of it, and nobody stays behind.
func TestCancel(t *testing.T) {
	for name, newClient := range clients {
		t.Run(name, func(t *testing.T) {
			s, err := newSite(100)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			s.delay = time.Hour
			o := defaults()
			o.urls, o.limit = s.urls[:0:0], time.Hour
			for range 50 {
				o.urls = append(o.urls, strings.Replace(s.urls[0], "/page/0", "/slow", 1))
			}
			before := runtime.NumGoroutine()
			err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				c, err := newClient(ctx, o)
				if err != nil {
					return err
				}
				defer c.close()
				task := asyncio.Go(ctx, func(ctx context.Context) error {
					_, err := crawl(ctx, c, o, func() {})
					return err
				})
				for s.times("/slow") < len(o.urls) {
					if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
						return err
					}
				}
				task.Cancel()
				if _, err := task.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
					t.Errorf("the crawl has ended with %v", err)
				}
				return nil
			}, asyncio.WithSignals(false))
			if err != nil {
				t.Error(err)
			}
			s.close()
			for deadline := time.Now().Add(5 * time.Minute); runtime.NumGoroutine() > before+5 && time.Now().Before(deadline); {
				time.Sleep(10 * time.Millisecond)
			}
			if n := runtime.NumGoroutine(); n > before+5 {
				t.Errorf("%d goroutines, before it was %d", n, before)
			}
		})
	}
}

func TestRun(t *testing.T) {
	o := defaults()
	o.urls, o.pages, o.atOnce = []string{}, 40, 20
	var out strings.Builder
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error { return run(ctx, &out, o) }, asyncio.WithSignals(false))
	if err != nil || strings.Count(out.String(), "40 pages, ") != 2 || strings.Count(out.String(), " 0 given up: ") != 2 {
		t.Errorf("%v\n%s", err, &out)
	}
}
