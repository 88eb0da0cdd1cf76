package asyncio

import (
	"context"
	"crypto/tls"
	"net"
	"os"
)

// The names of this file are there for one release more. Most are methods now, as they
// have no type of result that the caller chooses; others have another name.

// RunMain is RunFunc.
//
// Deprecated: use [RunFunc].
func RunMain(ctx context.Context, main func(ctx context.Context) error, opts ...RunOption) error {
	return RunFunc(ctx, main, opts...)
}

// WithLoopDebug is WithDebug.
//
// Deprecated: use [WithDebug], which NewLoop takes, too.
func WithLoopDebug(on bool) LoopOption { return WithDebug(on) }

// DoInThread is ToThreadFunc.
//
// Deprecated: use [ToThreadFunc].
func DoInThread(ctx context.Context, f func(ctx context.Context) error) error {
	return ToThreadFunc(ctx, f)
}

// AllTasks is Loop.AllTasks.
//
// Deprecated: use [Loop.AllTasks].
func AllTasks(l *Loop) []AnyTask { return l.AllTasks() }

// SendFile is Loop.SendFile of the loop of t.
//
// Deprecated: use [Loop.SendFile].
func SendFile(ctx context.Context, t WriteTransport, f *os.File, offset, count int64, opts ...SendFileOption) (int64, error) {
	return t.Loop().SendFile(ctx, t, f, offset, count, opts...)
}

// StartTLS is Loop.StartTLS of the loop of t.
//
// Deprecated: use [Loop.StartTLS].
func StartTLS(ctx context.Context, t Transport, p BaseProtocol, cfg *tls.Config, opts ...TLSOption) (Transport, error) {
	return t.Loop().StartTLS(ctx, t, p, cfg, opts...)
}

// SockRecv is Socket.Recv.
//
// Deprecated: use [Socket.Recv].
func SockRecv(ctx context.Context, s *Socket, n int) ([]byte, error) { return s.Recv(ctx, n) }

// SockRecvInto is Socket.RecvInto.
//
// Deprecated: use [Socket.RecvInto].
func SockRecvInto(ctx context.Context, s *Socket, p []byte) (int, error) { return s.RecvInto(ctx, p) }

// SockRecvFrom is Socket.RecvFrom.
//
// Deprecated: use [Socket.RecvFrom].
func SockRecvFrom(ctx context.Context, s *Socket, n int) ([]byte, net.Addr, error) {
	return s.RecvFrom(ctx, n)
}

// SockRecvFromInto is Socket.RecvFromInto.
//
// Deprecated: use [Socket.RecvFromInto].
func SockRecvFromInto(ctx context.Context, s *Socket, p []byte) (int, net.Addr, error) {
	return s.RecvFromInto(ctx, p)
}

// SockSendAll is Socket.SendAll.
//
// Deprecated: use [Socket.SendAll].
func SockSendAll(ctx context.Context, s *Socket, p []byte) error { return s.SendAll(ctx, p) }

// SockSendTo is Socket.SendTo.
//
// Deprecated: use [Socket.SendTo].
func SockSendTo(ctx context.Context, s *Socket, p []byte, addr net.Addr) (int, error) {
	return s.SendTo(ctx, p, addr)
}

// SockConnect is Socket.Connect.
//
// Deprecated: use [Socket.Connect].
func SockConnect(ctx context.Context, s *Socket, addr string) error { return s.Connect(ctx, addr) }

// SockAccept is Socket.Accept.
//
// Deprecated: use [Socket.Accept].
func SockAccept(ctx context.Context, s *Socket) (*Socket, net.Addr, error) { return s.Accept(ctx) }

// SockSendFile is Socket.SendFile.
//
// Deprecated: use [Socket.SendFile].
func SockSendFile(ctx context.Context, s *Socket, f *os.File, offset, count int64, opts ...SendFileOption) (int64, error) {
	return s.SendFile(ctx, f, offset, count, opts...)
}
