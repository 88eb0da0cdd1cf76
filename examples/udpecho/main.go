// Udpecho sends datagrams back to whom they come from, and is a client of itself:
// it numbers what it sends, and sends again what has got lost.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		server, _, err := asyncio.CreateDatagramEndpoint(ctx, newEcho, "udp", asyncio.WithLocalAddr("127.0.0.1:0"))
		if err != nil {
			return err
		}
		defer server.Close()
		addr := server.ExtraInfo("sockname").(net.Addr).String()
		c, err := dial(ctx, addr)
		if err != nil {
			return err
		}
		defer c.transport.Close()
		for _, text := range []string{"one", "two", "three"} {
			back, err := c.ask(ctx, text)
			if err != nil {
				return err
			}
			fmt.Fprintln(w, text, "comes back as", back)
		}
		return nil
	})
}

// An echo is the server. Of each datagram it drops the first copy, as a bad
// network would.
type echo struct {
	transport asyncio.DatagramTransport
	seen      map[string]bool
}

func newEcho() *echo { return &echo{seen: make(map[string]bool)} }

func (e *echo) ConnectionMade(t asyncio.DatagramTransport) { e.transport = t }
func (e *echo) ConnectionLost(error)                       {}
func (e *echo) ErrorReceived(error)                        {} // the client has gone

func (e *echo) DatagramReceived(data []byte, from net.Addr) {
	if e.seen[string(data)] {
		e.transport.SendTo(data, from)
	}
	e.seen[string(data)] = true
}

// A client waits for one answer at a time.
type client struct {
	transport asyncio.DatagramTransport
	answers   *asyncio.Queue[string]
	number    int
}

func dial(ctx context.Context, addr string) (*client, error) {
	c := &client{answers: asyncio.NewQueue[string](0)}
	t, _, err := asyncio.CreateDatagramEndpoint(ctx, func() *client { return c }, "udp", asyncio.WithRemoteAddr(addr))
	c.transport = t
	return c, err
}

func (c *client) ConnectionMade(asyncio.DatagramTransport) {}
func (c *client) ConnectionLost(error)                     {}
func (c *client) ErrorReceived(err error)                  { log.Print(err) }

func (c *client) DatagramReceived(data []byte, _ net.Addr) { c.answers.PutNowait(string(data)) }

// ask sends text until it comes back.
func (c *client) ask(ctx context.Context, text string) (string, error) {
	c.number++
	sent := fmt.Sprintf("%s (number %d)", text, c.number)
	for {
		if err := c.transport.SendTo([]byte(sent), nil); err != nil {
			return "", err
		}
		back, err := asyncio.WaitFor(ctx, 20*time.Millisecond, asyncio.Coro[string](c.answers.Get))
		switch {
		case err == nil && back == sent:
			return back, nil
		case err != nil && !errors.Is(err, asyncio.ErrTimeout):
			return "", err
		} // it got lost, or is that of an earlier question which was slow
	}
}
