//go:build linux

package main

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

// serveStreams serves by streams, each of which converse answers.
func serveStreams(converse func(context.Context, *asyncio.StreamReader, *asyncio.StreamWriter) error) func(string, func(net.Addr)) error {
	return func(addr string, ready func(net.Addr)) error {
		return onLoop(func(ctx context.Context) error {
			server, err := asyncio.StartServer(ctx, "tcp4", addr, converse)
			if err != nil {
				return err
			}
			ready(server.Addr())
			return server.ServeForever(ctx)
		})
	}
}

// stream answers one connection, as converse in peers/echo.py does.
func stream(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	for {
		data, err := r.Read(ctx, chunk)
		if err != nil || len(data) == 0 {
			return nil // the other side has had enough
		}
		if err := w.Write(data); err != nil {
			return err
		}
		if err := w.Drain(ctx); err != nil {
			return nil
		}
	}
}

// streamInto is stream with memory that is kept.
func streamInto(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	p := make([]byte, 2<<10) // an idle connection has no more
	for {
		n, err := r.ReadInto(ctx, p)
		if err != nil {
			return nil
		}
		if err := w.Write(p[:n]); err != nil {
			return err
		}
		if err := w.Drain(ctx); err != nil {
			return nil
		}
		if n == len(p) && n < chunk {
			p = make([]byte, chunk)
		}
	}
}
