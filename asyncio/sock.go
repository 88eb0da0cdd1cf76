package asyncio

import (
	"context"
	"net"
	"os"
)

// A Socket is a socket of the system, for programs that make the calls of sockets
// themselves: Accept, Connect, Recv, SendAll and so on. Most
// programs are better off with connections or streams. It never blocks: a call
// that would have to wait suspends the task that makes it, and no other.
//
// A Socket belongs to the loop whose task is the first to wait for it. Unless a
// method says otherwise, only that loop's tasks and callbacks may call it, and
// before that whoever has made it. Several tasks may wait for one socket. Close
// ends their waits with net.ErrClosed.
//
// Errors of the system are those of package syscall, by errors.Is: Python's
// ConnectionRefusedError is syscall.ECONNREFUSED, BrokenPipeError is syscall.EPIPE.
// On systems where loops watch no descriptors every error is
// errors.ErrUnsupported.
//
// Python: socket.socket, with setblocking(False).
type Socket struct{ socketState }

// NewSocket makes a socket. The network is "tcp", "udp", "unix" or "unixgram";
// "tcp4" and "udp4" are the same as "tcp" and "udp", and "tcp6" and "udp6" are for
// IPv6. Any goroutine may call it; it does not switch. Python: socket.socket.
func NewSocket(network string) (*Socket, error) { return newSock(network) }

// Recv waits until there is data, and returns at most n bytes of it, or one
// datagram. At the end of a stream it returns nil and io.EOF, where Python
// returns an empty one. Nothing is lost if the wait is cancelled.
//
// It tries first, and switches if that would have to wait, as all these methods
// do. The error is one of the system, net.ErrClosed, or one of a wait. Only a task may call it.
// Python: loop.sock_recv.
func (s *Socket) Recv(ctx context.Context, n int) ([]byte, error) {
	if n < 0 {
		return nil, valueErrorf("negative buffersize in recv")
	}
	p := make([]byte, n)
	got, err := s.recv(ctx, p)
	if err != nil {
		return nil, err
	}
	return p[:got], nil
}

// RecvInto is Recv into p. It allocates nothing. Python:
// loop.sock_recv_into.
func (s *Socket) RecvInto(ctx context.Context, p []byte) (int, error) { return s.recv(ctx, p) }

// RecvFrom is Recv that returns also from whom the data is. What of a
// datagram exceeds n bytes is lost. Python: loop.sock_recvfrom.
func (s *Socket) RecvFrom(ctx context.Context, n int) ([]byte, net.Addr, error) {
	if n < 0 {
		return nil, nil, valueErrorf("negative buffersize in recvfrom")
	}
	p := make([]byte, n)
	got, from, err := s.recvFrom(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	return p[:got], from, nil
}

// RecvFromInto is RecvFrom into p. Python: loop.sock_recvfrom_into.
func (s *Socket) RecvFromInto(ctx context.Context, p []byte) (int, net.Addr, error) {
	return s.recvFrom(ctx, p)
}

// SendAll sends all of p. If it fails, or is cancelled, a part of it may be
// sent, and it is not known which. Two tasks that send at once may mix what they
// send. Python: loop.sock_sendall.
func (s *Socket) SendAll(ctx context.Context, p []byte) error { return s.sendAll(ctx, p) }

// SendTo sends p to addr as one datagram, and returns how many bytes of it
// went out. addr is of the socket's network: a *net.UDPAddr, or *net.UnixAddr.
// Python: loop.sock_sendto.
func (s *Socket) SendTo(ctx context.Context, p []byte, addr net.Addr) (int, error) {
	return s.sendTo(ctx, p, addr)
}

// Connect connects the socket to addr: "host:port", or the path of a Unix
// socket. A name is looked up, and the first address of the socket's family
// taken. If the wait is cancelled, the socket is of no more use. Python:
// loop.sock_connect.
func (s *Socket) Connect(ctx context.Context, addr string) error { return s.connect(ctx, addr) }

// Accept waits for a connection, and returns it with the address of the other
// side, which is nil if that has gone already. Python: loop.sock_accept.
func (s *Socket) Accept(ctx context.Context) (*Socket, net.Addr, error) { return s.accept(ctx) }

// SendFile sends count bytes of the file f from offset on, or what there is
// up to its end if that is less; a count of zero is everything. It returns how
// many went out. The position in f is behind them afterwards, also after an error.
//
// On Linux the system sends it by sendfile(2), without a copy. Else, and for files
// with which that does not work, it is read on a goroutine and sent by pieces,
// unless SendFileFallback(false) says that the error is to be
// ErrSendfileNotAvailable. A socket that is no stream, or a number below zero, is
// a ValueError. Python: loop.sock_sendfile.
func (s *Socket) SendFile(ctx context.Context, f *os.File, offset, count int64, opts ...SendFileOption) (int64, error) {
	o, err := sendFileChoice(f, offset, count, opts)
	if err != nil {
		return 0, err
	}
	return s.sendFile(ctx, f, offset, count, o.fallback)
}
