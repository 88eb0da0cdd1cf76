package asyncio_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The path of a unix socket that is alive is in use: of a server and of a socket for
// datagrams, whosever it is, and it has no visitor by that. One that is dead goes.
func TestUnixPathInUse(t *testing.T) {
	onUnix(t)
	dir := t.TempDir()
	stream := func(path string) (io.Closer, error) {
		ln, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
		if err == nil {
			ln.SetUnlinkOnClose(false)
		}
		return ln, err
	}
	grams := func(path string) (io.Closer, error) {
		return net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		handle := func(context.Context, *asyncio.StreamReader, *asyncio.StreamWriter) error { return nil }
		server := func(path string, replace bool) (io.Closer, error) {
			srv, err := asyncio.StartUnixServer(ctx, path, handle, asyncio.WithReplacePath(replace))
			if err != nil {
				return nil, err
			}
			return closing(func() error { srv.Close(); return srv.WaitClosed(ctx) }), nil
		}
		endpoint := func(path string, replace bool) (io.Closer, error) {
			tr, _, err := asyncio.CreateDatagramEndpoint(ctx, func() asyncio.NopDatagramProtocol { return asyncio.NopDatagramProtocol{} },
				"unixgram", asyncio.WithLocalAddr(path), asyncio.WithReplacePath(replace))
			if err != nil {
				return nil, err
			}
			return closing(func() error { tr.Close(); return nil }), nil
		}
		ours := func(open func(string, bool) (io.Closer, error)) func(string) (io.Closer, error) {
			return func(path string) (io.Closer, error) { return open(path, false) }
		}
		for there, first := range map[string]func(path string) (io.Closer, error){
			"a listener of package net": stream, "datagrams of package net": grams,
			"a server": ours(server), "an endpoint": ours(endpoint),
		} {
			for here, open := range map[string]func(string, bool) (io.Closer, error){"a server": server, "an endpoint": endpoint} {
				path := filepath.Join(dir, "s")
				old, err := first(path)
				if err != nil {
					t.Fatal(there, err)
				}
				before, _ := os.Lstat(path)
				c, err := open(path, false)
				var op *net.OpError
				if !errors.Is(err, syscall.EADDRINUSE) || !errors.As(err, &op) {
					t.Errorf("%s over %s: %v", here, there, err)
				}
				if c != nil {
					c.Close()
				}
				if now, err := os.Lstat(path); err != nil || !os.SameFile(now, before) {
					t.Errorf("%s over %s: the path has gone", here, there)
				}
				if ln, ok := old.(*net.UnixListener); ok && runtime.GOOS == "linux" {
					ln.SetDeadline(time.Unix(1, 0))
					if c, err := ln.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("%s over %s: there was a visitor: %v, %v", here, there, c, err)
					}
				}
				// Python's way.
				if c, err = open(path, true); err != nil {
					t.Errorf("%s in place of %s: %v", here, there, err)
				} else {
					c.Close()
				}
				old.Close()
				os.Remove(path)
			}
		}
		// The dead.
		for _, first := range []func(path string) (io.Closer, error){stream, grams} {
			for _, open := range []func(string, bool) (io.Closer, error){server, endpoint} {
				path := filepath.Join(dir, "dead")
				old, err := first(path)
				require.NoError(t, err)
				old.Close()
				if c, err := open(path, false); err != nil {
					t.Error(err)
				} else {
					c.Close()
				}
				os.Remove(path)
			}
		}
	})
}

type closing func() error

func (f closing) Close() error { return f() }
