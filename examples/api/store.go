package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A Book is a row of the table.
type Book struct {
	ID     int64  `json:"id" doc:"Number of the book" db:"id"`
	Title  string `json:"title" db:"title"`
	Author string `json:"author" db:"author"`
	Year   int    `json:"year" db:"year"`
}

// A store keeps books. Its methods are for tasks.
type store struct {
	conns *asyncio.Pool[*pgx.Conn]
}

// openStore makes the table, if it is not there.
func openStore(ctx context.Context, url string) (*store, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return nil, err
	}
	cfg.DialFunc = (&asyncio.Dialer{Loop: loop}).DialContext
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // the Dialer's
	s := &store{asyncio.NewPool(asyncio.PoolConfig[*pgx.Conn]{
		Limit:    10,
		New:      func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, cfg) },
		Close:    func(ctx context.Context, c *pgx.Conn) error { return c.Close(ctx) },
		Check:    func(ctx context.Context, c *pgx.Conn) error { return c.Ping(ctx) },
		Keep:     func(c *pgx.Conn, _ error) bool { return !c.IsClosed() },
		IdleTime: time.Minute,
	})}
	err = s.conns.With(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, `CREATE TABLE IF NOT EXISTS greenlet_books (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			title TEXT NOT NULL, author TEXT NOT NULL, year INT NOT NULL, UNIQUE (title, author))`)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

func (s *store) close(ctx context.Context) error { return s.conns.Close(ctx) }

func (s *store) add(ctx context.Context, b *Book) error {
	return s.conns.With(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "INSERT INTO greenlet_books (title, author, year) VALUES ($1, $2, $3) RETURNING id",
			b.Title, b.Author, b.Year).Scan(&b.ID)
	})
}

// get returns a book, or pgx.ErrNoRows.
func (s *store) get(ctx context.Context, id int64) (b Book, err error) {
	err = s.conns.With(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "SELECT id, title, author, year FROM greenlet_books WHERE id = $1", id)
		if err != nil {
			return err
		}
		b, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Book])
		return err
	})
	return b, err
}

// list returns books in their order of arrival, of one author if one is named.
func (s *store) list(ctx context.Context, author string, limit int) (books []Book, err error) {
	err = s.conns.With(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "SELECT id, title, author, year FROM greenlet_books WHERE $1 IN ('', author) ORDER BY id LIMIT $2", author, limit)
		if err != nil {
			return err
		}
		books, err = pgx.CollectRows(rows, pgx.RowToStructByName[Book])
		return err
	})
	return books, err
}

// remove reports whether the book was there.
func (s *store) remove(ctx context.Context, id int64) (found bool, err error) {
	err = s.conns.With(ctx, func(c *pgx.Conn) error {
		tag, err := c.Exec(ctx, "DELETE FROM greenlet_books WHERE id = $1", id)
		found = tag.RowsAffected() > 0
		return err
	})
	return found, err
}
