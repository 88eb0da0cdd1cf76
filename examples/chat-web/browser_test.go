package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/go-greenlet/greenlet/internal/servers"
)

// Two pages chat with each other, one as wide as a phone and one as a desk. What
// looks like HTML is text, and nothing is loaded from elsewhere. With -artifacts the
// screenshots are kept.
func TestBrowser(t *testing.T) {
	chromium := servers.Address(t, servers.Chromium)
	addr, _ := start(t, patient())
	url := "http://" + addr + "/"
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()

	var mu sync.Mutex
	var loaded []string
	listen := chromedp.WithListener(func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			loaded = append(loaded, e.Request.URL)
		}
	})
	phone, cancel := chromedp.NewContext(ctx, listen)
	defer cancel()
	open := func(ctx context.Context, width int64) {
		t.Helper()
		err := chromedp.Do(ctx,
			chromedp.Func(func(ctx context.Context, p *chromedp.Target) error {
				_, err := cdp.Call(ctx, p, network.Enable, network.EnableParams{})
				return err
			}),
			chromedp.EmulateViewport(width, 844),
			chromedp.Navigate(url),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	open(phone, 390)
	desk, cancel := chromedp.NewContext(phone, listen, chromedp.WithNewBrowserContext())
	defer cancel()
	open(desk, 1280)

	fill := func(ctx context.Context, field, text string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.WaitVisible(field), chromedp.SendKeys(field, text+"\r")); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	// until waits for an expression to be true.
	until := func(ctx context.Context, expression string) {
		t.Helper()
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond)))
		if err != nil {
			t.Fatalf("%s: %v\n%s", expression, err, read(t, ctx, chromedp.Evaluate[string]("document.body.innerText")))
		}
	}
	said := func(n int, name, text string) string {
		return fmt.Sprintf(`(li => li && li.querySelector("b").textContent === %q && li.querySelector("p").textContent === %q)
			(document.querySelectorAll("#log .said")[%d])`, name, text, n)
	}

	const hostile, ann = `<img src=x onerror="document.title=1">`, "Ann"
	fill(phone, "#name", hostile)
	until(phone, `!document.querySelector("#room").hidden`)
	fill(desk, "#name", hostile) // it is taken
	until(desk, `document.querySelector("#refusal").textContent === "somebody of this name is here already"`)
	read(t, desk, chromedp.Evaluate[string](`document.querySelector("#name").value = ""`))
	fill(desk, "#name", ann)
	until(desk, `!document.querySelector("#room").hidden`)
	fill(desk, "#text", "Hello! Who is there?")
	until(phone, said(0, ann, "Hello! Who is there?"))
	fill(phone, "#text", "It is me: <script>document.title=2</script><b>bold</b>")
	until(desk, said(1, hostile, "It is me: <script>document.title=2</script><b>bold</b>"))
	fill(desk, "#text", strings.Repeat("What a long word! ", 8)+strings.Repeat("o", 200))
	for _, c := range []struct {
		name  string
		page  context.Context
		width int64
	}{{"phone", phone, 390}, {"desk", desk, 1280}} {
		until(c.page, said(0, ann, "Hello! Who is there?"))
		until(c.page, said(1, hostile, "It is me: <script>document.title=2</script><b>bold</b>"))
		until(c.page, `document.querySelectorAll("#log .said").length === 3`)
		here := read(t, c.page, chromedp.Evaluate[string](`[...document.querySelectorAll("#here li")].map(li => li.textContent).join("|")`))
		title := read(t, c.page, chromedp.Evaluate[string]("document.title"))
		made := read(t, c.page, chromedp.Evaluate[int64](`document.querySelectorAll("img, #log script, #log b b, #log p *").length`))
		wide := read(t, c.page, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
		letters := read(t, c.page, chromedp.Evaluate[float64](`parseFloat(getComputedStyle(document.querySelector("#log .said p")).fontSize)`))
		if here != hostile+"|"+ann || title != "Chat" || made != 0 || wide > c.width || letters < 16 {
			t.Errorf("%s: here are %q, the title is %q, %d elements were made, it is %d wide, with letters of %v", c.name, here, title, made, wide, letters)
		}
		picture := read(t, c.page, chromedp.CaptureScreenshot())
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), fmt.Sprintf("chat-web-%d.png", c.width)), picture, 0o666); err != nil {
			t.Error(err)
		}
	}

	// The desk's page goes, and the phone's is told.
	if err := chromedp.Do(desk, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	until(phone, `document.querySelector("#log").lastElementChild.textContent === "Ann has left."`)
	until(phone, `document.querySelectorAll("#here li").length === 1`)
	// It comes back as it was, by the browser's button, and so does Ann.
	read(t, desk, chromedp.Evaluate[chromedp.Void](`setTimeout(() => history.back())`))
	until(phone, `document.querySelector("#log").lastElementChild.textContent === "Ann is here."`)

	mu.Lock()
	defer mu.Unlock()
	for _, from := range loaded {
		if !strings.HasPrefix(from, url) && from != "about:blank" {
			t.Errorf("the page loads %s", from)
		}
	}
	if len(loaded) < 6 {
		t.Errorf("only %d requests were seen", len(loaded))
	}
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
