//go:build !wasip1

package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
	"github.com/go-greenlet/greenlet/internal/servers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The picture of a run, in a browser: it is zoomed, and a message is followed. A host whose
// name looks like HTML is text, and nothing is loaded. With -artifacts the
// screenshot is kept.
func TestBrowser(t *testing.T) {
	chromium := servers.Address(t, servers.Chromium)
	const hostile = `"><img src=x onerror="document.title=1"><script>document.title=2</script>`
	file := filepath.Join(t.TempDir(), "run.html")
	cryptotest.SetGlobalRandom(t, 1)
	require.NoError(t, asynciotest.Simulate(1, func(ctx context.Context) error {
		if err := simulate(ctx, NoBug); err != nil {
			return err
		}
		net := simnet.Of(ctx)
		net.Host("n2").Crash()
		_, err := net.Host(hostile).Go(ctx, func(ctx context.Context) error {
			simnet.Note(ctx, hostile)
			c, err := asyncio.Dial(ctx, "tcp", "n1:7000")
			if err != nil {
				return err
			}
			return c.Close()
		}).Await(ctx)
		if err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		defer f.Close()
		return net.WriteHTML(f, simnet.Picture{})
	}, asynciotest.WithNetwork(simulated)))

	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var mu sync.Mutex
	var loaded []string
	page, cancel := chromedp.NewContext(ctx, chromedp.WithListener(func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			loaded = append(loaded, e.Request.URL)
		}
	}))
	defer cancel()
	require.NoError(t, chromedp.Do(page,
		chromedp.Func(func(ctx context.Context, p *chromedp.Target) error {
			_, err := cdp.Call(ctx, p, network.Enable, network.EnableParams{})
			return err
		}),
		chromedp.EmulateViewport(1280, 900),
		chromedp.Navigate("file://"+file)))
	is := func(want, expression string) {
		t.Helper()
		assert.Equal(t, want, read(t, page, chromedp.Evaluate[string]("String("+expression+")")), expression)
	}
	is("A run of a simulated network", `document.title`)
	is("0", `document.querySelectorAll("img, svg script, svg b").length`)
	is("true", `[...document.querySelectorAll("#head title")].some(x => x.textContent.startsWith('"><img src=x'))`)
	is("true", `packets.length > 50`)
	is("true", `document.querySelectorAll("rect.down").length > 0`)

	is("true", `(scrollTo(0, 800), document.querySelector("#head").getBoundingClientRect().top > 0)`) // the names stay
	is("125 %", `($("in").click(), $("whole").textContent)`)
	is("true", `Math.abs(picture.getBoundingClientRect().width - 1.25 * picture.dataset.width) < 1`)
	is("100 %", `(dispatchEvent(new KeyboardEvent("keydown", {key: "0"})), $("whole").textContent)`)

	// A message in the middle of a connection with others.
	is("true", `(window.of = packets.map(p => sameAs(p)).find(s => s.length > 3), of[1].querySelector(".wide").dispatchEvent(new MouseEvent("click", {bubbles: true})), $("said").textContent === of[1].querySelector("title").textContent)`)
	is("true", `document.querySelectorAll(".same").length === of.length`)
	is("true", `($("next").click(), of[2].classList.contains("chosen"))`)
	is("true", `($("before").click(), $("before").click(), of[0].classList.contains("chosen") && $("before").disabled)`)
	is("true", `(r => r.top > 0 && r.bottom < innerHeight)(of[0].getBoundingClientRect())`)
	picture := read(t, page, chromedp.CaptureScreenshot())
	require.NoError(t, os.WriteFile(filepath.Join(t.ArtifactDir(), "register-run.png"), picture, 0o666))
	is("0", `(dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"})), document.querySelectorAll(".same, .chosen, .following").length)`)
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, []string{"file://" + file}, loaded, "it loads nothing")
}

// read returns what the browser has.
func read[T any](t *testing.T, ctx context.Context, what chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, what)
	require.NoError(t, err)
	return v
}
