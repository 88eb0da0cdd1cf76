// Chat-web is a chat in the browser, by WebSocket: net/http's handlers serve the
// page and upgrade a connection, gobwas/ws has the frames, and a member is three
// tasks of one loop, so the room needs no lock.
//
//	go run .
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where it is served")
	flag.Parse()
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return run(ctx, *addr, usual, func(addr net.Addr) { fmt.Fprintf(os.Stderr, "http://%s/\n", addr) })
	})
	if err != nil && !errors.Is(err, asyncio.ErrKeyboardInterrupt) {
		log.Fatal(err)
	}
}

// run serves until the task is cancelled. Then members are told so.
func run(ctx context.Context, addr string, l limits, listening func(addr net.Addr)) error {
	ln, err := asyncio.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	listening(ln.Addr())
	r := &room{limits: l}
	pings := asyncio.Go(ctx, r.ping)
	defer pings.Cancel()
	srv := httpd.New(&http.Server{Handler: newHandler(r), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute})
	srv.GracePeriod = 2 * time.Second
	return srv.Serve(ctx, ln)
}
