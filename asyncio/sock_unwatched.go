//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Elsewhere there are no Sockets, because loops watch no descriptors.

type socketState struct{ _ noCopy }

var errNoSockets = fmt.Errorf("asyncio: loops watch no descriptors on this system: %w", errors.ErrUnsupported)

func newSock(string) (*Socket, error) { return nil, errNoSockets }

// SocketOf returns errors.ErrUnsupported.
func SocketOf(syscall.Conn) (*Socket, error) { return nil, errNoSockets }

// Fd returns -1.
func (s *Socket) Fd() int { return -1 }

// SyscallConn returns errors.ErrUnsupported.
func (s *Socket) SyscallConn() (syscall.RawConn, error) { return nil, errNoSockets }

// Bind returns errors.ErrUnsupported.
func (s *Socket) Bind(string) error { return errNoSockets }

// Listen returns errors.ErrUnsupported.
func (s *Socket) Listen(int) error { return errNoSockets }

// Addr returns nil.
func (s *Socket) Addr() net.Addr { return nil }

// RemoteAddr returns nil.
func (s *Socket) RemoteAddr() net.Addr { return nil }

// CloseWrite returns errors.ErrUnsupported.
func (s *Socket) CloseWrite() error { return errNoSockets }

// Close does nothing.
func (s *Socket) Close() error { return nil }

func (s *Socket) recv(context.Context, []byte) (int, error) { return 0, errNoSockets }
func (s *Socket) recvFrom(context.Context, []byte) (int, net.Addr, error) {
	return 0, nil, errNoSockets
}
func (s *Socket) sendAll(context.Context, []byte) error                 { return errNoSockets }
func (s *Socket) sendTo(context.Context, []byte, net.Addr) (int, error) { return 0, errNoSockets }
func (s *Socket) connect(context.Context, string) error                 { return errNoSockets }
func (s *Socket) accept(context.Context) (*Socket, net.Addr, error) {
	return nil, nil, errNoSockets
}
func (s *Socket) sendFile(context.Context, *os.File, int64, int64, bool) (int64, error) {
	return 0, errNoSockets
}
