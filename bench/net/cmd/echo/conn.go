//go:build linux

package main

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

// onLoop runs a server in the main task of a loop.
func onLoop(serve func(context.Context) error) error {
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (asyncio.None, error) {
		return asyncio.None{}, serve(ctx)
	})
	return err
}

// serveConn is what serveNet is, with a task for each connection in place of a
// goroutine.
func serveConn(addr string, ready func(net.Addr)) error {
	return onLoop(func(ctx context.Context) error {
		l, err := asyncio.Listen(ctx, "tcp4", addr)
		if err != nil {
			return err
		}
		ready(l.Addr())
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			asyncio.Go(ctx, func(context.Context) error {
				converse(c)
				return nil
			})
		}
	})
}

func spawnConn(more func() bool) error {
	return onLoop(func(ctx context.Context) error {
		for more() {
			child, err := asyncio.CreateSubprocessExec(ctx, []string{"true"})
			if err == nil {
				_, err = child.Wait(ctx)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
