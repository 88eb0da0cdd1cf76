package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// start runs the program until the test is over, and returns the addresses.
func start(t *testing.T) map[string]string {
	ctx, cancel := context.WithCancel(context.Background())
	addrs, over := make(chan [2]string, 2), make(chan error, 1)
	go func() {
		over <- asyncio.RunFunc(ctx, func(ctx context.Context) error {
			return run(ctx, "127.0.0.1:0", "127.0.0.1:0", func(name string, addr net.Addr) { addrs <- [2]string{name, addr.String()} })
		}, asyncio.WithSignals(false))
	}()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("it has ended with %v", err)
		}
	})
	found := make(map[string]string)
	for range 2 {
		pair := <-addrs
		found[pair[0]] = "http://" + pair[1]
	}
	return found
}

func get(url string) (status int, text string, err error) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestRoutes(t *testing.T) {
	for name, url := range start(t) {
		for _, c := range []struct {
			path   string
			status int
			text   string
		}{
			{"/", 200, "Hello, Anonymous (visit 1)\n"},
			{"/Ada", 200, "Hello, Ada (visit 1)\n"},
			{"/Ada", 200, "Hello, Ada (visit 2)\n"},
			{"/a/b", 404, ""},
		} {
			status, text, err := get(url + c.path)
			if status != c.status || c.text != "" && text != c.text || err != nil {
				t.Errorf("%s: %s gives %d %q, %v, want %d %q", name, c.path, status, text, err, c.status, c.text)
			}
		}
	}
}

// Many visitors at once: each is counted, without a lock.
func TestManyAtOnce(t *testing.T) {
	const visitors, visits = 20, 10
	for name, url := range start(t) {
		var group sync.WaitGroup
		for range visitors {
			group.Go(func() {
				for range visits {
					if status, text, err := get(url + "/all"); status != 200 || err != nil {
						t.Errorf("%s: %d %q, %v", name, status, text, err)
					}
				}
			})
		}
		group.Wait()
		want := fmt.Sprintf("Hello, all (visit %d)\n", visitors*visits+1)
		if _, text, err := get(url + "/all"); text != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", name, text, err, want)
		}
	}
}
