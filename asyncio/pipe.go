package asyncio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// ConnectReadPipe makes a transport that reads from file: a pipe, a socket or a
// character device, such as a terminal. factory makes its protocol, a Protocol or
// BufferedProtocol; ConnectionMade has been called when ConnectReadPipe returns.
// The Transport that it is given cannot be written to.
//
// The transport takes the file over: file is closed, and the transport's own
// descriptor of it with the transport. It makes it non-blocking, also for others
// that have it open, as the programs of one terminal do. Where the loop watches no
// descriptors the transport uses file itself: it is not the caller's any more.
//
// A ValueError refuses other files, a TypeError other protocols. Then file is as it
// was. Or the wait has failed:
// then the transport is closed. Only a task may call it; it switches.
//
// Python: loop.connect_read_pipe.
func ConnectReadPipe[P BaseProtocol](ctx context.Context, factory func() P, file *os.File) (ReadTransport, P, error) {
	var p P
	t, err := connectPipe(ctx, file, openReadPipe, func() BaseProtocol { p = factory(); return p })
	if err != nil {
		return nil, p, err
	}
	return t, p, nil
}

// ConnectWritePipe makes a transport that writes to file, as ConnectReadPipe makes
// one that reads. Of the protocol's methods ConnectionMade and those of a
// FlowController are called if it has them. WriteEOF is Close. When the other side
// is closed, the connection is lost: with EPIPE if something was still to be
// written, else with nil. Where the loop watches no descriptors it takes a write to
// notice that.
//
// Python: loop.connect_write_pipe.
func ConnectWritePipe[P BaseProtocol](ctx context.Context, factory func() P, file *os.File) (WriteTransport, P, error) {
	var p P
	t, err := connectPipe(ctx, file, openWritePipe, func() BaseProtocol { p = factory(); return p })
	if err != nil {
		return nil, p, err
	}
	return t, p, nil
}

// A pipeTransport is a transport of either direction.
type pipeTransport interface {
	Transport
	openThing
	tellMade() // tells the protocol of the connection
}

// outcomeOf is what a call of an end has come to.
func outcomeOf(call string, n int, err error) (int, bool, error) {
	switch err {
	case nil:
		return n, false, nil
	case fd.ErrAgain:
		return 0, true, nil
	}
	return 0, false, os.NewSyscallError(call, bare(err))
}

var errBrokenPipe = os.NewSyscallError("write", syscall.EPIPE)

// connectPipe makes a transport of file by open, and waits until its protocol has
// been told.
func connectPipe(
	ctx context.Context,
	file *os.File,
	open func(l *Loop, end pipeEnd, p BaseProtocol) (pipeTransport, error),
	factory func() BaseProtocol,
) (Transport, error) {
	me, err := current(ctx)
	if err != nil {
		return nil, err
	}
	if err := me.loop.onlySystem("a pipe"); err != nil {
		return nil, err
	}
	if file == nil {
		return nil, valueErrorf("a file was expected, got nil")
	}
	p := factory()
	end, err := me.loop.world().pipes.endOf(file)
	if err != nil {
		return nil, err
	}
	t, err := open(me.loop, end, p)
	if err != nil {
		end.letGo(file)
		return nil, err
	}
	end.takeOver(file)
	if err := me.loop.afterTurn(ctx, t.tellMade); err != nil {
		t.Abort()
		return nil, err
	}
	return t, nil
}

// afterTurn waits until f has been called, in the next turn. It is called also if
// the wait fails.
func (l *Loop) afterTurn(ctx context.Context, f func()) error {
	called := NewFuture[None](l)
	l.s.Soon(func() {
		called.SetResult(None{})
		f()
	})
	_, err := called.Await(ctx)
	return err
}

// A pipe is what the transports of both directions have: an end of the system's, and
// a protocol that is told.
type pipe struct {
	own      pipeEnd // nil when it is closed
	loop     *Loop
	on       Transport // that it is part of
	stream   bool      // less than was asked for means that there is no more; not so with terminals
	begun    bool      // the protocol was told of the connection
	hungUp   bool      // by the other side
	closing  bool      // nothing is read any more, or taken to be written
	lost     bool      // the protocol has been told of the end, or will be in the next turn
	call     *sched.Call
	protocol BaseProtocol
	opened   inList[openThing]
}

// A watchedTransport is a transport that the loop watches.
type watchedTransport interface {
	Transport
	sched.Watcher
	openThing
}

// open begins to watch end, on behalf of w, whose work is done by run. If that
// fails it stays open.
func (p *pipe) open(l *Loop, end pipeEnd, w watchedTransport, run func()) (err error) {
	p.loop, p.own, p.on = l, end, w
	if p.stream, err = end.watch(l, w); err != nil {
		return err
	}
	p.call = l.s.NewCall(run)
	l.holds(&p.opened, w)
	return nil
}

// abandon gives back the descriptor, and tells nobody.
func (p *pipe) abandon() {
	if p.own != nil {
		if p.loop.IsClosed() {
			p.loop.unclosed(p)
		}
		p.opened.leave()
		p.own.close()
		p.own, p.closing, p.lost = nil, true, true
	}
}

// lose ends the connection, and has the protocol told in the next turn.
func (p *pipe) lose(err error) {
	if p.lost {
		return
	}
	p.closing, p.lost = true, true
	if p.loop.IsClosed() {
		p.abandon()
		return
	}
	p.call.Cancel()
	p.own.unwatch()
	p.loop.s.Soon(func() {
		defer p.abandon()
		defer p.caught("connection_lost")
		p.protocol.ConnectionLost(err)
	})
}

// caught is deferred by what calls the protocol: if that panics the connection is
// over.
func (p *pipe) caught(method string) {
	if v := recover(); v != nil {
		p.lose(p.loop.protocolFailed(v, method, p.on, p.protocol))
	}
}

// protocolFailed reports the panic of a protocol, and returns it as an error.
func (l *Loop) protocolFailed(v any, method string, t BaseTransport, p BaseProtocol) error {
	err := panicError(v, "a protocol")
	if endsRun(err) {
		l.s.Abort(err)
		return err
	}
	l.CallExceptionHandler(ExceptionContext{
		Message:   "Fatal error: protocol." + method + "() call failed.",
		Exception: err,
		Transport: t,
		Protocol:  p,
	})
	return err
}

// made tells the protocol of the connection.
func (p *pipe) made() {
	p.begun = true
	defer p.caught("connection_made")
	if m, ok := p.protocol.(interface{ ConnectionMade(Transport) }); ok {
		m.ConnectionMade(p.on)
	}
}

// String describes the transport for people.
func (p *pipe) String() string {
	switch {
	case p.own == nil:
		return "a pipe transport (closed)"
	case p.closing:
		return fmt.Sprintf("a pipe transport (closing): %s", p.own)
	}
	return fmt.Sprintf("a pipe transport (open): %s", p.own)
}

// IsClosing reports whether the transport is closed, or about to be.
func (p *pipe) IsClosing() bool { return p.closing }

// Protocol returns the protocol.
func (p *pipe) Protocol() BaseProtocol { return p.protocol }

// Loop returns the loop that the transport belongs to.
func (p *pipe) Loop() *Loop { return p.loop }

// ExtraInfo knows "pipe".
func (p *pipe) ExtraInfo(name string, fallback ...any) any {
	switch {
	case name == "pipe":
		return syscall.RawConn(rawPipe{p})
	case len(fallback) > 0:
		return fallback[0]
	}
	return nil
}

// A rawPipe gives a program the descriptor, but not the waits: these are the
// loop's.
type rawPipe struct{ p *pipe }

func (r rawPipe) Control(f func(fd uintptr)) error {
	if r.p.own == nil {
		return os.ErrClosed
	}
	return r.p.own.control(f)
}

func (rawPipe) Read(func(fd uintptr) bool) error  { return errors.ErrUnsupported }
func (rawPipe) Write(func(fd uintptr) bool) error { return errors.ErrUnsupported }
