//go:build linux

package main

import (
	"context"
	"database/sql"
	"net"
	"sync"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"

	"github.com/go-greenlet/greenlet/asyncio"
)

// inFlight is how many selects are under way, each on a connection of its own.
const inFlight = 200

func one(ctx context.Context, c *sql.Conn, i int) error {
	var got int
	return c.QueryRowContext(ctx, "SELECT ?", i).Scan(&got)
}

// connect opens the connections, which is not timed, and asks each once.
func connect(ctx context.Context, db *sql.DB) (conns []*sql.Conn, err error) {
	for i := range inFlight {
		c, err := db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		if err := one(ctx, c, i); err != nil {
			return nil, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func selectsInTasks(n int, dsn string) (run, error) {
	return asyncio.Run(background, func(ctx context.Context) (r run, err error) {
		cfg, err := mysql.ParseDSN(dsn)
		if err != nil {
			return r, err
		}
		cfg.InterpolateParams = true
		cfg.Net = "loop"
		mysql.RegisterDialContext("loop", func(ctx context.Context, addr string) (net.Conn, error) { return asyncio.Dial(ctx, "tcp", addr) })
		c, err := mysql.NewConnector(cfg)
		if err != nil {
			return r, err
		}
		conns, err := connect(ctx, sql.OpenDB(c))
		if err != nil {
			return r, err
		}
		return timed(n, func() error {
			left := n
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				for _, c := range conns {
					tg.Go(func(ctx context.Context) error {
						for left > 0 {
							left--
							if err := one(ctx, c, left); err != nil {
								return err
							}
						}
						return nil
					})
				}
				return nil
			})
		})
	})
}

// selectsOnGoroutines has a context that never ends: nobody can give up a select.
func selectsOnGoroutines(n int, dsn string) (run, error) { return onGoroutines(background, n, dsn) }

// selectsToBeCancelled has one that may end, as a request's does, and as a task may be
// cancelled. The driver and database/sql have goroutines that wait for that.
func selectsToBeCancelled(n int, dsn string) (run, error) {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	return onGoroutines(ctx, n, dsn)
}

func onGoroutines(ctx context.Context, n int, dsn string) (r run, err error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return r, err
	}
	cfg.InterpolateParams = true
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return r, err
	}
	conns, err := connect(ctx, sql.OpenDB(c))
	if err != nil {
		return r, err
	}
	return timed(n, func() error {
		var left atomic.Int64
		left.Store(int64(n))
		var group sync.WaitGroup
		failed := make(chan error, len(conns))
		for _, c := range conns {
			group.Go(func() {
				for {
					i := left.Add(-1)
					if i < 0 {
						return
					}
					if err := one(ctx, c, int(i)); err != nil {
						failed <- err
						return
					}
				}
			})
		}
		group.Wait()
		close(failed)
		return <-failed
	})
}
