package main

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A client is one who listens.
type client struct {
	name  string
	r     *asyncio.StreamReader
	w     *asyncio.StreamWriter
	heard []string // without songs
}

// join returns when everybody knows who has come.
func join(ctx context.Context, addr, name string) (*client, error) {
	r, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &client{name: name, r: r, w: w}
	c.say(name)
	if err := c.until(ctx, "* "+name+" is here"); err != nil {
		w.Close()
		return nil, err
	}
	return c, nil
}

func (c *client) say(text string) { c.w.WriteString(text + "\n") }

// hear returns the next line.
func (c *client) hear(ctx context.Context) (string, error) {
	line, err := c.r.ReadLine(ctx)
	if err != nil {
		return "", err
	}
	if len(line) < 80 {
		c.heard = append(c.heard, text(line))
	}
	return text(line), nil
}

// until returns when a line was heard.
func (c *client) until(ctx context.Context, want string) error {
	for {
		line, err := c.hear(ctx)
		if err != nil || line == want {
			return err
		}
	}
}
