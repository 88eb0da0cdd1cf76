package asyncio

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// CreateConnection makes a connection to addr and a transport for it. factory
// makes the protocol; its ConnectionMade was called when CreateConnection
// returns. network is "tcp", "tcp4" or "tcp6", with an addr of "host:port", or
// "unix", with a path; a path that begins with @ is an abstract name of Linux. The
// addresses of a name are tried one after the other: see WithHappyEyeballs.
//
// The calling task is suspended meanwhile. If no address can be connected to, the
// error is that of the first, if all are alike, or tells all of them: see
// WithAllErrors. They are a *net.OpError. Other errors are a TypeError if P is
// neither a Protocol nor a BufferedProtocol, the PanicError of ConnectionMade, that
// of the handshake with WithTLS (see StartTLS), and those of a wait. With an error
// nothing is left open. Only a task may call it.
//
// Python: loop.create_connection.
func CreateConnection[P BaseProtocol](ctx context.Context, factory func() P, network, addr string, opts ...ConnectOption) (Transport, P, error) {
	t, p, err := createConnection(ctx, func() BaseProtocol { return factory() }, network, addr, connectChoices(opts))
	if err != nil {
		var none P
		return nil, none, err
	}
	return t, p.(P), nil
}

// CreateUnixConnection is CreateConnection to a unix socket. Python:
// loop.create_unix_connection.
func CreateUnixConnection[P BaseProtocol](ctx context.Context, factory func() P, path string, opts ...ConnectOption) (Transport, P, error) {
	return CreateConnection(ctx, factory, "unix", path, opts...)
}

// ConnectAcceptedSocket makes a transport for a connection that was accepted
// elsewhere. c is a net.Conn of package net or of Dial, a *Socket that SockAccept
// has returned, or an *os.File of a socket; on a loop with another Network it is a
// net.Conn of that loop. c is closed unless an error is returned, as the transport
// has a duplicate. The call waits and fails as CreateConnection does.
//
// Python: loop.connect_accepted_socket.
func ConnectAcceptedSocket[P BaseProtocol](ctx context.Context, factory func() P, c io.Closer) (Transport, P, error) {
	s, ok := c.(syscall.Conn)
	if !ok {
		var none P
		return nil, none, typeErrorf("a connection of the system was expected, got %T", c)
	}
	t, p, err := CreateConnection(ctx, factory, "", "", WithSocket(s))
	if err == nil {
		c.Close()
	}
	return t, p, err
}

func createConnection(ctx context.Context, factory func() BaseProtocol, network, addr string, o *connectOptions) (_ Transport, _ BaseProtocol, err error) {
	me, err := current(ctx)
	if err != nil {
		return nil, nil, err
	}
	l := me.loop
	secure, err := o.tls.options(false, addr)
	if err != nil {
		return nil, nil, err
	}
	s, err := connect(ctx, l, network, addr, o)
	if err != nil {
		return nil, nil, err
	}
	var t *socketTransport
	defer func() {
		if t == nil {
			s.close() // factory has panicked, or its protocol is none
		}
	}()
	p := factory()
	if secure != nil {
		over, err := newTLSTransport(l, p, secure, false)
		if err != nil {
			return nil, nil, err
		}
		if t, err = newSocketTransport(l, s, over.asProtocol(), nil); err != nil {
			return nil, nil, err
		}
		if err := over.waitShaken(ctx); err != nil {
			return nil, nil, err
		}
		return over, p, nil
	}
	if t, err = newSocketTransport(l, s, p, nil); err != nil {
		return nil, nil, err
	}
	if err := t.waitMade(ctx); err != nil {
		return nil, nil, err
	}
	return t, p, nil
}

// connect returns a socket that is connected to addr.
func connect(ctx context.Context, l *Loop, network, addr string, o *connectOptions) (*anySocket, error) {
	if o.existing != nil {
		s, err := l.world().sockets.dupStream(l, o.existing)
		if err == nil && s.end.remoteAddr() == nil && s.network != "unix" {
			s.close()
			err = valueErrorf("the socket is not connected")
		}
		return s, err
	}
	addrs, err := resolveAddr(ctx, l, network, addr, false)
	if err != nil {
		return nil, err
	}
	var locals []net.Addr
	if o.local != "" {
		if locals, err = resolveAddr(ctx, l, network, o.local, true); err != nil {
			return nil, err
		}
	}
	addrs = interleaved(addrs, o.interleave)
	attempt := func(ctx context.Context, i int) (*anySocket, error) {
		local, err := localFor(locals, addrs[i])
		if err != nil {
			return nil, err
		}
		return l.world().sockets.connect(ctx, l, addrs[i], local, &o.socketOptions)
	}
	var s *anySocket
	var errs []error
	if o.staggered && len(addrs) > 1 {
		s, errs, err = staggered(ctx, len(addrs), o.delay, attempt)
	} else {
		s, errs, err = oneByOne(ctx, len(addrs), attempt)
	}
	switch {
	case err != nil || s != nil:
		return s, err
	case o.allErrors:
		return nil, NewExceptionGroup("create_connection failed", errs...)
	}
	return nil, allFailed(errs)
}

// localFor returns the one of locals from which a can be reached.
func localFor(locals []net.Addr, a net.Addr) (net.Addr, error) {
	if locals == nil {
		return nil, nil
	}
	to, ok := a.(*net.TCPAddr)
	for _, local := range locals {
		from, tcp := local.(*net.TCPAddr)
		if !ok || !tcp || (from.IP.To4() != nil) == (to.IP.To4() != nil) {
			return local, nil
		}
	}
	return nil, &net.AddrError{Err: "no matching local address found", Addr: a.String()}
}

// allFailed is what became of a connection of which every attempt has failed.
func allFailed(errs []error) error {
	texts := make([]string, len(errs))
	same := true
	for i, err := range errs {
		texts[i] = err.Error()
		same = same && texts[i] == texts[0]
	}
	if same {
		return errs[0]
	}
	return errorf("OSError", errors.Join(errs...), "Multiple exceptions: %s", strings.Join(texts, ", "))
}

// oneByOne makes attempts until one succeeds. If none does it returns their
// errors; err is that of a task that must give up.
func oneByOne(ctx context.Context, n int, attempt func(ctx context.Context, i int) (*anySocket, error)) (s *anySocket, errs []error, err error) {
	for i := range n {
		s, err := attempt(ctx, i)
		switch {
		case err == nil:
			return s, nil, nil
		case !isConnectError(err):
			return nil, nil, err
		}
		errs = append(errs, err)
	}
	return nil, errs, nil
}

// isConnectError reports whether err is one of an attempt, after which the next
// may be made.
func isConnectError(err error) bool {
	switch err.(type) {
	case *net.OpError, *net.AddrError:
		return true
	}
	return false
}

// staggered is oneByOne that makes the next attempt after delay already. The
// first to succeed is taken, and the others are given up.
func staggered(ctx context.Context, n int, delay time.Duration, attempt func(ctx context.Context, i int) (*anySocket, error)) (s *anySocket, errs []error, err error) {
	var tried []*Task[*anySocket] // that have not ended, in the order in which they were begun
	defer func() {
		for _, t := range tried {
			t.Cancel()
			t.AddDoneCallback(NewCallback(func(AnyFuture) {
				if late, err := t.Result(); err == nil && late != s {
					late.close()
				}
			}))
		}
	}()
	errs = make([]error, n)
	index := make(map[*Task[*anySocket]]int)
	for begun := 0; begun < n || len(tried) > 0; {
		within := NoTimeout
		if begun < n {
			i := begun
			t := CreateTask(ctx, func(ctx context.Context) (*anySocket, error) { return attempt(ctx, i) })
			index[t] = i
			tried = append(tried, t)
			if begun++; begun < n {
				within = delay
			}
		}
		done, rest, err := Wait(ctx, tried, FirstCompleted, Within(within))
		if err != nil {
			return nil, nil, err
		}
		tried = rest
		for _, t := range done {
			found, err := t.Result()
			switch {
			case err == nil && s == nil:
				s = found
			case err == nil:
				found.close()
			case !isConnectError(err):
				if s != nil {
					s.close()
				}
				return nil, nil, err
			default:
				errs[index[t]] = err
			}
		}
		if s != nil {
			return s, nil, nil
		}
	}
	return nil, errs, nil
}
