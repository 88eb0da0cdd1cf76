//go:build linux

package main

import (
	"context"
	"fmt"
	"net"

	"github.com/valyala/fasthttp"

	"github.com/go-greenlet/greenlet/asyncio"
)

// limit is how many pages are fetched at a time.
const limit = 200

// crawlInTasks fetches n pages that take 50 ms each, as examples/crawler does: with
// 1,000 that cannot take less than 250 ms.
func crawlInTasks(n int, addr string) (run, error) {
	return asyncio.Run(background, func(ctx context.Context) (r run, err error) {
		client := newClient(addr, func(addr string) (net.Conn, error) { return asyncio.Dial(ctx, "tcp", addr) })
		slots := asyncio.NewSemaphore(limit)
		return timed(n, func() error {
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				for i := range n {
					tg.Go(func(ctx context.Context) error {
						return slots.Do(ctx, func() error { return fetch(client, i) })
					})
				}
				return nil
			})
		})
	})
}

// crawlOnGoroutines is the same, a goroutine for each page.
func crawlOnGoroutines(n int, addr string) (run, error) {
	client := newClient(addr, func(addr string) (net.Conn, error) { return net.Dial("tcp", addr) })
	slots := make(chan struct{}, limit)
	return timed(n, func() error {
		failed := make(chan error, n)
		for i := range n {
			go func() {
				slots <- struct{}{}
				err := fetch(client, i)
				<-slots
				failed <- err
			}()
		}
		for range n {
			if err := <-failed; err != nil {
				return err
			}
		}
		return nil
	})
}

func newClient(addr string, dial fasthttp.DialFunc) *fasthttp.HostClient {
	return &fasthttp.HostClient{Addr: addr, MaxConns: limit, Dial: dial}
}

func fetch(client *fasthttp.HostClient, i int) error {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(fmt.Sprintf("http://%s/%d", client.Addr, i))
	if err := client.Do(req, resp); err != nil {
		return err
	}
	if string(resp.Body()) != "a page" {
		return fmt.Errorf("the page is %q", resp.Body())
	}
	return nil
}
