#!/usr/bin/env bash
# A server reads a command that counts something up, and dies before it answers: it has
# closed the connection. It lives again at once and dies of the same command. How often
# does it get that one command from a client that was told to send it once? And from one
# with a time limit for reads, of a server that is only slow?
#
# Guess: once. The server may have done it, so only what can be done twice without harm is
# sent again, such as a GET of HTTP; everything else is an error that the caller hears of.
# Seen:
#   go-redis v9.23.0, INCR             4 times; in a pipeline, and of a slow server, too;
#                                      in a transaction once
#   database/sql with lib/pq v1.12.3   3 times; within a Tx once
#   fasthttp v1.78.0, PUT              5 times, as a GET; of a slow server, too
#   rueidis v1.0.79, redigo v1.9.3, pgx v5.13.0 below database/sql, net/http's PUT and POST
#   of Go 1.26.8, fasthttp's POST      once
# In the end the caller gets one error and knows nothing of the others. lib/pq calls the
# connection bad, which tells database/sql to try again on another one. To fasthttp a PUT
# is idempotent, and so it is, unless the body says "one more".
# So a server that is restarted at a bad moment counts up to five for one. Set go-redis's
# MaxRetries to -1 for what must not be done twice, with lib/pq write in a transaction or
# by a *sql.Conn, and fasthttp has RetryIfErr.
#
# Needs Go and the module proxy. Traffic is to the loopback.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module again

go 1.26.0

require (
	github.com/gomodule/redigo v1.9.3
	github.com/jackc/pgx/v5 v5.13.0
	github.com/lib/pq v1.12.3
	github.com/redis/go-redis/v9 v9.23.0
	github.com/redis/rueidis v1.0.79
	github.com/valyala/fasthttp v1.78.0
)
EOF2
cat >main.go <<'EOF2'
package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	redigo "github.com/gomodule/redigo/redis"
	"github.com/jackc/pgx/v5/pgproto3"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/valyala/fasthttp"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// came counts the commands that have come.
var came atomic.Int64

// listen serves each connection until serve returns, and then closes it.
func listen(serve func(c net.Conn)) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		for {
			c, err := ln.Accept()
			must(err)
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return ln.Addr().String()
}

// slow has a server keep the connection, and never answer, where it would die.
func slow(serve func(c net.Conn)) func(c net.Conn) {
	return func(c net.Conn) {
		serve(c)
		select {}
	}
}

// speakRedis dies of INCR, or of the EXEC after it.
func speakRedis(c net.Conn) {
	r := bufio.NewReader(c)
	line := func() string {
		s, _ := r.ReadString('\n')
		return strings.TrimSpace(s)
	}
	for queued := false; ; {
		count := line()
		if count == "" {
			return
		}
		n, err := strconv.Atoi(count[1:])
		must(err)
		var words []string
		for range n {
			line() // the length
			words = append(words, strings.ToLower(line()))
		}
		switch words[0] {
		case "hello":
			io.WriteString(c, "%2\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n")
		case "multi":
			queued = true
			io.WriteString(c, "+OK\r\n")
		case "incr":
			if queued {
				io.WriteString(c, "+QUEUED\r\n")
				break
			}
			fallthrough
		case "exec":
			came.Add(1)
			return
		case "client":
			if words[1] == "maint_notifications" {
				io.WriteString(c, "-ERR unknown subcommand\r\n")
				break
			}
			fallthrough
		default:
			io.WriteString(c, "+OK\r\n")
		}
	}
}

// speakPostgres dies of an update.
func speakPostgres(c net.Conn) {
	b := pgproto3.NewBackend(c, c)
	m, err := b.ReceiveStartupMessage()
	if _, ok := m.(*pgproto3.StartupMessage); err != nil || !ok {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	for status := byte('I'); ; {
		b.Send(&pgproto3.ReadyForQuery{TxStatus: status})
		if b.Flush() != nil {
			return
		}
		m, err := b.Receive()
		if err != nil {
			return
		}
		q, ok := m.(*pgproto3.Query)
		switch {
		case ok && strings.HasPrefix(q.String, "update"):
			came.Add(1)
			return
		case ok && strings.HasPrefix(strings.ToLower(q.String), "begin"):
			status = 'T'
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("BEGIN")})
		default:
			b.Send(&pgproto3.EmptyQueryResponse{})
		}
	}
}

// speakHTTP dies of any request of /count.
func speakHTTP(c net.Conn) {
	for r := bufio.NewReader(c); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, request.Body)
		if request.URL.Path == "/count" {
			came.Add(1)
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

func try(name string, send func() error) {
	came.Store(0)
	err := send()
	fmt.Printf("%s: comes %d times, an error: %v\n", name, came.Load(), err != nil)
}

func redisClients() {
	ctx := context.Background()
	addr := listen(speakRedis)
	c := redis.NewClient(&redis.Options{Addr: addr})
	must(c.Ping(ctx).Err())
	incr := func(p redis.Pipeliner) error { return p.Incr(ctx, "n").Err() }
	try("go-redis", func() error { return c.Incr(ctx, "n").Err() })
	try("go-redis, a pipeline", func() error { _, err := c.Pipelined(ctx, incr); return err })
	try("go-redis, a transaction", func() error { _, err := c.TxPipelined(ctx, incr); return err })
	once := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	impatient := redis.NewClient(&redis.Options{Addr: listen(slow(speakRedis)), ReadTimeout: 200 * time.Millisecond})
	try("go-redis, a slow server", func() error { return impatient.Incr(ctx, "n").Err() })
	try("go-redis, MaxRetries -1", func() error { return once.Incr(ctx, "n").Err() })

	r, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, DisableCache: true, ForceSingleClient: true})
	must(err)
	try("rueidis", func() error { return r.Do(ctx, r.B().Incr().Key("n").Build()).Error() })

	pool := &redigo.Pool{Dial: func() (redigo.Conn, error) { return redigo.Dial("tcp", addr) }}
	try("redigo", func() error {
		c := pool.Get()
		defer c.Close()
		_, err := c.Do("INCR", "n")
		return err
	})
}

func postgresClients() {
	const update = "update t set n = n + 1"
	url := "postgres://somebody@" + listen(speakPostgres) + "/some?sslmode=disable"
	for _, d := range []struct{ name, driver, url string }{
		{"lib/pq", "postgres", url},
		{"pgx", "pgx", url + "&default_query_exec_mode=simple_protocol"},
	} {
		db, err := sql.Open(d.driver, d.url)
		must(err)
		must(db.Ping())
		try(d.name, func() error { _, err := db.Exec(update); return err })
		tx, err := db.Begin()
		must(err)
		try(d.name+", a Tx", func() error { _, err := tx.Exec(update); return err })
		conn, err := db.Conn(context.Background())
		must(err)
		try(d.name+", a Conn", func() error { _, err := conn.ExecContext(context.Background(), update); return err })
	}
}

func httpClients() {
	url := "http://" + listen(speakHTTP)
	for _, method := range []string{"GET", "PUT", "POST"} {
		try("net/http, "+method, func() error {
			c := &http.Client{Transport: new(http.Transport)}
			answer, err := c.Get(url) // which leaves a connection
			must(err)
			answer.Body.Close()
			request, err := http.NewRequest(method, url+"/count", nil)
			must(err)
			_, err = c.Do(request)
			return err
		})
		try("fasthttp, a slow server, "+method, func() error {
			c := fasthttp.Client{ReadTimeout: 200 * time.Millisecond}
			request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			request.Header.SetMethod(method)
			request.SetRequestURI("http://" + listen(slow(speakHTTP)) + "/count")
			return c.Do(request, answer)
		})
		try("fasthttp, "+method, func() error {
			var c fasthttp.Client
			request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			request.Header.SetMethod(method)
			request.SetRequestURI(url + "/count")
			return c.Do(request, answer)
		})
	}
}

func main() {
	redisClients()
	postgresClients()
	httpClients()
}
EOF2
go mod tidy >/dev/null 2>&1
go run . 2>log | tee seen
diff seen - <<'EOF2'
go-redis: comes 4 times, an error: true
go-redis, a pipeline: comes 4 times, an error: true
go-redis, a transaction: comes 1 times, an error: true
go-redis, a slow server: comes 4 times, an error: true
go-redis, MaxRetries -1: comes 1 times, an error: true
rueidis: comes 1 times, an error: true
redigo: comes 1 times, an error: true
lib/pq: comes 3 times, an error: true
lib/pq, a Tx: comes 1 times, an error: true
lib/pq, a Conn: comes 1 times, an error: true
pgx: comes 1 times, an error: true
pgx, a Tx: comes 1 times, an error: true
pgx, a Conn: comes 1 times, an error: true
net/http, GET: comes 2 times, an error: true
fasthttp, a slow server, GET: comes 5 times, an error: true
fasthttp, GET: comes 5 times, an error: true
net/http, PUT: comes 1 times, an error: true
fasthttp, a slow server, PUT: comes 5 times, an error: true
fasthttp, PUT: comes 5 times, an error: true
net/http, POST: comes 1 times, an error: true
fasthttp, a slow server, POST: comes 1 times, an error: true
fasthttp, POST: comes 1 times, an error: true
EOF2
echo "as it was seen"
