//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// These serve nothing: they tell how much of a request's time no server in Go can
// do without, so what is left to be won.
func init() {
	ways["bare"] = bare
	ways["parsing"] = parsing
}

// bare makes the system calls of a request, and no others: a wait for all
// connections that have something, a read and a write for each. It does not look at
// what it reads.
func bare() error {
	ln, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	if err := unix.Bind(ln, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	if err := unix.Listen(ln, 1024); err != nil {
		return err
	}
	here, err := unix.Getsockname(ln)
	if err != nil {
		return err
	}
	poll, err := unix.EpollCreate1(0)
	if err != nil {
		return err
	}
	watch := func(fd int) error {
		return unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	}
	if err := watch(ln); err != nil {
		return err
	}
	fmt.Printf("ready 127.0.0.1:%d\n", here.(*unix.SockaddrInet4).Port)
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Mon, 30 Nov 2026 00:00:00 GMT\r\nContent-Length: 12\r\n\r\n" + text)
	buf := make([]byte, 4096)
	for events := make([]unix.EpollEvent, 128); ; {
		n, err := unix.EpollWait(poll, events, -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range events[:n] {
			fd := int(e.Fd)
			if fd == ln {
				if fd, _, err = unix.Accept4(ln, unix.SOCK_NONBLOCK); err != nil {
					continue
				}
				unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
				if err := watch(fd); err != nil {
					return err
				}
				continue
			}
			if n, _ := unix.Read(fd, buf); n <= 0 {
				unix.Close(fd)
				continue
			}
			unix.Write(fd, answer)
		}
	}
}

// parsing does what a server of http.Handlers cannot leave out: it has ReadRequest
// parse a request, gives it a context, has the handler answer, and writes that. It
// has no limits, no deadlines, no bodies, no hijackers, and does not see that a
// client has gone.
func parsing() error {
	m := mux()
	return onLoop(func(ctx context.Context, ln net.Listener) error {
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			asyncio.Go(ctx, func(ctx context.Context) error {
				defer c.Close()
				in, out := bufio.NewReader(c), bufio.NewWriter(c)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return nil
					}
					w := &least{header: make(http.Header)}
					m.ServeHTTP(w, r.WithContext(ctx))
					out.WriteString("HTTP/1.1 200 OK\r\nDate: Mon, 30 Nov 2026 00:00:00 GMT\r\nContent-Length: ")
					out.WriteString(strconv.Itoa(len(w.body)))
					out.WriteString("\r\n")
					for name, values := range w.header {
						out.WriteString(name)
						out.WriteString(": ")
						out.WriteString(values[0])
						out.WriteString("\r\n")
					}
					out.WriteString("\r\n")
					out.WriteString(w.body)
					if out.Flush() != nil {
						return nil
					}
				}
			})
		}
	})
}

// A least is as little of a ResponseWriter as there can be: for one write of text.
type least struct {
	header http.Header
	body   string
}

func (w *least) Header() http.Header               { return w.header }
func (w *least) WriteHeader(int)                   {}
func (w *least) Write(p []byte) (int, error)       { w.body += string(p); return len(p), nil }
func (w *least) WriteString(s string) (int, error) { w.body = s; return len(s), nil }

var _ io.StringWriter = (*least)(nil)
