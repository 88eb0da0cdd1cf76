package asynciotest

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A relay stands between a library and its servers: what they answer is passed on
// late, or not at all.
type relay struct {
	delay  time.Duration
	dialer asyncio.Dialer
	held   chan struct{} // closed when an answer is held back for good
	holds  sync.Once
	over   chan struct{}
	mu     sync.Mutex
	open   []io.Closer
}

// keep has what close closes.
func (r *relay) keep(c io.Closer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = append(r.open, c)
}

func (r *relay) close() {
	close(r.over)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.open {
		c.Close()
	}
}

// dial connects to addr by way of goroutines, which need no loop.
func (r *relay) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	switch {
	case strings.HasPrefix(network, "tcp"), network == "unix":
		return r.stream(ctx, network, addr)
	case strings.HasPrefix(network, "udp"):
		return r.datagrams(ctx, network, addr)
	}
	return nil, net.UnknownNetworkError("asynciotest: " + strconv.Quote(network))
}

func (r *relay) stream(ctx context.Context, network, addr string) (net.Conn, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r.keep(ln)
	go func() {
		defer ln.Close()
		near, err := ln.Accept()
		if err != nil {
			return
		}
		defer near.Close()
		r.keep(near)
		far, err := net.Dial(network, addr)
		if err != nil {
			return
		}
		defer far.Close()
		r.keep(far)
		go func() {
			io.Copy(far, near)
			far.(interface{ CloseWrite() error }).CloseWrite()
		}()
		b := make([]byte, 64<<10)
		for {
			n, err := far.Read(b)
			if err != nil || !r.wait() {
				return
			}
			if _, err := near.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	return r.dialer.DialContext(ctx, "tcp", ln.Addr().String())
}

func (r *relay) datagrams(ctx context.Context, network, addr string) (net.Conn, error) {
	near, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r.keep(near)
	far, err := net.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	r.keep(far)
	client := make(chan net.Addr, 1)
	go func() {
		for b, first := make([]byte, 64<<10), true; ; first = false {
			n, from, err := near.ReadFrom(b)
			if err != nil {
				return
			}
			if first {
				client <- from
			}
			far.Write(b[:n]) // what is lost is lost
		}
	}()
	go func() {
		var to net.Addr
		select {
		case to = <-client:
		case <-r.over:
			return
		}
		for b := make([]byte, 64<<10); ; {
			n, err := far.Read(b)
			if err != nil || !r.wait() { // also that there is no server
				near.Close()
				return
			}
			near.WriteTo(b[:n], to)
		}
	}()
	return r.dialer.DialContext(ctx, "udp", near.LocalAddr().String())
}

// wait lets the delay pass. It reports false if nothing is to be passed on.
func (r *relay) wait() bool {
	if r.delay < 0 {
		r.holds.Do(func() { close(r.held) })
		<-r.over
		return false
	}
	select {
	case <-time.After(r.delay):
		return true
	case <-r.over:
		return false
	}
}
