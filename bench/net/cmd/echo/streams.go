//go:build linux

package main

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

func serveStreams(addr string, ready func(net.Addr)) error {
	return onLoop(func(ctx context.Context) error {
		server, err := asyncio.StartServer(ctx, "tcp4", addr, stream)
		if err != nil {
			return err
		}
		ready(server.Addr())
		return server.ServeForever(ctx)
	})
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
