#!/usr/bin/env bash
# A query on a pgx pool of one connection runs into its timeout. How soon can the next
# query be made, if the server accepts connections as ever?
#
# The server here speaks just enough of the protocol. It never answers "slow", as if a
# lock or a disk kept it, answers all else at once, and takes no notice of the request to
# cancel, which a server that is stuck does not either.
#
# Guess: at once. The connection cannot be used any more, so the pool drops it, and
# connects anew, as database/sql does.
# Seen: with pgx v5.13.0 the next query waits for about 15 s, and then succeeds: the pool
# counts the old connection until it is closed, which waits for the server's answer to the
# cancel. In that time the pool is smaller by one for each query that has timed out: of a
# stuck server all places are gone, and callers without a timeout of their own wait.
# database/sql with pgx/v5/stdlib connects at once.
# So do not size such a pool for the good days, and give Acquire a timeout too.
#
# Needs Go and the module proxy. Traffic is to the loopback. It takes 15 s.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module place

go 1.26.0

require github.com/jackc/pgx/v5 v5.13.0
EOF2
cat >main.go <<'EOF2'
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// serve is the server of one connection.
func serve(c net.Conn) {
	defer c.Close()
	b := pgproto3.NewBackend(c, c)
	m, err := b.ReceiveStartupMessage()
	if _, ok := m.(*pgproto3.StartupMessage); err != nil || !ok {
		return // a request to cancel
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	for {
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if b.Flush() != nil {
			return
		}
		for answered := false; !answered; {
			m, err := b.Receive()
			if err != nil {
				return
			}
			if q, ok := m.(*pgproto3.Query); ok && q.String != "slow" {
				b.Send(&pgproto3.EmptyQueryResponse{})
				answered = true
			}
		}
	}
}

// next has a query run into its timeout and measures how long the next one takes.
func next(exec func(ctx context.Context, query string) error) time.Duration {
	ctx := context.Background()
	must(exec(ctx, "quick"))
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if err := exec(short, "slow"); !errors.Is(err, context.DeadlineExceeded) {
		panic(err)
	}
	start := time.Now()
	must(exec(ctx, "quick"))
	return time.Since(start)
}

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		for {
			c, err := ln.Accept()
			must(err)
			go serve(c)
		}
	}()
	url := "postgres://somebody@" + ln.Addr().String() + "/some?sslmode=disable&default_query_exec_mode=simple_protocol"

	db, err := sql.Open("pgx", url)
	must(err)
	db.SetMaxOpenConns(1)
	took := next(func(ctx context.Context, query string) error {
		_, err := db.ExecContext(ctx, query)
		return err
	})
	fmt.Fprintln(os.Stderr, "database/sql:", took)
	fmt.Println("database/sql: the next query waits more than a second:", took > time.Second)

	config, err := pgxpool.ParseConfig(url + "&pool_max_conns=1")
	must(err)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	must(err)
	took = next(func(ctx context.Context, query string) error {
		_, err := pool.Exec(ctx, query)
		return err
	})
	fmt.Fprintln(os.Stderr, "pgxpool:", took)
	fmt.Println("pgxpool: the next query waits more than 10 s:", took > 10*time.Second)
}
EOF2
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff seen - <<'EOF2'
database/sql: the next query waits more than a second: false
pgxpool: the next query waits more than 10 s: true
EOF2
echo "as it was seen"
