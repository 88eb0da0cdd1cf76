//go:build linux

package main

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

func serveProtocol(addr string, ready func(net.Addr)) error {
	return onLoop(func(ctx context.Context) error {
		server, err := asyncio.CreateServer(ctx, func() *echo { return new(echo) }, "tcp4", addr)
		if err != nil {
			return err
		}
		ready(server.Addr())
		return server.ServeForever(ctx)
	})
}

// echo writes what it receives.
type echo struct {
	asyncio.NopProtocol
	transport asyncio.Transport
}

func (e *echo) ConnectionMade(t asyncio.Transport) { e.transport = t }
func (e *echo) DataReceived(data []byte)           { e.transport.Write(data) }
