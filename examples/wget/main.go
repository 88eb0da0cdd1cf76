// Wget fetches the headers of several hosts at once: a slow one does not hold up
// the others. The hosts are servers of its own.
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
		hosts := newHosts()
		for _, h := range hosts {
			server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", h.serve)
			if err != nil {
				return err
			}
			defer server.Close()
			h.addr = server.Addr().String()
		}
		return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			for _, h := range hosts {
				tg.Go(func(ctx context.Context) error {
					defer h.fetched.Set()
					return wget(ctx, w, h.name, h.addr)
				})
			}
			return nil
		})
	})
}

// wget shows the headers of a host.
func wget(ctx context.Context, out io.Writer, host, addr string) error {
	fmt.Fprintf(out, "wget %s...\n", host)
	r, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer w.Close()
	w.WriteString("GET / HTTP/1.0\r\nHost: " + host + "\r\n\r\n")
	if err := w.Drain(ctx); err != nil {
		return err
	}
	for {
		line, err := r.ReadLine(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", host, err)
		}
		header := strings.TrimSpace(string(line))
		if header == "" {
			break // the body is not wanted
		}
		fmt.Fprintf(out, "%s header > %s\n", host, header)
	}
	w.Close()
	if err := w.WaitClosed(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "done %s\n", host)
	return nil
}
