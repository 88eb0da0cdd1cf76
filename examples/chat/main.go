// Chat is a server that passes on what one says to all, and three who use it. One
// of them does not listen: she does not hold up the others, and is put out when
// too much waits for her.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", new(room).serve)
		if err != nil {
			return err
		}
		defer server.Close()
		addr := server.Addr().String()
		ann, err := join(ctx, addr, "ann")
		if err != nil {
			return err
		}
		bob, err := join(ctx, addr, "bob")
		if err != nil {
			return err
		}
		eve, err := asyncio.Dial(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		defer eve.Close()
		fmt.Fprintln(eve, "eve") // and never a Read

		err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(ctx context.Context) error { return annTalks(ctx, ann) })
			tg.Go(func(ctx context.Context) error { return bobTalks(ctx, bob) })
			return nil
		})
		if err != nil {
			return err
		}
		if err := server.Shutdown(ctx); err != nil {
			return err
		}
		for _, c := range []*client{ann, bob} {
			fmt.Fprintf(w, "%s has heard\n   %s\n", c.name, strings.Join(c.heard, "\n   "))
		}
		if _, err := io.Copy(io.Discard, eve); err != nil {
			return err
		}
		fmt.Fprintln(w, "eve finds her connection closed")
		return nil
	})
}

func annTalks(ctx context.Context, c *client) error {
	defer c.w.Close()
	if err := c.until(ctx, "* eve is here"); err != nil {
		return err
	}
	c.say("hello, bob")
	if err := c.until(ctx, "bob: hello, ann"); err != nil {
		return err
	}
	song := strings.Repeat("la ", 10_000)
	for line := ""; line != "* eve is too slow"; {
		c.say(song)
		var err error
		if line, err = c.hear(ctx); err != nil {
			return err
		}
	}
	return c.until(ctx, "* bob has left")
}

func bobTalks(ctx context.Context, c *client) error {
	defer c.w.Close()
	if err := c.until(ctx, "ann: hello, bob"); err != nil {
		return err
	}
	c.say("hello, ann")
	return c.until(ctx, "* eve is too slow")
}
