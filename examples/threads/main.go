// Threads shows requests in an executor: net/http's client, which blocks, on the
// goroutines of a small pool, while the loop serves the pages that it fetches.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

const pages, atOnce = 8, 4

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		site, err := serve(ctx)
		if err != nil {
			return err
		}
		defer site.task.Cancel()
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		pool := asyncio.NewThreadPool(atOnce)
		defer pool.Close()
		defer http.DefaultClient.CloseIdleConnections()

		var fetches []*asyncio.Future[string]
		for i := range pages {
			fetches = append(fetches, asyncio.RunInExecutor(loop, pool, func() (string, error) {
				return fetch(fmt.Sprintf("%s/page/%d", site.url, i))
			}))
		}
		texts, err := asyncio.Gather(ctx, asyncio.Awaitables(fetches)...).Await(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, strings.Join(texts, ", "))
		fmt.Fprintf(w, "%d pages, %d at a time\n", len(texts), site.most)

		// One call, with a limit: the request learns from its ctx that nobody waits.
		err = asyncio.WithTimeout(ctx, 50*time.Millisecond, func(ctx context.Context, _ *asyncio.Timeout) error {
			_, err := asyncio.ToThread(ctx, func(ctx context.Context) (*http.Response, error) {
				req, err := http.NewRequestWithContext(ctx, "GET", site.url+"/never", nil)
				if err != nil {
					return nil, err
				}
				return http.DefaultClient.Do(req)
			})
			return err
		})
		fmt.Fprintln(w, "the last one:", err)
		return nil
	})
}

// fetch knows nothing of the loop.
func fetch(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// A site is what is fetched. Its handlers run in tasks, and share it without a lock.
type site struct {
	url       string
	now, most int // requests under way
	crowd     *asyncio.Barrier
	task      *asyncio.Task[asyncio.None]
}

func serve(ctx context.Context) (*site, error) {
	ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &site{url: "http://" + ln.Addr().String(), crowd: asyncio.NewBarrier(atOnce)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page/{n}", func(w http.ResponseWriter, r *http.Request) {
		s.now++
		s.most = max(s.most, s.now)
		defer func() { s.now-- }()
		// A slow page: it comes when as many have been asked for.
		if _, err := s.crowd.Wait(r.Context()); err == nil {
			fmt.Fprint(w, "page ", r.PathValue("n"))
		}
	})
	mux.HandleFunc("GET /never", func(w http.ResponseWriter, r *http.Request) {
		asyncio.Sleep(r.Context(), time.Hour) // ends as the client goes away
	})
	s.task = asyncio.Go(ctx, func(ctx context.Context) error {
		return httpd.New(&http.Server{Handler: mux}).Serve(ctx, ln)
	})
	return s, nil
}
