// Sight serves the page of package sight for a program that has much to show: tasks
// that wait for each other, two that do so for ever, a lock that nobody will release, an error
// that nobody looks at, and now and then a call that blocks the loop.
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
	"github.com/go-greenlet/greenlet/asyncio/sight"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to serve the page; others can read it if it is not the loopback")
	leaves := flag.Int("tasks", 1000, "how many tasks only sleep")
	block := flag.Duration("block", 1500*time.Millisecond, "how long the loop is blocked each time; 0: never")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	// Not on the loop: it answers while that is blocked.
	go func() { log.Fatal(http.Serve(l, newHandler())) }()
	fmt.Printf("look at http://%s/debug/sight/\n", l.Addr())
	err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return run(ctx, *leaves, *block)
	}, asyncio.WithLoopName("shop"), asyncio.WithWatchdog(200*time.Millisecond))
	if err != nil && !errors.Is(err, asyncio.ErrKeyboardInterrupt) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func newHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/debug/sight/", sight.Handler())
	mux.Handle("/{$}", http.RedirectHandler("/debug/sight/", http.StatusFound))
	return mux
}
