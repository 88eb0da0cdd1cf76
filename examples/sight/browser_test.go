package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/servers"
)

// A browser looks at a program.
type browser struct {
	t   *testing.T
	ctx context.Context
	url string

	mu     sync.Mutex
	loaded []string // from where
	said   []string // what it complains of
}

// open has a browser show the page, which is served off the loop.
func open(t *testing.T, width int64) *browser {
	t.Helper()
	chromium := servers.Address(t, servers.Chromium)
	server := httptest.NewServer(newHandler())
	t.Cleanup(server.Close)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	patience := 30 * time.Second
	if *picture != "" {
		patience += 3 * time.Minute
	}
	ctx, cancel = context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	b := &browser{t: t, url: server.URL + "/debug/sight/"}
	b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(func(ev any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := ev.(type) {
		case *network.EventRequestWillBeSent:
			b.loaded = append(b.loaded, e.Request.URL)
		case *log.EventEntryAdded:
			b.said = append(b.said, e.Entry.Text)
		}
	}))
	t.Cleanup(cancel)
	err := chromedp.Do(b.ctx,
		chromedp.Func(func(ctx context.Context, p *chromedp.Target) error {
			_, failed := cdp.Call(ctx, p, network.Enable, network.EnableParams{})
			_, failed2 := cdp.Call(ctx, p, log.Enable, cdp.Empty{})
			return errors.Join(failed, failed2)
		}),
		chromedp.EmulateViewport(width, 844),
		chromedp.Navigate(server.URL), // which leads on
	)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// until waits for an expression to be true.
func (b *browser) until(expression string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(50*time.Millisecond)))
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", expression, err, evaluate[string](b, "document.body.innerText"))
	}
}

// shows waits for a text of the element that a selector finds.
func (b *browser) shows(selector, text string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.innerText.includes(%q))`, selector, text))
}

func evaluate[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// filter writes into the field.
func (b *browser) filter(text string) {
	b.t.Helper()
	evaluate[bool](b, fmt.Sprintf(`(f => { f.value = %q; f.dispatchEvent(new Event("input")); return true })(document.querySelector("#filter"))`, text))
}

// dark chooses the colours.
func (b *browser) dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	err := chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, p *chromedp.Target) error {
		_, err := cdp.Call(ctx, p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
	if err != nil {
		b.t.Fatal(err)
	}
}

// keep leaves a picture, if those are kept.
func (b *browser) keep(name string, width, height int64) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		b.t.Fatal(err)
	}
	if wide := evaluate[int64](b, "document.documentElement.scrollWidth"); wide > width {
		b.t.Errorf("%s: the page is %d wide, the window %d", name, wide, width)
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), picture, 0o666); err != nil {
		b.t.Error(err)
	}
}

var picture = flag.String("picture", "", "where TestPicture leaves the picture of docs/sight.md, which takes two minutes")

// The picture of the documentation: the plot is of a loop that was blocked now and then.
func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Skip("-picture FILE makes it")
	}
	b := open(t, 1280)
	during(t, func(ctx context.Context) error { return run(ctx, 300, 1500*time.Millisecond) }, func() {
		b.shows("#warnings", "W3")
		time.Sleep(110 * time.Second) // the plot is of the last two minutes
		b.until(`document.querySelector(".loop .block").getAttribute("d") !== "" && document.querySelector(".blocking").hidden`)
		b.keep("sight", 1280, 1000)
	})
	made, err := os.ReadFile(filepath.Join(t.ArtifactDir(), "sight.png"))
	if err == nil {
		err = os.WriteFile(*picture, made, 0o666)
	}
	if err != nil {
		t.Error(err)
	}
}

// close looks at what the browser has said, and from where it has loaded.
func (b *browser) close() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	home := strings.TrimSuffix(b.url, "debug/sight/")
	for _, from := range b.loaded {
		if !strings.HasPrefix(from, home) && from != "about:blank" {
			b.t.Errorf("the page loads %s", from)
		}
	}
	for _, line := range b.said {
		b.t.Errorf("the browser says %s", line)
	}
	if len(b.loaded) < 3 {
		b.t.Errorf("only %d requests were seen", len(b.loaded))
	}
}

// during runs f beside a loop that runs main, until f is over.
func during(t *testing.T, main func(ctx context.Context) error, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() {
		over <- asyncio.RunFunc(ctx, main, asyncio.WithSignals(false),
			asyncio.WithLoopName("shop"), asyncio.WithWatchdog(200*time.Millisecond))
	}()
	defer func() {
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("the program has ended with %v", err)
		}
	}()
	f()
}

// The page shows what the program does: who waits for whom, who goes round in a
// circle, whose error nobody has looked at.
func TestPage(t *testing.T) {
	b := open(t, 1280)
	during(t, func(ctx context.Context) error { return run(ctx, 300, 0) }, func() {
		b.shows("#loops h2", "shop")
		b.shows(".tree", "clerk 4")
		b.shows(".groups", "called by sight.basket at shop.go:")
		b.shows("#warnings", "W1")
		b.shows("#warnings", "W3")
		b.shows("#locks", "held by till, then books")
		b.shows("#lost", "mail: 550 mailbox <anna@example.org> is full")
		b.shows("#about", fmt.Sprint("process ", os.Getpid()))
		// In the tree the clerks are below the front, and so are the orders.
		b.until(`[...document.querySelectorAll(".tree > li")].some(li => li.querySelector(".name").innerText === "front" && li.querySelectorAll(":scope > ul .name").length === 5)`)
		// A row that is opened shows its stack.
		b.until(`(row => { row.open = true; return row.querySelectorAll(".stack li").length > 1 })(document.querySelector(".groups details"))`)
		b.filter("CLERK")
		b.until(`[...document.querySelectorAll(".tree .name")].map(e => e.innerText).join() === "front,clerk 1,clerk 2,clerk 3,clerk 4"`)
		b.until(`document.querySelectorAll(".tree mark").length === 4`)
		b.filter("")
		b.until(`document.querySelectorAll(".tree .name").length > 300`)
		for _, dark := range []bool{false, true} {
			b.dark(dark)
			suffix := map[bool]string{false: "", true: "-dark"}[dark]
			b.keep("sight-1280"+suffix, 1280, 1000)
			b.keep("sight-390"+suffix, 390, 844)
		}
	})
	b.close()
}

// What a task is called, and what an error says, is text, whatever it looks like.
func TestHostileNames(t *testing.T) {
	const name, failure = `<img src=x onerror="document.title='x'">`, `</li><script>document.title='y'</script>`
	b := open(t, 390)
	during(t, func(ctx context.Context) error {
		start(ctx, name, basket)
		start(ctx, strings.Repeat("long", 1000), basket)
		start(ctx, "", basket)
		start(ctx, "line\nfeed\x1b[31m\u202e", basket)
		lost := start(ctx, name, func(context.Context) error { return errors.New(failure) })
		err := basket(ctx)
		_ = lost.Done()
		return err
	}, func() {
		b.shows(".tree .name", name)
		b.shows("#lost b", name)
		b.shows("#lost", failure)
		b.shows(".tree .name", "longlonglong")
		if n := evaluate[int64](b, `document.querySelectorAll("img, main script").length`); n != 0 {
			t.Errorf("%d elements were made", n)
		}
		if title := evaluate[string](b, "document.title"); !strings.HasPrefix(title, "greenlet ") {
			t.Errorf("the title is %q", title)
		}
		b.filter(`<IMG`)
		b.until(`document.querySelectorAll(".tree .name").length === 1 && document.querySelector(".tree mark").innerText === "<img"`)
		if wide := evaluate[int64](b, "document.documentElement.scrollWidth"); wide > 390 {
			t.Errorf("the page is %d wide", wide)
		}
	})
	b.close()
}

// While the loop is blocked the page says by what, and shows the tasks as they were.
func TestBlocked(t *testing.T) {
	b := open(t, 1280)
	block, release := make(chan struct{}), make(chan struct{})
	during(t, func(ctx context.Context) error {
		start(ctx, "clerk", func(ctx context.Context) error {
			if _, err := asyncio.ToThread(ctx, func(context.Context) (int, error) { <-block; return 0, nil }); err != nil {
				return err
			}
			wrong(release)
			return basket(ctx)
		})
		for i := range 10 {
			start(ctx, fmt.Sprint("basket ", i), basket)
		}
		return basket(ctx)
	}, func() {
		b.shows(".tree", "basket 9")
		close(block)
		b.shows(".loop .chip", "blocked")
		b.shows(".blocking", "Blocked for")
		b.shows(".blocking", "by clerk at browser_test.go:")
		b.shows(".blocking", "The tasks below are as they were")
		b.shows(".tree", "basket 9")
		b.shows("#warnings", "W6")
		b.until(`document.title.startsWith("blocked: ")`)
		b.until(`(d => { d.open = true; return d.innerText.includes("sight.wrong") })(document.querySelector(".blocking"))`)
		b.keep("sight-blocked", 1280, 844)
		close(release)
		b.until(`!document.querySelector(".loop .chip.blocked") && document.querySelector(".blocking").hidden`)
		// The plot has it: from the top of it to the bottom, and a curve that goes up and down.
		b.until(`/V100H/.test(document.querySelector(".loop .block").getAttribute("d"))`)
		b.until(`(ys => Math.max(...ys) - Math.min(...ys) > 20)(document.querySelector(".loop .curve").getAttribute("d").slice(1).split("L").map(p => +p.split(" ")[1]))`)
	})
	b.close()
}

// wrong waits as a goroutine does, not as a task: nothing else runs on the loop.
//
//go:noinline
func wrong(release chan struct{}) {
	<-release //asyncvet:ignore GL102 the test is about it
}

// Of a hundred thousand tasks the page shows what they do, and finds one by its name.
func TestManyTasks(t *testing.T) {
	many := 100_000
	if testing.Short() {
		many = 20_000
	}
	b := open(t, 1280)
	during(t, func(ctx context.Context) error { return run(ctx, many, 0) }, func() {
		b.shows(".tasks header", fmt.Sprintf("%d,011 tasks", many/1000))
		b.shows(".groups", fmt.Sprintf("%d,000", many/1000))
		b.shows(".tree", "clerk 4")
		b.filter("basket 17777")
		b.until(`[...document.querySelectorAll(".tree .name")].map(e => e.innerText).join() === "basket 17777"`)
		b.filter("")
		b.shows(".tree", "clerk 4")
		if n := evaluate[int64](b, `document.querySelectorAll("*").length`); n > 3000 {
			t.Errorf("the page has %d elements", n)
		}
	})
	b.close()
}
