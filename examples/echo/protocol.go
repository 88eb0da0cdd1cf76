package main

import (
	"bytes"
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

// protocol is the way with the least between the program and the network: no task
// waits for a connection, the loop calls when something has come.
func protocol(ctx context.Context, lines []string, heard func(line string)) error {
	server, err := asyncio.CreateServer(ctx, func() *echoProtocol { return new(echoProtocol) }, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer server.Close()
	_, c, err := asyncio.CreateConnection(ctx, func() *talker {
		return &talker{lines: lines, heard: heard, over: asyncio.NewFuture[asyncio.None](server.Loop())}
	}, "tcp", server.Addr().String())
	if err != nil {
		return err
	}
	if _, err := c.over.Await(ctx); err != nil {
		return err
	}
	return server.Shutdown(ctx)
}

// An echoProtocol is the server's side.
type echoProtocol struct {
	asyncio.NopProtocol
	transport asyncio.Transport
}

func (p *echoProtocol) ConnectionMade(t asyncio.Transport) { p.transport = t }
func (p *echoProtocol) DataReceived(data []byte)           { p.transport.Write(data) }

// While the client does not read, nothing more is read from it.
func (p *echoProtocol) PauseWriting()  { p.transport.PauseReading() }
func (p *echoProtocol) ResumeWriting() { p.transport.ResumeReading() }

// A talker is the client's side.
type talker struct {
	asyncio.NopProtocol
	transport asyncio.Transport
	lines     []string // to be said
	got       []byte   // of a line that is not complete
	heard     func(line string)
	over      *asyncio.Future[asyncio.None]
}

func (p *talker) ConnectionMade(t asyncio.Transport) {
	p.transport = t
	p.sayNext()
}

func (p *talker) sayNext() {
	if len(p.lines) == 0 {
		p.transport.Close()
		return
	}
	p.transport.Write([]byte(p.lines[0] + "\n"))
	p.lines = p.lines[1:]
}

// Data comes in pieces of any size.
func (p *talker) DataReceived(data []byte) {
	p.got = append(p.got, data...)
	for {
		line, rest, whole := bytes.Cut(p.got, []byte("\n"))
		if !whole {
			return
		}
		p.heard(string(line))
		p.got = rest
		p.sayNext()
	}
}

func (p *talker) ConnectionLost(err error) {
	if err != nil {
		p.over.SetException(err)
		return
	}
	p.over.SetResult(asyncio.None{})
}
