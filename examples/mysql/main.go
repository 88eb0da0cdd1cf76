// Mysql is aiomysql's tutorial, a pool, queries and transactions, with
// go-sql-driver/mysql and database/sql as they are: many tasks move money between
// accounts, and none gets lost.
//
//	tools/servers.sh with mariadb -- go run -C examples/mysql .
//	MYSQL_DSN='user:password@tcp(127.0.0.1:3306)/database' go run .
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	dsn := flag.String("dsn", os.Getenv("MYSQL_DSN"), "the database, as go-sql-driver/mysql names it; a table is made there, and dropped")
	flag.Parse()
	if *dsn == "" {
		log.Fatal("which database? set MYSQL_DSN, or run tools/servers.sh with mariadb -- go run -C examples/mysql .")
	}
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error { return run(ctx, os.Stdout, *dsn) })
	if err != nil && !errors.Is(err, asyncio.ErrKeyboardInterrupt) {
		log.Fatal(err)
	}
}

const (
	accounts  = 10
	deposit   = 100 // in each of them, at the beginning
	transfers = 200
)

func run(ctx context.Context, w io.Writer, dsn string) (err error) {
	b, err := open(ctx, dsn)
	if err != nil {
		return err
	}
	// Also after a cancel: CleanUp's ctx still reaches the database.
	defer func() {
		err = errors.Join(err, asyncio.CleanUp(ctx, 5*time.Second, b.close))
	}()
	if err := b.create(ctx); err != nil {
		return err
	}

	moved, refused := 0, 0
	start := time.Now()
	err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		for i := range transfers {
			from, to, amount := i%accounts, (i*i+1)%accounts, 1+i%60
			tg.Go(func(ctx context.Context) error {
				err := b.transfer(ctx, from, to, amount)
				switch {
				case err == nil:
					moved++
				case errors.Is(err, errTooLittle):
					refused++ // it was rolled back
				default:
					return err
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d transfers, %d refused, in %v\n", moved+refused, refused, time.Since(start).Round(time.Millisecond))

	// A time limit around a query: the connection is not used again.
	err = asyncio.WithTimeout(ctx, 50*time.Millisecond, func(ctx context.Context, _ *asyncio.Timeout) error {
		return b.nap(ctx, time.Hour)
	})
	fmt.Fprintln(w, "a query of an hour:", err)

	sum, err := b.sum(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d accounts have %d in all\n", accounts, sum)
	return nil
}
