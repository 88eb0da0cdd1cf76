package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/go-greenlet/greenlet/asyncio"
)

// A History is what clients have asked and been answered, and when.
type History []porcupine.Operation

// Linearizable reports whether each request can have been done at one moment between
// its beginning and its end.
func (h History) Linearizable() bool {
	return porcupine.CheckOperations(register, h)
}

// register is a register by itself: a get returns what the last put has put.
var register = porcupine.Model{
	Partition: func(h []porcupine.Operation) [][]porcupine.Operation {
		at := make(map[string]int)
		var parts [][]porcupine.Operation
		for _, o := range h {
			key := o.Input.(request).key
			if _, known := at[key]; !known {
				at[key] = len(parts)
				parts = append(parts, nil)
			}
			parts[at[key]] = append(parts[at[key]], o)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, in, out any) (bool, any) {
		if q := in.(request); q.op == "put" {
			return true, q.value
		}
		return out == state, state
	},
}

// Load is a client's program: requests one after the other, put and get of two registers,
// for a time, whose outcome it notes. It asks until it is answered.
func Load(ctx context.Context, name string, addrs []string, bug Bug, r *rand.Rand, d time.Duration, h *History) error {
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	c := &client{addrs: addrs, at: r.IntN(len(addrs)), bug: bug}
	defer c.drop()
	end := loop.Time() + d
	for serial := 1; loop.Time() < end; serial++ {
		q := request{client: name, serial: serial, op: "get", key: []string{"x", "y"}[r.IntN(2)]}
		if r.IntN(2) == 0 {
			q.op, q.value = "put", fmt.Sprint(name, ".", serial)
		}
		begun := loop.Time()
		value, err := c.do(ctx, q)
		if err != nil {
			return err
		}
		*h = append(*h, porcupine.Operation{ClientId: int(name[len(name)-1] - '1'), Input: q, Output: value, Call: int64(begun), Return: int64(loop.Time())})
		if err := asyncio.Sleep(ctx, time.Duration(r.Int64N(int64(2*tick)))); err != nil {
			return err
		}
	}
	return nil
}

// A client asks one request at a time.
type client struct {
	addrs []string
	at    int // which of them it asks
	bug   Bug
	conn  net.Conn
	r     *bufio.Reader
}

// do asks until there is an answer, and returns the value.
func (c *client) do(ctx context.Context, q request) (string, error) {
	for {
		reply, err := c.ask(ctx, q.String())
		if errors.Is(err, asyncio.ErrCancelled) || ctx.Err() != nil {
			return "", err
		}
		word, rest, _ := strings.Cut(reply, " ")
		if err == nil && word == "ok" {
			return rest, nil
		}
		c.drop()
		var leader int
		if _, err := fmt.Sscan(rest, &leader); word == "ask" && err == nil && leader > 0 {
			c.at = leader - 1
		} else {
			c.at = (c.at + 1) % len(c.addrs)
		}
		if err := asyncio.Sleep(ctx, tick); err != nil {
			return "", err
		}
	}
}

func (c *client) ask(ctx context.Context, line string) (string, error) {
	if c.conn == nil {
		d := asyncio.Dialer{}
		d.Net.Timeout = patience
		if c.bug == WaitsForEver {
			d.Net.KeepAlive = -1 // which would find out within minutes
		}
		conn, err := d.DialContext(ctx, "tcp", c.addrs[c.at])
		if err != nil {
			return "", err
		}
		c.conn, c.r = conn, bufio.NewReader(conn)
	}
	if c.bug != WaitsForEver {
		c.conn.SetDeadline(asyncio.Now(ctx).Add(2 * patience))
	}
	if _, err := io.WriteString(c.conn, line+"\n"); err != nil {
		return "", err
	}
	reply, err := c.r.ReadString('\n')
	return strings.TrimSuffix(reply, "\n"), err
}

func (c *client) drop() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}
