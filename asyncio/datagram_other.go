//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package asyncio

import (
	"errors"
	"net"
	"syscall"
)

// Here the loop cannot watch descriptors, so there are no sockets for datagrams
// yet.

func openDatagrams(_ *Loop, network string, r datagramRoute, _ *datagramOptions) (*socket, error) {
	return nil, &net.OpError{Op: "listen", Net: network, Source: r.local, Addr: r.remote, Err: errors.ErrUnsupported}
}

func dupDatagrams(*Loop, syscall.Conn) (*socket, error) { return nil, errors.ErrUnsupported }

func (s *socket) receiveFrom([]byte) (int, net.Addr, error) { return 0, nil, errors.ErrUnsupported }
func (s *socket) sendTo([]byte, net.Addr) error             { return errors.ErrUnsupported }
