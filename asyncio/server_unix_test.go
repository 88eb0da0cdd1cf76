//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Out of descriptors a server reports it, waits, and goes on.
func TestServerOutOfDescriptors(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		var told []asyncio.ExceptionContext
		asyncio.CurrentTask(ctx).Loop().SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told = append(told, c) })
		server := serving(t, ctx, echo)
		to := server.Addr().(*net.TCPAddr)
		var clients []int // which need no descriptor to be connected
		for range 3 {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			clients = append(clients, fd)
		}
		restore := noDescriptors(t)
		for _, fd := range clients {
			if err := unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}); err != nil {
				restore()
				return err
			}
		}
		for len(told) == 0 {
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				restore()
				return err
			}
		}
		for range 20 {
			asyncio.Sleep(ctx, time.Millisecond)
		}
		restore()
		if len(told) != 1 || told[0].Message != "socket.accept() out of system resource" || !errors.Is(told[0].Exception, syscall.EMFILE) {
			t.Errorf("the handler was told %v", told)
		}
		for _, fd := range clients {
			unix.Write(fd, []byte("x"))
			p := make([]byte, 1)
			if err := asyncio.ToThreadFunc(ctx, func(context.Context) error { _, err := unix.Read(fd, p); return err }); err != nil || string(p) != "x" {
				t.Errorf("after the pause: %q, %v", p, err)
			}
			unix.Shutdown(fd, unix.SHUT_RDWR)
		}
		return server.Shutdown(ctx)
	})
}

// noDescriptors lets the process open no more files until the function that it
// returns is called.
func noDescriptors(t *testing.T) (restore func()) {
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	low := old
	low.Cur = 0 // files that are open stay so
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low))
	return func() {
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old))
	}
}
