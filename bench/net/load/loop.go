//go:build linux

package load

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/bench/net/process"
	"github.com/go-greenlet/greenlet/internal/sys"
)

type loop struct {
	Config
	server  unix.SockaddrInet4
	ep      int
	conns   []*conn
	idle    []int
	opened  int // connections so far
	message []byte
	answer  []byte
	latency histogram
	base    time.Time
	current time.Duration // since base; no older than the last batch of events
}

// A conn has at most one request in flight.
type conn struct {
	number  int
	fd      int
	sent    int           // bytes of the message that are sent
	got     int           // bytes of the answer that are here
	stamp   byte          // the first byte of the message, and the last inverted
	blocked bool          // waits until more of the message can be sent
	asked   time.Duration // when the request began
}

func newLoop(c Config) (*loop, error) {
	addr, err := netip.ParseAddrPort(c.Addr)
	if err != nil || !addr.Addr().Is4() {
		return nil, fmt.Errorf("load: the address %q: want IPv4 and a port: %v", c.Addr, err)
	}
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	return &loop{
		Config:  c,
		server:  unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()},
		ep:      ep,
		message: make([]byte, c.Size),
		answer:  make([]byte, max(c.Size+1, 4096)), // one that is too long is seen
		base:    time.Now(),
	}, nil
}

func (l *loop) now() time.Duration {
	l.current = time.Since(l.base)
	return l.current
}

func (l *loop) newConn() *conn {
	c := &conn{number: len(l.conns)}
	l.conns = append(l.conns, c)
	return c
}

// dial connects from one of many addresses of the loopback network, so that the
// ports of closed connections, which rest for a while, do not run out. The socket
// blocks, but is read only when it is readable.
func (l *loop) dial() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	l.opened++
	from := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + l.opened%200)}}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.Bind(fd, &from),
		unix.Connect(fd, &l.server),
	)
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("load: connection %d: %w", l.opened, err)
	}
	return fd, nil
}

// begin connects c and sends its first request.
func (l *loop) begin(c *conn) (err error) {
	c.asked = l.now()
	if c.fd, err = l.dial(); err != nil {
		return err
	}
	if err := unix.SetNonblock(c.fd, true); err != nil {
		return err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.number)}
	if err := unix.EpollCtl(l.ep, unix.EPOLL_CTL_ADD, c.fd, &event); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return l.ask(c)
}

// ask begins a request, at the time that asked says.
func (l *loop) ask(c *conn) error {
	c.sent, c.got = 0, 0
	c.stamp++
	return l.send(c)
}

// send goes on sending, and waits until it can only when it has to.
func (l *loop) send(c *conn) error {
	l.message[l.Size-1] = ^c.stamp
	l.message[0] = c.stamp
	for c.sent < l.Size {
		n, err := sys.Write(c.fd, l.message[c.sent:])
		if err == unix.EAGAIN {
			return l.block(c, true)
		}
		if err != nil {
			return fmt.Errorf("load: write: %w", err)
		}
		c.sent += n
	}
	return l.block(c, false)
}

func (l *loop) block(c *conn, blocked bool) error {
	if c.blocked == blocked {
		return nil
	}
	c.blocked = blocked
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.number)}
	if blocked {
		event.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(l.ep, unix.EPOLL_CTL_MOD, c.fd, &event)
}

// receive reads once. A complete answer is counted and the next request sent.
func (l *loop) receive(c *conn) error {
	n, err := sys.Read(c.fd, l.answer)
	if err == unix.EAGAIN {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load: read: %w", err)
	}
	if n == 0 {
		return errors.New("load: the server has closed a connection")
	}
	if wrong := c.check(l.answer[:n], l.Size); wrong != "" {
		return errors.New("load: wrong answer: " + wrong)
	}
	if c.got += n; c.got < l.Size {
		return nil
	}
	l.latency.add(l.now() - c.asked)
	if l.Churn {
		unix.Close(c.fd)
		return l.begin(c)
	}
	c.asked = l.current
	return l.ask(c)
}

// check says what is wrong with the next part of an answer.
func (c *conn) check(part []byte, size int) string {
	first, last := c.stamp, ^c.stamp
	if size == 1 {
		last = first
	}
	switch {
	case c.got+len(part) > c.sent:
		return "it is longer than what was sent"
	case c.got == 0 && part[0] != first:
		return "the first byte"
	case c.got+len(part) == size && part[len(part)-1] != last:
		return "the last byte"
	}
	return ""
}

// run works for the given time. It asks the kernel without waiting as long as
// something is found that way.
func (l *loop) run(span time.Duration) error {
	var events [256]unix.EpollEvent
	for end := l.now() + span; l.current < end; {
		n := sys.Poll(l.ep, events[:])
		if n == 0 {
			var err error
			n, err = sys.Wait(l.ep, events[:], nil)
			if err != nil && err != unix.EINTR {
				return fmt.Errorf("epoll_pwait2: %w", err)
			}
		}
		for _, e := range events[:n] {
			c := l.conns[e.Fd]
			if c.blocked && e.Events&unix.EPOLLOUT != 0 {
				if err := l.send(c); err != nil {
					return err
				}
			}
			if e.Events&^unix.EPOLLOUT != 0 {
				if err := l.receive(c); err != nil {
					return err
				}
			}
		}
		l.now() // also when nothing was complete
	}
	return nil
}

// hold makes n connections that have had one answer each and do nothing more. It
// says by how many bytes the server has grown for each.
func (l *loop) hold(n int) (float64, error) {
	if n == 0 {
		return 0, nil
	}
	before, err := l.resident()
	if err != nil {
		return 0, err
	}
	for range n {
		fd, err := l.dial()
		if err != nil {
			return 0, err
		}
		l.idle = append(l.idle, fd)
		if _, err := unix.Write(fd, l.message); err != nil {
			return 0, fmt.Errorf("load: write: %w", err)
		}
		for got := 0; got < l.Size; {
			n, err := unix.Read(fd, l.answer)
			if err != nil || n == 0 {
				return 0, fmt.Errorf("load: idle connection %d was not answered: %w", len(l.idle), err)
			}
			got += n
		}
	}
	after, err := l.resident()
	return float64(after-before) / float64(n), err
}

func (l *loop) resident() (int64, error) {
	if l.Server == 0 {
		return 0, nil
	}
	return process.Resident(l.Server)
}

func (l *loop) close() {
	for _, c := range l.conns {
		unix.Close(c.fd)
	}
	for _, fd := range l.idle {
		unix.Close(fd)
	}
	unix.Close(l.ep)
}
