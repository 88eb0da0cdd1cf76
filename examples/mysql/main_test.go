package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/servers"
)

// onLoop runs f in a task.
func onLoop(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	if err := asyncio.RunFunc(context.Background(), f, asyncio.WithSignals(false)); err != nil {
		t.Error(err)
	}
}

// onBank runs f with a bank that has been created.
func onBank(t *testing.T, f func(ctx context.Context, b *bank) error) {
	t.Helper()
	dsn := servers.Address(t, servers.MariaDB)
	onLoop(t, func(ctx context.Context) error {
		b, err := open(ctx, dsn)
		if err != nil {
			return err
		}
		defer func() {
			if err := b.close(ctx); err != nil {
				t.Error("close:", err)
			}
		}()
		if err := b.create(ctx); err != nil {
			return err
		}
		return f(ctx, b)
	})
}

// whole checks that no money was lost and no connection is in use.
func whole(t *testing.T, ctx context.Context, b *bank) {
	t.Helper()
	if sum, err := b.sum(ctx); sum != accounts*deposit || err != nil {
		t.Errorf("the accounts have %d, %v", sum, err)
	}
	if s := b.conns.Stats(); s.Members != s.Idle || s.Waiting != 0 {
		t.Errorf("the pool: %+v", s)
	}
}

func TestRun(t *testing.T) {
	dsn := servers.Address(t, servers.MariaDB)
	var out strings.Builder
	onLoop(t, func(ctx context.Context) error { return run(ctx, &out, dsn) })
	for _, want := range []string{"200 transfers, ", "a query of an hour: asyncio: timeout", "10 accounts have 1000 in all"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

// within calls f in a transaction that has taken 50 from account 0.
func within(ctx context.Context, b *bank, f func(tx *sql.Tx, id int64) error) error {
	return b.conns.With(ctx, func(c *sql.Conn) error {
		var id int64
		if err := c.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&id); err != nil {
			return err
		}
		tx, err := c.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "UPDATE greenlet_accounts SET amount = amount - 50 WHERE id = 0"); err != nil {
			return err
		}
		return f(tx, id)
	})
}

// A time limit, a cancel from outside and a group whose other task fails, in the
// middle of a transaction: it is rolled back, the error is the scope's.
func TestCancelInTransaction(t *testing.T) {
	long := func(ctx context.Context) func(tx *sql.Tx, _ int64) error {
		return func(tx *sql.Tx, _ int64) error {
			_, err := tx.ExecContext(ctx, "DO SLEEP(3600)")
			return err
		}
	}
	onBank(t, func(ctx context.Context, b *bank) error {
		err := asyncio.WithTimeout(ctx, 50*time.Millisecond, func(ctx context.Context, _ *asyncio.Timeout) error {
			return within(ctx, b, long(ctx))
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Error("a time limit:", err)
		}
		whole(t, ctx, b)

		busy := asyncio.NewEvent()
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			return within(ctx, b, func(tx *sql.Tx, id int64) error {
				busy.Set()
				return long(ctx)(tx, id)
			})
		})
		busy.Wait(ctx)
		asyncio.Sleep(ctx, 0)
		task.Cancel()
		if _, err := task.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) || !task.Cancelled() {
			t.Error("a cancel:", err)
		}
		whole(t, ctx, b)

		broken := errors.New("broken")
		err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			busy := asyncio.NewEvent()
			tg.Go(func(ctx context.Context) error {
				return within(ctx, b, func(tx *sql.Tx, id int64) error {
					busy.Set()
					return long(ctx)(tx, id)
				})
			})
			tg.Go(func(ctx context.Context) error {
				busy.Wait(ctx)
				return broken
			})
			return nil
		})
		var all *asyncio.ExceptionGroup
		if !errors.Is(err, broken) || !errors.As(err, &all) || len(all.Unwrap()) != 1 {
			t.Error("a group:", err)
		}
		whole(t, ctx, b)
		return nil
	})
}

// The server ends the connection in the middle of a transaction.
func TestConnectionKilled(t *testing.T) {
	onBank(t, func(ctx context.Context, b *bank) error {
		err := within(ctx, b, func(tx *sql.Tx, id int64) error {
			if err := b.conns.With(ctx, func(c *sql.Conn) error {
				_, err := c.ExecContext(ctx, "KILL ?", id)
				return err
			}); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "UPDATE greenlet_accounts SET amount = amount + 50 WHERE id = 1")
			if err == nil {
				err = tx.Commit()
			}
			return err
		})
		if err == nil || !asyncio.IsException(err) {
			t.Error("the transaction has ended with", err)
		}
		whole(t, ctx, b)
		return nil
	})
}

// While one task waits for the server, the loop goes on.
func TestLoopGoesOn(t *testing.T) {
	onBank(t, func(ctx context.Context, b *bank) error {
		nap := asyncio.Go(ctx, func(ctx context.Context) error { return b.nap(ctx, 200*time.Millisecond) })
		turns := 0
		for ; !nap.Done(); turns++ {
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
		}
		if turns < 10 {
			t.Errorf("the loop has made %d turns meanwhile", turns)
		}
		_, err := nap.Await(ctx)
		return err
	})
}

func TestNoDatabase(t *testing.T) {
	onLoop(t, func(ctx context.Context) error {
		err := run(ctx, &strings.Builder{}, "nobody@tcp(127.0.0.1:1)/nothing")
		if err == nil || !strings.Contains(err.Error(), "refused") {
			t.Error("a database that is not there:", err)
		}
		if err := run(ctx, &strings.Builder{}, "no DSN"); err == nil {
			t.Error("a DSN that is none is taken")
		}
		return nil
	})
}

func TestTransfer(t *testing.T) {
	onBank(t, func(ctx context.Context, b *bank) error {
		for _, c := range []struct {
			from, to, amount int
			want             error
			left             [3]int // in accounts 0, 1 and 2
		}{
			{0, 1, 30, nil, [3]int{70, 130, 100}},
			{0, 1, 71, errTooLittle, [3]int{70, 130, 100}},
			{1, 2, 130, nil, [3]int{70, 0, 230}},
			{2, 2, 5, nil, [3]int{70, 0, 230}},
		} {
			if err := b.transfer(ctx, c.from, c.to, c.amount); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v", c, err)
			}
			for id, want := range c.left {
				err := b.conns.With(ctx, func(conn *sql.Conn) error {
					var has int
					if err := conn.QueryRowContext(ctx, "SELECT amount FROM greenlet_accounts WHERE id = ?", id).Scan(&has); err != nil {
						return err
					}
					if has != want {
						t.Errorf("%+v: account %d has %d", c, id, has)
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
		}
		// What is not committed is taken back.
		broken := errors.New("broken")
		if err := within(ctx, b, func(*sql.Tx, int64) error { return broken }); err != broken {
			t.Error(err)
		}
		whole(t, ctx, b)
		return nil
	})
}
