// Loader shows batches without a timer. A page of posts needs their authors, and
// these need their cities: plain code asks for one at a time, and so sends a
// query for each. A loader waits until every task has asked for what it can, and
// sends one query for each level.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

type (
	author struct {
		name string
		city int
	}
	post struct {
		title  string
		author int
	}
)

var (
	cities  = map[int]string{1: "Bern", 2: "Oslo"}
	authors = map[int]author{10: {"Ann", 1}, 11: {"Bob", 2}, 12: {"Cem", 1}}
	posts   = []post{{"On stacks", 10}, {"On queues", 11}, {"On trees", 12}, {"On heaps", 10}}
)

func run(w io.Writer) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		db := &database{w: w}
		fmt.Fprintln(w, "one by one")
		if err := page(ctx, w, db.author, db.city); err != nil {
			return err
		}
		plain := db.queries

		fmt.Fprintln(w, "with a loader")
		authors := &Loader[int, author]{Fetch: db.authors}
		cities := &Loader[int, string]{Fetch: db.cities}
		if err := page(ctx, w, authors.Load, cities.Load); err != nil {
			return err
		}
		fmt.Fprintf(w, "%d queries, and %d\n", plain, db.queries-plain)
		return nil
	})
}

// page writes a line for each post. The lines are made beside each other, each by
// code that knows nothing of batches.
func page(
	ctx context.Context, w io.Writer,
	authorOf func(ctx context.Context, id int) (author, error),
	cityOf func(ctx context.Context, id int) (string, error),
) error {
	line := func(p post) asyncio.Coro[string] {
		return func(ctx context.Context) (string, error) {
			a, err := authorOf(ctx, p.author)
			if err != nil {
				return "", err
			}
			city, err := cityOf(ctx, a.city)
			return fmt.Sprintf("%s, by %s in %s", p.title, a.name, city), err
		}
	}
	var lines []asyncio.Coro[string]
	for _, p := range posts {
		lines = append(lines, line(p))
	}
	done, err := asyncio.Gather(ctx, asyncio.Awaitables(lines)...).Await(ctx)
	for _, s := range done {
		fmt.Fprintln(w, " ", s)
	}
	return err
}

// A database stands for a real one: each query takes its time.
type database struct {
	w       io.Writer
	queries int
}

func (db *database) query(ctx context.Context, table string, ids []int) error {
	db.queries++
	fmt.Fprintf(db.w, "  SELECT %s %v\n", table, ids)
	return asyncio.Sleep(ctx, 5*time.Millisecond)
}

func (db *database) authors(ctx context.Context, ids []int) ([]author, error) {
	return rows(authors, ids), db.query(ctx, "authors", ids)
}

func (db *database) cities(ctx context.Context, ids []int) ([]string, error) {
	return rows(cities, ids), db.query(ctx, "cities", ids)
}

func (db *database) author(ctx context.Context, id int) (author, error) {
	return authors[id], db.query(ctx, "authors", []int{id})
}

func (db *database) city(ctx context.Context, id int) (string, error) {
	return cities[id], db.query(ctx, "cities", []int{id})
}

func rows[V any](table map[int]V, ids []int) (all []V) {
	for _, id := range ids {
		all = append(all, table[id])
	}
	return all
}
