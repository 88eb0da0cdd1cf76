package main

import (
	"context"
	"io"
	"net"
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/go-greenlet/greenlet/asyncio"
)

// fast is fasthttp's client on connections of the loop: where one of its calls has
// to wait, only the task waits that has made it.
type fast struct{ client *fasthttp.Client }

func newFast(ctx context.Context, o options) (client, error) {
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return nil, err
	}
	dialer := &asyncio.Dialer{Loop: loop}
	return &fast{&fasthttp.Client{
		Dial:            func(addr string) (net.Conn, error) { return dialer.Dial("tcp", addr) },
		MaxConnsPerHost: 2 * o.atOnce, // more than are used: who waits for one there stops the loop
	}}, nil
}

// fetch has no use for ctx: a cancel ends the wait in Do.
func (f *fast) fetch(_ context.Context, url string) (int, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(url)
	if err := f.client.Do(req, resp); err != nil {
		return 0, err
	}
	if resp.StatusCode() != http.StatusOK {
		return 0, &statusError{resp.StatusCode()}
	}
	return len(resp.Body()), nil
}

func (f *fast) close() { f.client.CloseIdleConnections() }

// threads is net/http's client, each call on a goroutine of a pool.
type threads struct {
	client *http.Client
	pool   *asyncio.ThreadPool
	loop   *asyncio.Loop
}

func newThreads(ctx context.Context, o options) (client, error) {
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = o.atOnce
	return &threads{&http.Client{Transport: transport}, asyncio.NewThreadPool(o.atOnce), loop}, nil
}

func (t *threads) fetch(ctx context.Context, url string) (int, error) {
	return asyncio.RunInExecutor(t.loop, t.pool, func() (int, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return 0, err
		}
		resp, err := t.client.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusOK {
			return 0, &statusError{resp.StatusCode}
		}
		return int(n), err
	}).Await(ctx)
}

func (t *threads) close() {
	t.client.CloseIdleConnections()
	t.pool.Close()
}
