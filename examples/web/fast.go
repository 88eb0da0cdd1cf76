package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/go-greenlet/greenlet/asyncio"
)

// serveFast is the same by fasthttp, which takes a connection and serves it on the
// caller's stack: here a task's.
func serveFast(ctx context.Context, ln net.Listener) error {
	visits := make(map[string]int)
	srv := &fasthttp.Server{
		IdleTimeout: time.Minute,
		Handler: func(rc *fasthttp.RequestCtx) {
			name := strings.TrimPrefix(string(rc.Path()), "/")
			if name == "" {
				name = "Anonymous"
			}
			if strings.Contains(name, "/") {
				rc.NotFound()
				return
			}
			if err := asyncio.Sleep(taskOf(rc), time.Millisecond); err != nil {
				return
			}
			visits[name]++
			fmt.Fprintf(rc, "Hello, %s (visit %d)\n", name, visits[name])
		},
	}
	return serveConns(ctx, ln, srv)
}

// A taskConn is a connection, and the context of the task that serves it: a
// RequestCtx leads to no loop, but to its connection.
type taskConn struct {
	net.Conn
	ctx context.Context
}

func taskOf(rc *fasthttp.RequestCtx) context.Context { return rc.Conn().(*taskConn).ctx }

// serveConns accepts connections, and has srv serve each in a task.
func serveConns(ctx context.Context, ln net.Listener, srv *fasthttp.Server) error {
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		defer ln.Close()
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			tg.Go(func(ctx context.Context) error {
				defer c.Close()
				srv.ServeConn(&taskConn{c, ctx}) // its errors are those of clients
				return nil
			})
		}
	})
}
