package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A bank is a table with accounts. Its methods are for tasks.
type bank struct {
	db    *sql.DB
	conns *asyncio.Pool[*sql.Conn]
}

var (
	networks     atomic.Int64 // the driver keeps dialers by name, for good
	errTooLittle = errors.New("there is too little in the account")
)

// open connects to a database by the loop that runs.
func open(ctx context.Context, dsn string) (*bank, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return nil, err
	}
	dialer := &asyncio.Dialer{Loop: loop}
	cfg.Logger = &mysql.NopLogger{} // what it would print it returns as well
	network := cfg.Net
	cfg.Net = fmt.Sprint(network, "-loop", networks.Add(1))
	mysql.RegisterDialContext(cfg.Net, func(ctx context.Context, addr string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, addr)
	})
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	// The limit is the pool's. Who waits for database/sql's would stop the loop.
	db := sql.OpenDB(connector)
	return &bank{db, asyncio.NewPool(asyncio.PoolConfig[*sql.Conn]{
		Limit: 8,
		New:   db.Conn,
		Check: func(ctx context.Context, c *sql.Conn) error { return c.PingContext(ctx) },
		Close: func(_ context.Context, c *sql.Conn) error { return c.Close() },
		Keep:  func(_ *sql.Conn, err error) bool { return err == nil || errors.Is(err, errTooLittle) },
	})}, nil
}

// close drops the table.
func (b *bank) close(ctx context.Context) error {
	_, err := b.db.ExecContext(ctx, "DROP TABLE IF EXISTS greenlet_accounts")
	return errors.Join(err, b.conns.Close(ctx), b.db.Close())
}

func (b *bank) create(ctx context.Context) error {
	return b.conns.With(ctx, func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "CREATE TABLE greenlet_accounts (id INT PRIMARY KEY, amount INT NOT NULL) ENGINE=InnoDB")
		for id := 0; err == nil && id < accounts; id++ {
			_, err = c.ExecContext(ctx, "INSERT INTO greenlet_accounts VALUES (?, ?)", id, deposit)
		}
		return err
	})
}

// deadlock is how the server says that a transaction was rolled back for another.
const deadlock = 1213

// transfer moves an amount, or nothing: then it says why.
func (b *bank) transfer(ctx context.Context, from, to, amount int) error {
	for {
		err := b.conns.With(ctx, func(c *sql.Conn) error { return transfer(ctx, c, from, to, amount) })
		var refused *mysql.MySQLError
		if !errors.As(err, &refused) || refused.Number != deadlock {
			return err
		}
		if err := asyncio.Sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

func transfer(ctx context.Context, c *sql.Conn, from, to, amount int) error {
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after a Commit
	var has int
	if err := tx.QueryRowContext(ctx, "SELECT amount FROM greenlet_accounts WHERE id = ? FOR UPDATE", from).Scan(&has); err != nil {
		return err
	}
	if has < amount {
		return errTooLittle
	}
	for id, change := range map[int]int{from: -amount, to: amount} {
		if from == to {
			break
		}
		if _, err := tx.ExecContext(ctx, "UPDATE greenlet_accounts SET amount = amount + ? WHERE id = ?", change, id); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (b *bank) sum(ctx context.Context) (sum int, err error) {
	err = b.conns.With(ctx, func(c *sql.Conn) error {
		return c.QueryRowContext(ctx, "SELECT SUM(amount) FROM greenlet_accounts").Scan(&sum)
	})
	return sum, err
}

// nap has the server wait.
func (b *bank) nap(ctx context.Context, d time.Duration) error {
	return b.conns.With(ctx, func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "DO SLEEP(?)", d.Seconds())
		return err
	})
}
