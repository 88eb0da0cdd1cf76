package libraries

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A proxy stands between a library and its server. It can stop in the middle of
// what the server says, by the byte: then that connection is silent for good.
type proxy struct {
	dialer asyncio.Dialer

	mu     sync.Mutex
	budget int // how much servers may still say; -1: all that they want
	passed int // how much they have said
	stops  *passage
	all    []*passage
}

// A passage is a connection.
type passage struct {
	near  net.Conn      // the proxy's end of the client's connection
	ended chan struct{} // closed when the client has closed its end
	// What the client has said, in small letters, and what since it was stopped. The
	// proxy's mu guards them.
	all, after []byte
}

func newProxy(l *asyncio.Loop) *proxy {
	return &proxy{dialer: asyncio.Dialer{Loop: l}, budget: -1}
}

// stopAfter has the proxy stop after n bytes more.
func (p *proxy) stopAfter(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.budget, p.stops = n, nil
}

// free has what is not stopped go on.
func (p *proxy) free() { p.stopAfter(-1) }

func (p *proxy) said() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

func (p *proxy) stopped() *passage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stops
}

// close ends what is left.
func (p *proxy) close() {
	for _, c := range p.passages() {
		c.near.Close()
	}
}

func (p *proxy) passages() []*passage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*passage(nil), p.all...)
}

// take reports how many of n bytes c may pass on, and whether it stops then.
func (p *proxy) take(c *passage, n int) (may int, stop bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if may, stop = n, p.budget >= 0 && n > p.budget; stop {
		may = p.budget
	}
	if p.budget >= 0 {
		p.budget -= may
	}
	p.passed += may
	return may, stop
}

func (p *proxy) stop(c *passage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stops = c
}

// heard notes what the client of c says: that after it was stopped for itself.
func (p *proxy) heard(c *passage, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.all = append(c.all, bytes.ToLower(b)...)
	if p.stops == c || c.after != nil {
		c.after = append(c.after, b...)
	}
}

// asked reports whether a client has said text, which is in small letters.
func (p *proxy) asked(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.all, func(c *passage) bool { return bytes.Contains(c.all, []byte(text)) })
}

// dial is an asynciotest.DialFunc.
func (p *proxy) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	far, err := new(net.Dialer).DialContext(ctx, network, addr) // on the loopback, where nobody waits
	if err != nil {
		return nil, err
	}
	near, err := p.dialer.DialContext(ctx, "tcp", ln.Addr().String())
	if err != nil {
		far.Close()
		return nil, err
	}
	accepted, err := ln.Accept() // it has connected, so this does not wait
	if err != nil {
		far.Close()
		near.Close()
		return nil, err
	}
	c := &passage{near: accepted, ended: make(chan struct{})}
	p.mu.Lock()
	p.all = append(p.all, c)
	p.mu.Unlock()
	go func() { // what the client says
		defer far.Close()
		defer close(c.ended)
		for b := make([]byte, 64<<10); ; {
			n, err := accepted.Read(b)
			if n > 0 {
				p.heard(c, b[:n])
				far.Write(b[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	go func() { // what the server says
		defer accepted.Close()
		for b := make([]byte, 64<<10); ; {
			n, err := far.Read(b)
			if n > 0 {
				may, stop := p.take(c, n)
				accepted.Write(b[:may])
				if stop {
					p.stop(c)
					<-c.ended
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return near, nil
}

// untilStopped waits until the proxy has stopped, or task has ended, if there is
// one.
func (p *proxy) untilStopped(ctx context.Context, task asyncio.AnyTask) error {
	return until(ctx, func() bool { return p.stopped() != nil || task != nil && task.Done() })
}

// until waits for what goroutines and other processes do, which the loop does not
// hear of.
func until(ctx context.Context, done func() bool) error {
	for !done() {
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// isOver reports whether c is closed.
func isOver(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
