//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestSystemScenarios(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/230_sock_calls", sockCalls},
		scenario{"asyncio/250_signal_handler", signalHandler},
	)
}

// sysName is the name in Python of an error of the system.
func sysName(err error) string {
	for class, is := range map[string]error{
		"BrokenPipeError":        syscall.EPIPE,
		"ConnectionRefusedError": syscall.ECONNREFUSED,
		"ConnectionResetError":   syscall.ECONNRESET,
	} {
		if errors.Is(err, is) {
			return class
		}
	}
	return pyName(err)
}

// newSocket makes a socket that is closed at the end of the test.
func newSocket(t *testing.T, network string) *asyncio.Socket {
	t.Helper()
	s, err := asyncio.NewSocket(network)
	require.NoError(t, err)
	return s
}

func sockCalls(s *script) {
	serve := func(ctx context.Context, ls *asyncio.Socket) error {
		conn, _, err := ls.Accept(ctx)
		if err != nil {
			return err
		}
		for {
			data, err := conn.Recv(ctx, 100)
			if err == io.EOF {
				break
			}
			s.must(err)
			s.print("server got", string(data))
			for i, c := range data {
				data[i] = c - 'a' + 'A'
			}
			s.must(conn.SendAll(ctx, data))
		}
		s.print("server eof")
		return conn.Close()
	}
	s.program(func(ctx context.Context) error {
		ls := newSocket(s.t, "tcp")
		s.must(ls.Bind("127.0.0.1:0"))
		s.must(ls.Listen(0))
		t := asyncio.Go(ctx, func(ctx context.Context) error { return serve(ctx, ls) })
		c := newSocket(s.t, "tcp")
		s.must(c.Connect(ctx, ls.Addr().String()))
		s.must(c.SendAll(ctx, []byte("ping")))
		data, err := c.Recv(ctx, 100)
		s.must(err)
		s.print("client got", string(data))
		buf := make([]byte, 10)
		s.must(c.SendAll(ctx, []byte("into")))
		n, err := c.RecvInto(ctx, buf)
		s.must(err)
		s.print("recv_into", n, string(buf[:n]))
		s.must(c.Close())
		_, err = t.Await(ctx)
		s.must(err)
		s.must(ls.Close())
		bad := newSocket(s.t, "tcp")
		s.print(sysName(bad.Connect(ctx, "127.0.0.1:1")))
		s.must(bad.Close())
		infos, err := asyncio.GetAddrInfo(ctx, "tcp", "127.0.0.1", "80")
		s.must(err)
		s.print("getaddrinfo", infos[0].Addr(), infos[0].Port())
		host, service, err := asyncio.GetNameInfo(ctx, infos[0], asyncio.NumericHost|asyncio.NumericService)
		s.print("getnameinfo", host, service)
		return err
	})
}

func signalHandler(s *script) {
	kill := func() { s.must(syscall.Kill(os.Getpid(), syscall.SIGUSR1)) }
	s.program(func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		s.must(err)
		got := asyncio.NewEvent()
		handler := func(label string) func() {
			return func() {
				s.print("signal", label)
				got.Set()
			}
		}
		s.must(loop.AddSignalHandler(syscall.SIGUSR1, handler("first")))
		kill()
		s.print("sent, not handled yet", yes(!got.IsSet()))
		s.must(got.Wait(ctx))
		got.Clear()
		s.must(loop.AddSignalHandler(syscall.SIGUSR1, handler("second")))
		loop.CallLater(shortly, kill)
		s.must(got.Wait(ctx))
		s.print("remove", yes(loop.RemoveSignalHandler(syscall.SIGUSR1)))
		s.print("remove again", yes(loop.RemoveSignalHandler(syscall.SIGUSR1)))
		err = loop.AddSignalHandler(syscall.SIGKILL, func() {})
		s.print(pyName(err), err)
		s.print(pyName(loop.AddSignalHandler(syscall.Signal(9999), func() {})))
		return nil
	})
}
