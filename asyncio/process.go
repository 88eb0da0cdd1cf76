package asyncio

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// A Process is a child process, with streams for its pipes. It belongs to its loop.
// CreateSubprocessExec and CreateSubprocessShell make it.
//
// Python: asyncio.subprocess.Process.
type Process struct {
	// Stdin is the child's input, if WithStdin(Pipe) was said; else nil. Close it to
	// end the input.
	Stdin *StreamWriter

	// Stdout and Stderr are what the child writes, if they are pipes; else nil. A
	// child that writes much waits until it is read.
	Stdout, Stderr *StreamReader

	transport *subprocess
	options   *subprocessOptions
	flow      flowControl // of Stdin
}

// CreateSubprocessExec starts a child process: argv[0], which is looked for as
// os/exec does, with argv as its arguments. Its standard streams are those of this
// process unless options say otherwise. Blocking, errors and systems are those of
// SubprocessExec.
//
// The child ends by itself, by a signal, or with the loop: Run kills those that it
// leaves behind. There are no zombies, whether anybody waits or not. Only a task
// may call it; it switches.
//
// Python: asyncio.create_subprocess_exec.
func CreateSubprocessExec(ctx context.Context, argv []string, opts ...SubprocessOption) (*Process, error) {
	p := &Process{options: chooseSubprocess(Inherit, opts)}
	t, err := spawn(ctx, func() SubprocessProtocol { return (*processProtocol)(p) }, argv, p.options)
	if err != nil {
		return nil, err
	}
	p.transport = t
	return p, nil
}

// CreateSubprocessShell is CreateSubprocessExec of a command for the shell: see
// SubprocessShell.
//
// Python: asyncio.create_subprocess_shell.
func CreateSubprocessShell(ctx context.Context, command string, opts ...SubprocessOption) (*Process, error) {
	return CreateSubprocessExec(ctx, shell(command), opts...)
}

// Pid returns the number of the process. Any goroutine may call it. Python:
// Process.pid.
func (p *Process) Pid() int { return p.transport.Pid() }

// ReturnCode returns the exit code: -N if signal N has ended the process. Before
// its end ok is false. Owner only. Python: Process.returncode.
func (p *Process) ReturnCode() (code int, ok bool) { return p.transport.ReturnCode() }

// Transport returns what the process is to the loop. Owner only.
func (p *Process) Transport() SubprocessTransport { return p.transport }

// SendSignal sends sig to the process. After its end the error is
// os.ErrProcessDone, Python's ProcessLookupError. Owner only; it does not switch.
// Python: Process.send_signal.
func (p *Process) SendSignal(sig os.Signal) error { return p.transport.SendSignal(sig) }

// Terminate asks the process to end, by SIGTERM; where there is no such signal it
// is Kill. Errors as SendSignal. Python: Process.terminate.
func (p *Process) Terminate() error { return p.transport.Terminate() }

// Kill ends the process, by SIGKILL. Errors as SendSignal. Python: Process.kill.
func (p *Process) Kill() error { return p.transport.Kill() }

// Wait suspends the calling task until the process has ended, and returns its exit
// code: -N if signal N has ended it. If it has ended already it does not switch.
// Any number of tasks may wait. It does not wait for pipes, which a grandchild may
// keep open; a child with pipes that nobody reads may never end: see Communicate.
//
// The error is one of a wait. The process lives on then, unless it was started
// WithKillOnCancel. Python: Process.wait.
func (p *Process) Wait(ctx context.Context) (int, error) {
	err := p.transport.gone.Wait(ctx)
	if err != nil {
		p.endAfter(ctx, err)
	}
	code, _ := p.transport.ReturnCode()
	return code, err
}

// Communicate writes input to Stdin and closes it, reads Stdout and Stderr to their
// ends, all at once, and waits until the process has ended. A stream that is no
// pipe gives nil. It is no error if the child does not read all its input. A
// grandchild that has inherited a pipe is waited for, too.
//
// With an error nothing of the output is lost: it can still be read. How much of
// the input was written is not known. Errors are those of Wait, with the same
// consequence, and of the pipes; it is a ValueError if there is input, and no pipe
// for it. Only a task may call it. Python: Process.communicate.
func (p *Process) Communicate(ctx context.Context, input []byte) (stdout, stderr []byte, err error) {
	if len(input) > 0 && p.Stdin == nil {
		return nil, nil, valueErrorf("there is input for a process whose input is no pipe")
	}
	var work []Awaitable[None]
	add := func(f Coro[None]) { work = append(work, f) }
	if p.Stdin != nil {
		add(func(ctx context.Context) (None, error) { return None{}, p.feed(ctx, input) })
	}
	for _, r := range []*StreamReader{p.Stdout, p.Stderr} {
		if r != nil {
			add(func(ctx context.Context) (None, error) { return None{}, r.waitEOF(ctx) })
		}
	}
	if len(work) == 1 {
		_, err = work[0].Await(ctx)
	} else if len(work) > 1 {
		_, err = Gather(ctx, work...).Await(ctx)
	}
	if err == nil {
		err = p.transport.gone.Wait(ctx)
	}
	if err != nil {
		p.endAfter(ctx, err)
		return nil, nil, err
	}
	return p.Stdout.takeAll(), p.Stderr.takeAll(), nil
}

// feed writes all of the input, and ends it.
func (p *Process) feed(ctx context.Context, input []byte) error {
	p.Stdin.Write(input)
	err := p.Stdin.Drain(ctx)
	switch {
	case errors.Is(err, ErrConnectionLost), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
	case err != nil:
		return err
	}
	p.Stdin.Close()
	return nil
}

// waitEOF waits for the end of the stream, and takes nothing.
func (r *StreamReader) waitEOF(ctx context.Context) error {
	for !r.eof {
		t, g, err := r.beginWait(ctx, "communicate")
		if g != nil {
			_, err = g.Switch(nil)
		}
		if err = r.endWait(t, err); err != nil {
			return err
		}
	}
	return r.err
}

// takeAll takes what there is: something, if there is a reader.
func (r *StreamReader) takeAll() []byte {
	switch {
	case r == nil:
		return nil
	case r.got.len() == 0:
		return []byte{}
	}
	return r.got.take(r.got.len())
}

// endAfter ends the process if a wait for it has failed with err, and waits until it
// has ended, if that is what was asked for.
func (p *Process) endAfter(ctx context.Context, err error) {
	t := p.transport
	ended := asCancelled(err) != nil || ctx.Err() != nil
	if !p.options.killOnCancel || !ended || t.exited {
		return
	}
	if p.options.grace > 0 {
		t.Terminate()
		defer t.loop.CallLater(p.options.grace, func() { t.Kill() }).Cancel()
	} else {
		t.Kill()
	}
	ctx = context.WithoutCancel(ctx)
	for asCancelled(t.gone.Wait(ctx)) != nil {
		t.Kill() // a second cancel
	}
}

// A processProtocol is a Process as the protocol of its transport.
type processProtocol Process

// ConnectionMade makes the streams.
func (p *processProtocol) ConnectionMade(st SubprocessTransport) {
	t := st.(*subprocess)
	p.flow.owner.loop = t.loop
	if c := t.pipes[0]; c != nil {
		p.Stdin = &StreamWriter{transport: c.transport, flow: &p.flow}
	}
	for fd, r := range []**StreamReader{1: &p.Stdout, 2: &p.Stderr} {
		if c := t.pipes[fd]; fd > 0 && c != nil {
			*r = NewStreamReader(t.loop, p.options.limit)
			(*r).SetTransport(c.transport)
		}
	}
}

func (p *processProtocol) reader(fd int) *StreamReader {
	if fd == 1 {
		return p.Stdout
	}
	return p.Stderr
}

// PipeDataReceived feeds a reader.
func (p *processProtocol) PipeDataReceived(fd int, data []byte) { p.reader(fd).FeedData(data) }

// PipeConnectionLost ends a stream.
func (p *processProtocol) PipeConnectionLost(fd int, err error) {
	switch {
	case fd == 0:
		p.flow.connectionLost(err)
	case err != nil:
		p.reader(fd).SetException(err)
	default:
		p.reader(fd).FeedEOF()
	}
}

// ProcessExited does nothing: who waits is told by the transport.
func (p *processProtocol) ProcessExited() {}

// ConnectionLost does nothing.
func (p *processProtocol) ConnectionLost(error) {}

// PauseWriting makes Drain wait.
func (p *processProtocol) PauseWriting() { p.flow.PauseWriting() }

// ResumeWriting wakes the tasks that wait in Drain.
func (p *processProtocol) ResumeWriting() { p.flow.ResumeWriting() }
