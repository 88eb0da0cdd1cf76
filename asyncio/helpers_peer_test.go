package asyncio_test

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The other side of what a test is about is package net's, on goroutines that know no
// loop. On another network than the system's it is a connection of that, which those
// goroutines use all the same: so one test is for both. ctx comes from the test's task,
// and any goroutine may have it.

// netListen is net.Listen, of the network that the test runs on.
func netListen(ctx context.Context, network, addr string) (net.Listener, error) {
	if overNetwork == nil {
		return net.Listen(network, addr)
	}
	return asyncio.Listen(ctx, network, addr)
}

// netListenPacket is net.ListenPacket.
func netListenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	if overNetwork == nil {
		return net.ListenPacket(network, addr)
	}
	return asyncio.ListenPacket(ctx, network, addr)
}

// netDial is net.Dial.
func netDial(ctx context.Context, network, addr string) (net.Conn, error) {
	if overNetwork == nil {
		return net.Dial(network, addr)
	}
	return asyncio.Dial(ctx, network, addr)
}
