package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/servers"
)

// start runs the program, with an empty table, until the test is over.
func start(t *testing.T) (url string) {
	t.Helper()
	db := servers.Address(t, servers.Postgres)
	exec(t, db, "DROP TABLE IF EXISTS greenlet_books")
	ctx, cancel := context.WithCancel(context.Background())
	addr, over := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		over <- asyncio.RunFunc(ctx, func(ctx context.Context) error {
			return run(ctx, "127.0.0.1:0", db, func(a net.Addr) { addr <- a })
		}, asyncio.WithSignals(false))
	}()
	select {
	case a := <-addr:
		t.Cleanup(func() {
			http.DefaultClient.CloseIdleConnections()
			cancel()
			if err := <-over; !errors.Is(err, context.Canceled) {
				t.Errorf("it has ended with %v", err)
			}
		})
		return "http://" + a.String()
	case err := <-over:
		cancel()
		t.Fatal(err)
		return ""
	}
}

// exec talks to the database by itself, not by the program.
func exec(t *testing.T, db, query string) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(context.Background(), query); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, method, url, body string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestOperations(t *testing.T) {
	url := start(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		has                string
	}{
		{"GET", "/books", "", 200, "[]"},
		{"POST", "/books", `{"title": "Emma", "author": "Jane Austen", "year": 1815}`, 201, `"id":1`},
		{"POST", "/books", `{"title": "Emma", "author": "Jane Austen", "year": 1816}`, 409, "there already"},
		{"POST", "/books", `{"title": "", "author": "Jane Austen", "year": 1815}`, 422, "body.title"},
		{"POST", "/books", `{"title": "Emma", "author": "Jane Austen", "year": "long ago"}`, 422, "body.year"},
		{"POST", "/books", `{"title": "Emma"}`, 422, "body"},
		{"POST", "/books", `{"title`, 400, ""},
		{"POST", "/books", `{"title": "Ulysses", "author": "James Joyce", "year": 1922}`, 201, "Ulysses"},
		{"GET", "/books/1", "", 200, `"author":"Jane Austen"`},
		{"GET", "/books/77", "", 404, "no such book"},
		{"GET", "/books/first", "", 422, "path.id"},
		{"GET", "/books/0", "", 422, "path.id"},
		{"GET", "/books?author=James+Joyce", "", 200, `"title":"Ulysses"`},
		{"GET", "/books?limit=1000", "", 422, "query.limit"},
		{"DELETE", "/books/1", "", 204, ""},
		{"DELETE", "/books/1", "", 404, "no such book"},
		{"GET", "/books/1", "", 404, "no such book"},
		{"PATCH", "/books/1", "", 405, ""},
	} {
		status, text := ask(t, c.method, url+c.path, c.body)
		if status != c.status || !strings.Contains(text, c.has) {
			t.Errorf("%s %s %s: %d %s, want %d with %q", c.method, c.path, c.body, status, text, c.status, c.has)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	status, text := ask(t, "GET", start(t)+"/openapi.json", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(text), &doc); status != 200 || err != nil {
		t.Fatal(status, err, text)
	}
	n := 0
	for _, operations := range doc.Paths {
		n += len(operations)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || n != 4 {
		t.Errorf("OpenAPI %s with %d operations: %s", doc.OpenAPI, n, text)
	}
}

// Many at once, more than the pool has connections.
func TestManyAtOnce(t *testing.T) {
	url := start(t)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			body := fmt.Sprintf(`{"title": "Volume %d", "author": "Many", "year": 2000}`, i)
			if status, text := ask(t, "POST", url+"/books", body); status != 201 {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	group.Wait()
	_, text := ask(t, "GET", url+"/books?author=Many&limit=100", "")
	if n := strings.Count(text, `"title"`); n != 50 {
		t.Errorf("%d of 50 books are there", n)
	}
}

// The database ends all connections. Who is in the middle is told; the next one gets
// a new connection.
func TestDatabaseRestarts(t *testing.T) {
	url := start(t)
	ask(t, "POST", url+"/books", `{"title": "Emma", "author": "Jane Austen", "year": 1815}`)
	exec(t, servers.Address(t, servers.Postgres),
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
	for range 3 {
		if status, text := ask(t, "GET", url+"/books/1", ""); status != 200 {
			t.Errorf("%d %s", status, text)
		}
	}
}

// The page works in a browser, as wide as a phone and as wide as a desk, and loads
// nothing from elsewhere. With -artifacts the screenshots are kept.
func TestDocsPage(t *testing.T) {
	chromium := servers.Address(t, servers.Chromium)
	url := start(t)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	defer cancel()
	var mu sync.Mutex
	var loaded []string
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			loaded = append(loaded, e.Request.URL)
		}
	}))
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	const add = "#operations-default-add-book"
	for _, c := range []struct {
		width  int64
		answer string
	}{{390, "201"}, {1280, "409"}} { // the second time the book is there already
		err := chromedp.Do(ctx,
			chromedp.Func(func(ctx context.Context, p *chromedp.Target) error {
				_, err := cdp.Call(ctx, p, network.Enable, network.EnableParams{})
				return err
			}),
			chromedp.EmulateViewport(c.width, 844),
			chromedp.Navigate(url+"/docs"),
			chromedp.WaitVisible(add),
			chromedp.Click(add+" .opblock-summary-control"),
			chromedp.WaitVisible(add+" .execute"),
			sampleIsThere,
			chromedp.Click(add+" .execute"),
			chromedp.WaitVisible(add+" .live-responses-table"),
		)
		if err != nil {
			t.Fatalf("%d wide: %v", c.width, err)
		}
		heading := read(t, ctx, chromedp.Text("h2.title"))
		answer := read(t, ctx, chromedp.Text(add+" .live-responses-table"))
		wide := read(t, ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
		small := read(t, ctx, chromedp.Evaluate[float64](smallest))
		if !strings.Contains(heading, "Books") || !strings.Contains(answer, c.answer) || wide > c.width || small < legible {
			t.Errorf("%d wide: the heading is %q, the answer %q, the page %d wide, the smallest letters have %v", c.width, heading, answer, wide, small)
		}
		picture := read(t, ctx, chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), fmt.Sprintf("api-%d.png", c.width)), picture, 0o666); err != nil {
			t.Error(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, from := range loaded {
		if !strings.HasPrefix(from, url+"/") && !strings.HasPrefix(from, "data:") {
			t.Errorf("the page loads %s", from)
		}
	}
	if len(loaded) < 5 {
		t.Errorf("only %d requests were seen", len(loaded))
	}
}

// smallest is the size of the smallest letters of what can be clicked, or is an
// operation, its answer or a heading.
const smallest = `Math.min(...[...document.querySelectorAll("button, select, a, h2, h4, h5, .opblock-summary-path, .opblock-summary-description, textarea, .live-responses-table pre, td")]
	.filter(e => e.checkVisibility() && (e.textContent + e.value).trim()).map(e => parseFloat(getComputedStyle(e).fontSize)))`

const legible = 12 // of a pixel of CSS, of which a phone has some 390 in a row

// sampleIsThere waits until the page has put a sample into the body, which it does
// some time after it has shown the button. Without one the button does nothing.
func sampleIsThere(ctx context.Context, p *chromedp.Target) (v chromedp.Void, err error) {
	_, err = chromedp.Poll[bool](`[...document.querySelectorAll("textarea")].some(e => e.value.includes("Emma"))`)(ctx, p)
	return v, err
}

// read returns what the browser has.
func read[T any](t *testing.T, ctx context.Context, what chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, what)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
