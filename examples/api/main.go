// Api is FastAPI's tutorial: requests and answers are types, which check what comes
// in and describe themselves in an OpenAPI document with a page to try them. Here
// huma does that, its handlers run in tasks, and a PostgreSQL has the data.
//
//	tools/servers.sh with postgres -- go run -C examples/api .
//	POSTGRES_URL=postgres://user:password@host/database go run .
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
	addr := flag.String("addr", "127.0.0.1:8000", "where it is served")
	db := flag.String("db", os.Getenv("POSTGRES_URL"), "the database, where the table greenlet_books is made")
	flag.Parse()
	if *db == "" {
		log.Fatal("which database? set POSTGRES_URL, or run tools/servers.sh with postgres -- go run -C examples/api .")
	}
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return run(ctx, *addr, *db, func(addr net.Addr) { fmt.Fprintf(os.Stderr, "http://%s/docs\n", addr) })
	})
	if err != nil && !errors.Is(err, asyncio.ErrKeyboardInterrupt) {
		log.Fatal(err)
	}
}

// run serves until the task is cancelled. Requests under way have two seconds then.
func run(ctx context.Context, addr, db string, listening func(addr net.Addr)) error {
	store, err := openStore(ctx, db)
	if err != nil {
		return err
	}
	defer asyncio.CleanUp(ctx, 5*time.Second, store.close)
	ln, err := asyncio.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	listening(ln.Addr())
	srv := httpd.New(&http.Server{Handler: newHandler(store), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute})
	srv.GracePeriod = 2 * time.Second
	return srv.Serve(ctx, ln)
}
