package asyncio_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A server that answers each connection in a task of its own, and its client.
func ExampleListen() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				c, err := ln.Accept()
				if err != nil {
					return err
				}
				asyncio.Go(ctx, func(context.Context) error {
					defer c.Close()
					_, err := io.Copy(c, c)
					return err
				})
			}
		})
		c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		fmt.Fprintln(c, "hello")
		line, err := bufio.NewReader(c).ReadString('\n')
		fmt.Printf("%q %v\n", line, err)

		ln.Close()
		_, err = server.Await(ctx)
		fmt.Println(errors.Is(err, net.ErrClosed))
		return nil
	})
	// Output:
	// "hello\n" <nil>
	// true
}

// A deadline, and a cancel, end the wait of a Read. Nothing is lost by it.
func ExampleDial() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close()
		c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		peer, err := ln.Accept()
		if err != nil {
			return err
		}
		defer peer.Close()

		p := make([]byte, 16)
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err = c.Read(p)
		fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))

		c.SetReadDeadline(time.Time{})
		err = asyncio.WithTimeout(ctx, time.Millisecond, func(context.Context, *asyncio.Timeout) error {
			_, err := c.Read(p)
			return err
		})
		fmt.Println(err)

		io.WriteString(peer, "at last")
		n, err := c.Read(p)
		fmt.Println(string(p[:n]), err)
		return nil
	})
	// Output:
	// true
	// asyncio: timeout
	// at last <nil>
}

// DialContext is a hook for libraries. net/http's client works on goroutines of its
// own, so it is called by ToThread; its connections belong to the loop all the same.
func ExampleDialer_DialContext() {
	if runtime.GOOS == "wasip1" || runtime.GOOS == "js" {
		fmt.Println("hello from the server") // there is no network to serve on
		return
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello from the server")
	}))
	defer server.Close()
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		dialer := &asyncio.Dialer{Loop: loop}
		transport := &http.Transport{DialContext: dialer.DialContext}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		body, err := asyncio.ToThread(ctx, func(context.Context) ([]byte, error) {
			r, err := client.Get(server.URL)
			if err != nil {
				return nil, err
			}
			defer r.Body.Close()
			return io.ReadAll(r.Body)
		})
		fmt.Print(string(body))
		return err
	})
	// Output:
	// hello from the server
}

func ExampleListenPacket() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		server, err := asyncio.ListenPacket(ctx, "udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer server.Close()
		asyncio.Go(ctx, func(context.Context) error {
			p := make([]byte, 1500)
			n, from, err := server.ReadFrom(p)
			if err == nil {
				_, err = server.WriteTo(append([]byte("re: "), p[:n]...), from)
			}
			return err
		})
		c, err := asyncio.Dial(ctx, "udp", server.LocalAddr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		io.WriteString(c, "hello")
		p := make([]byte, 1500)
		n, err := c.Read(p)
		fmt.Println(string(p[:n]), err)
		return nil
	})
	// Output:
	// re: hello <nil>
}

// Several listeners at one address, each for a loop of its own, where the system
// can do that.
func ExampleListenConfig() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		config := asyncio.ListenConfig{ReusePort: true, Backlog: 128}
		ln, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if errors.Is(err, errors.ErrUnsupported) {
			config.ReusePort = false
			ln, err = config.Listen(ctx, "tcp", "127.0.0.1:0")
		}
		if err != nil {
			return err
		}
		defer ln.Close()
		fmt.Println("listening")
		return nil
	})
	// Output:
	// listening
}
