package gl106

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

func serve(ctx context.Context) error {
	ln, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return err
	}
	conn, err := ln.Accept() // want `GL106: net.Listener.Accept .* use asyncio.Listen or AdoptListener`
	if err != nil {
		return err
	}
	conn.Close()
	if _, err := net.LookupHost("localhost"); err != nil { // want `GL106: net.LookupHost .* use asyncio.GetAddrInfo`
		return err
	}
	if _, err := tls.Dial("tcp", "localhost:1", nil); err != nil { // want `GL106: tls.Dial .* use asyncio.Dial and tls.Client`
		return err
	}
	return asyncio.Sleep(ctx, 1)
}

func adopted(ctx context.Context) error {
	ln, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return err
	}
	ln, err = asyncio.AdoptListener(ctx, ln)
	if err != nil {
		return err
	}
	if _, err = ln.Accept(); err != nil {
		return err
	}
	return asyncio.Sleep(ctx, 1)
}

func dialer(ctx context.Context, d *asyncio.Dialer) error {
	if _, err := d.DialContext(ctx, "tcp", "localhost:1"); err != nil {
		return err
	}
	return asyncio.Sleep(ctx, 1)
}

// One of package net's own, and not of asyncio.
func concrete(ctx context.Context, c *net.TCPConn, p []byte) error {
	if _, err := c.Read(p); err != nil { // want `GL106`
		return err
	}
	return asyncio.Sleep(ctx, 1)
}
