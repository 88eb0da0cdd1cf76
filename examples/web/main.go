// Web is the tutorials' web server, / and /{name}, on a loop: a handler of
// net/http and one of fasthttp, in the tasks of their connections.
//
//	go run . -http 127.0.0.1:8080 -fasthttp 127.0.0.1:8081
//	curl 127.0.0.1:8080/Ada
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	netHTTP := flag.String("http", "127.0.0.1:8080", "where net/http's handler is served")
	fast := flag.String("fasthttp", "127.0.0.1:8081", "where fasthttp's handler is served")
	flag.Parse()
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return run(ctx, *netHTTP, *fast, func(name string, addr net.Addr) {
			fmt.Fprintf(os.Stderr, "%s: http://%s/\n", name, addr)
		})
	})
	if err != nil && !errors.Is(err, asyncio.ErrKeyboardInterrupt) {
		log.Fatal(err)
	}
}

// run serves until the task is cancelled: both servers, in one group.
func run(ctx context.Context, netHTTP, fast string, listening func(name string, addr net.Addr)) error {
	servers := []struct {
		name, addr string
		serve      func(ctx context.Context, ln net.Listener) error
	}{
		{"net/http", netHTTP, serveHTTP},
		{"fasthttp", fast, serveFast},
	}
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		for _, s := range servers {
			ln, err := asyncio.Listen(ctx, "tcp", s.addr)
			if err != nil {
				return err
			}
			listening(s.name, ln.Addr())
			tg.Go(func(ctx context.Context) error { return s.serve(ctx, ln) })
		}
		return nil
	})
}
