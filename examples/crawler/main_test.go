package main

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

var clients = map[string]func(context.Context, options) (client, error){"fasthttp": newFast, "net/http": newThreads}

// onSite crawls pages of a site with each client.
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
			err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				c, err := newClient(ctx, o)
				if err != nil {
					return err
				}
				defer c.close()
				steps := 0
				r, err := crawl(ctx, c, o, func() { steps++ })
				if err != nil {
					return err
				}
				if steps != len(o.urls) {
					t.Errorf("the progress is %d of %d", steps, len(o.urls))
				}
				check(t, s, r)
				return nil
			}, asyncio.WithSignals(false))
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTroubles(t *testing.T) {
	o := defaults()
	o.pause, o.limit = time.Millisecond, 300*time.Millisecond
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
		s.mu.Lock()
		defer s.mu.Unlock()
		for path, want := range map[string]int{"/page/1": 1, "/busy/2": 3, "/busy/9": 3, "/slow": 3, "/lost": 1} {
			if s.asked[path] != want {
				t.Errorf("%s was asked for %d times, want %d", path, s.asked[path], want)
			}
		}
	})
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
				for {
					s.mu.Lock()
					n := s.asked["/slow"]
					s.mu.Unlock()
					if n == len(o.urls) {
						break
					}
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
			for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before+5 && time.Now().Before(deadline); {
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
