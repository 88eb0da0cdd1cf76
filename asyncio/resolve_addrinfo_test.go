package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestAddrInfo(t *testing.T) {
	if runtime.GOARCH == "wasm" {
		t.Skip("there are no names here")
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for _, c := range []struct{ network, host, service, want string }{
			{"tcp", "127.0.0.1", "80", "[127.0.0.1:80]"},
			{"tcp", "127.0.0.1", "http", "[127.0.0.1:80]"},
			{"udp", "127.0.0.1", "domain", "[127.0.0.1:53]"},
			{"tcp6", "::1", "", "[[::1]:0]"},
			{"tcp", "", "8080", "[[::1]:8080 127.0.0.1:8080]"},
			{"tcp4", "", "8080", "[127.0.0.1:8080]"},
			{"udp6", "", "8080", "[[::1]:8080]"},
		} {
			got, err := asyncio.GetAddrInfo(ctx, c.network, c.host, c.service)
			if fmt.Sprint(got) != c.want || err != nil {
				t.Errorf("%+v: %v, %v", c, got, err)
			}
		}
		for _, c := range [][3]string{
			{"tcp", "127.0.0.1", "no such service"}, {"tcp", "127.0.0.1", "70000"}, {"tcp4", "::1", "1"}, {"unix", "", ""},
		} {
			if got, err := asyncio.GetAddrInfo(ctx, c[0], c[1], c[2]); err == nil {
				t.Errorf("%q: %v", c, got)
			}
		}
		at := netip.MustParseAddrPort("127.0.0.1:80")
		host, service, err := asyncio.GetNameInfo(ctx, at, asyncio.NumericHost|asyncio.NumericService)
		if host != "127.0.0.1" || service != "80" || err != nil {
			t.Error(host, service, err)
		}
		// What a name is called differs; there is some answer.
		if host, service, err = asyncio.GetNameInfo(ctx, at, asyncio.DatagramService); host == "" || service == "" || err != nil {
			t.Error(host, service, err)
		}
		if _, service, err = asyncio.GetNameInfo(ctx, netip.MustParseAddrPort("127.0.0.1:1023"), asyncio.NumericHost); service == "" || err != nil {
			t.Error(service, err)
		}
		var bad *net.AddrError
		if _, _, err := asyncio.GetNameInfo(ctx, netip.AddrPort{}, 0); !errors.As(err, &bad) {
			t.Error(err)
		}
	})
	_, err := asyncio.GetAddrInfo(t.Context(), "tcp", "127.0.0.1", "80")
	if !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Error(err)
	}
}

// A look-up that takes for ever ends when the task is cancelled, or the context
// ends, and the loop goes on meanwhile.
func TestAddrInfoEnds(t *testing.T) {
	if runtime.GOARCH == "wasm" {
		t.Skip("there are no names here")
	}
	before := net.DefaultResolver
	defer func() { net.DefaultResolver = before }()
	asked := make(chan bool, 10)
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		asked <- true
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ask := func(ctx context.Context) error {
			_, err := asyncio.GetAddrInfo(ctx, "tcp4", "name.invalid.", "80")
			return err
		}
		look := asyncio.Go(ctx, ask)
		if err := asyncio.ToThreadFunc(ctx, func(context.Context) error { <-asked; return nil }); err != nil {
			t.Error(err)
		}
		look.Cancel()
		if _, err := look.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Error(err)
		}
		ending, end := context.WithCancel(ctx)
		l.CallLater(1, end)
		if err := ask(ending); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func ExampleGetAddrInfo() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		addrs, err := asyncio.GetAddrInfo(ctx, "tcp", "127.0.0.1", "443")
		if err != nil {
			return err
		}
		fmt.Println(addrs)
		host, service, err := asyncio.GetNameInfo(ctx, addrs[0], asyncio.NumericHost|asyncio.NumericService)
		fmt.Println(host, service)
		return err
	})
	// Output:
	// [127.0.0.1:443]
	// 127.0.0.1 443
}
