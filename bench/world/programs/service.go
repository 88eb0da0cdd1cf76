//go:build linux

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

// service answers with what it finds in a database, as JSON. The handler is the same
// http.Handler, but for where it has its connection from.
var service = program{
	name: "service", title: "HTTP, JSON and a database", unit: "request", n: 1500, short: 150,
	ways: []way{
		{name: "httpd and database in tasks", run: askService("httpd and database in tasks")},
		{name: "net/http, database/sql", run: askService("net/http, database/sql")},
		{name: "the same, uncancellable", run: askService("the same, uncancellable")},
	},
	serve: map[string]func() error{
		"httpd and database in tasks": serviceInTasks,
		"net/http, database/sql":      func() error { return serviceOnGoroutines((*http.Request).Context) },
		"the same, uncancellable": func() error {
			return serviceOnGoroutines(func(*http.Request) context.Context { return context.Background() })
		},
	},
	needs: func() error {
		if os.Getenv("MYSQL_DSN") == "" {
			return errors.New("there is no MYSQL_DSN: see tools/servers.sh")
		}
		return nil
	},
}

const (
	owners      = 100
	connections = 16 // to the database
	clients     = "50"
)

// A todo is a row.
type todo struct {
	ID    int    `json:"id"`
	Title string `json:"title"`
	Done  bool   `json:"done"`
}

// withConn calls use with a connection that nobody else uses meanwhile.
type withConn func(r *http.Request, use func(ctx context.Context, db querier) error) error

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// todos answers with those of an owner.
func todos(with withConn) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /owners/{owner}", func(w http.ResponseWriter, r *http.Request) {
		all := make([]todo, 0, 10)
		err := with(r, func(ctx context.Context, db querier) error {
			rows, err := db.QueryContext(ctx, "SELECT id, title, done FROM greenlet_todos WHERE owner = ? ORDER BY id", r.PathValue("owner"))
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var t todo
				if err := rows.Scan(&t.ID, &t.Title, &t.Done); err != nil {
					return err
				}
				all = append(all, t)
			}
			return rows.Err()
		})
		body, bad := json.Marshal(all)
		if err := errors.Join(err, bad); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	})
	return m
}

func configuration() (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(os.Getenv("MYSQL_DSN"))
	if err == nil {
		cfg.InterpolateParams = true
	}
	return cfg, err
}

func serviceInTasks() error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		cfg, err := configuration()
		if err != nil {
			return err
		}
		cfg.Net = "loop"
		mysql.RegisterDialContext("loop", func(ctx context.Context, addr string) (net.Conn, error) { return asyncio.Dial(ctx, "tcp", addr) })
		c, err := mysql.NewConnector(cfg)
		if err != nil {
			return err
		}
		db := sql.OpenDB(c)
		// The limit is the pool's. Who waits for database/sql's would stop the loop.
		db.SetMaxIdleConns(connections)
		pool := asyncio.NewPool(asyncio.PoolConfig[*sql.Conn]{
			Limit: connections,
			New:   db.Conn,
			Close: func(_ context.Context, c *sql.Conn) error { return c.Close() },
		})
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println("ready", ln.Addr())
		return httpd.Serve(ctx, ln, todos(func(r *http.Request, use func(ctx context.Context, db querier) error) error {
			return pool.With(r.Context(), func(c *sql.Conn) error { return use(r.Context(), c) })
		}))
	})
}

// serviceOnGoroutines is what everybody writes, if the request's context is what its
// queries have. A driver then has a goroutine that waits for its end.
func serviceOnGoroutines(of func(r *http.Request) context.Context) error {
	cfg, err := configuration()
	if err != nil {
		return err
	}
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("ready", ln.Addr())
	return http.Serve(ln, todos(func(r *http.Request, use func(ctx context.Context, db querier) error) error {
		return use(of(r), db)
	}))
}

// askService makes the table, starts a server, compares what it says of some owners,
// and has the load ask for one.
func askService(way string) func(r run) (result, error) {
	return func(r run) (found result, err error) {
		if err := fill(); err != nil {
			return found, err
		}
		s, err := startServer("service", way, r)
		if err != nil {
			return found, err
		}
		defer s.end()
		h := fnv.New64a()
		for owner := range 20 {
			resp, err := http.Get(fmt.Sprintf("http://%s/owners/%d", s.addr, owner))
			if err != nil {
				return found, err
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK {
				return found, fmt.Errorf("%s: %s, %w", resp.Status, body, err)
			}
			h.Write(body)
		}
		load := exec.Command(r.load, "-addr", s.addr, "-pid", fmt.Sprint(s.Process.Pid), "-path", "/owners/7",
			"-conns", clients, "-for", (time.Duration(r.n) * time.Millisecond).String())
		load.Stderr = os.Stderr
		says, err := load.Output()
		if err != nil {
			return found, err
		}
		var of struct{ Requests, PerSecond, ServerUS float64 }
		if err := json.Unmarshal(says, &of); err != nil {
			return found, err
		}
		found = result{N: of.Requests, Wall: of.Requests / of.PerSecond, Processor: of.Requests * of.ServerUS / 1e6, Check: fmt.Sprint(h.Sum64())}
		found.Memory, err = peak(s.Process.Pid)
		return found, err
	}
}

// fill makes the table with ten rows of each owner.
func fill() error {
	cfg, err := configuration()
	if err != nil {
		return err
	}
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(c)
	defer db.Close()
	if _, err := db.Exec("CREATE OR REPLACE TABLE greenlet_todos (id INT PRIMARY KEY, owner INT NOT NULL, title VARCHAR(100) NOT NULL, done BOOL NOT NULL, KEY (owner))"); err != nil {
		return err
	}
	var rows []string
	for i := range 10 * owners {
		rows = append(rows, fmt.Sprintf("(%d, %d, 'What is to be done, number %d', %d)", i, i%owners, i, i%2))
	}
	_, err = db.Exec("INSERT INTO greenlet_todos VALUES " + strings.Join(rows, ", "))
	return err
}
