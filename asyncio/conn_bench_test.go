package asyncio_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// BenchmarkConnEcho is a round trip of 64 bytes over TCP: both ends in tasks of
// one loop, and, to compare with, both in goroutines of package net.
func BenchmarkConnEcho(b *testing.B) {
	b.Run("loop", func(b *testing.B) {
		b.ReportAllocs()
		err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer ln.Close()
			asyncio.Go(ctx, func(context.Context) error { return echoOnce(ln) })
			c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
			if err != nil {
				return err
			}
			b.ResetTimer()
			return roundTrips(c, b.N)
		})
		if err != nil {
			b.Error(err)
		}
	})
	b.Run("net", func(b *testing.B) {
		b.ReportAllocs()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		go echoOnce(ln)
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		if err := roundTrips(c, b.N); err != nil {
			b.Error(err)
		}
	})
}

// echoOnce serves one connection.
func echoOnce(ln net.Listener) error {
	c, err := ln.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	p := make([]byte, 1<<10)
	for {
		n, err := c.Read(p)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = c.Write(p[:n])
		}
		if err != nil {
			return err
		}
	}
}

func roundTrips(c net.Conn, n int) error {
	defer c.Close()
	p := make([]byte, 64)
	for range n {
		if _, err := c.Write(p); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, p); err != nil {
			return err
		}
	}
	return nil
}
