package asyncio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// SubprocessExec starts a child process: argv[0], which is looked for as os/exec
// does, with argv as its arguments. factory makes its protocol, whose ConnectionMade
// has been called when SubprocessExec returns. The child's standard streams are
// pipes unless options say otherwise.
//
// ConnectionLost comes last of all: when the child has ended, and its pipes. A
// grandchild that has inherited a pipe keeps it open. The loop waits for the child,
// so none is left as a zombie; closing the transport, or the loop, kills it.
//
// Starting blocks the loop for as long as the system takes: well below a
// millisecond. Errors of the system are returned as they are: one of a program that
// is not there is fs.ErrNotExist. A ValueError refuses options. If the wait fails,
// the child is killed. Only a task may call it; it switches.
//
// Python: loop.subprocess_exec.
func SubprocessExec[P SubprocessProtocol](ctx context.Context, factory func() P, argv []string, opts ...SubprocessOption) (SubprocessTransport, P, error) {
	var p P
	t, err := spawn(ctx, func() SubprocessProtocol { p = factory(); return p }, argv, chooseSubprocess(Pipe, opts))
	if err != nil {
		return nil, p, err
	}
	return t, p, nil
}

// SubprocessShell is SubprocessExec of a command for the shell, which is /bin/sh.
// What is put into the command must be quoted for it. It is a child that may have
// children of its own: a signal reaches the shell only. On systems without such a
// shell the error is that of a program that is not there.
//
// Python: loop.subprocess_shell.
func SubprocessShell[P SubprocessProtocol](ctx context.Context, factory func() P, command string, opts ...SubprocessOption) (SubprocessTransport, P, error) {
	return SubprocessExec(ctx, factory, shell(command), opts...)
}

func shell(command string) []string { return []string{"/bin/sh", "-c", command} }

// A subprocess is the transport of a child process. Three or four things end in any
// order, the child and each of its pipes; then it is over.
type subprocess struct {
	loop     *Loop
	protocol SubprocessProtocol
	process  *os.Process
	watch    exitWatch
	pipes    [3]*childPipe // nil: no pipe
	open     int           // how many have not ended
	code     int
	exited   bool
	gone     Event // set when it has exited
	closing  bool
	over     bool // the protocol was told of the end, or will be
	opened   inList[openThing]
}

// A childPipe is the protocol of a pipe to a child.
type childPipe struct {
	process   *subprocess
	fd        int
	transport pipeTransport
}

// spawn starts a child, and waits until its protocol has been told.
func spawn(ctx context.Context, factory func() SubprocessProtocol, argv []string, o *subprocessOptions) (*subprocess, error) {
	me, err := current(ctx)
	if err != nil {
		return nil, err
	}
	if err := me.loop.onlySystem("a child process"); err != nil {
		return nil, err
	}
	if len(argv) == 0 {
		return nil, valueErrorf("a program was expected, got no arguments")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := &subprocess{loop: me.loop, protocol: factory()}
	if err := t.start(argv, o); err != nil {
		return nil, err
	}
	if err := t.loop.afterTurn(ctx, t.tellMade); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// start starts the process and all that watches it. If that fails nothing is left.
func (t *subprocess) start(argv []string, o *subprocessOptions) (err error) {
	program := argv[0]
	if filepath.Base(program) == program {
		if program, err = exec.LookPath(program); errors.Is(err, exec.ErrNotFound) {
			return &os.PathError{Op: "exec", Path: argv[0], Err: syscall.ENOENT}
		} else if err != nil {
			return err
		}
	}
	files := make([]*os.File, 3, 3+len(o.extra))
	var ours []*os.File // to be closed here when the child has them
	defer func() {
		for _, f := range ours {
			f.Close()
		}
		if err != nil {
			t.dropPipes()
		}
	}()
	for fd, s := range o.streams {
		f := s.file
		switch {
		case s.isFile:
		case s.to == Pipe:
			if f, err = t.connect(fd); err != nil {
				return err
			}
			ours = append(ours, f)
		case s.to == DevNull:
			if f, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
				return err
			}
			ours = append(ours, f)
		case s.to == Stdout:
			f = files[1]
		default:
			f = [...]*os.File{os.Stdin, os.Stdout, os.Stderr}[fd]
		}
		files[fd] = f
	}
	sys.Release()
	t.process, err = os.StartProcess(program, argv, &os.ProcAttr{
		Dir:   o.dir,
		Env:   o.env,
		Files: append(files, o.extra...),
		Sys:   o.attr,
	})
	if err != nil {
		return err
	}
	t.watch.watchProcess(t)
	t.loop.holds(&t.opened, t)
	return nil
}

// connect makes the pipe to the child's descriptor fd, and returns the child's end.
func (t *subprocess) connect(fd int) (*os.File, error) {
	our, child, err := t.loop.world().pipes.newPipe(fd > 0)
	if err != nil {
		return nil, err
	}
	open := openReadPipe
	if fd == 0 {
		open = openWritePipe
	}
	c := &childPipe{process: t, fd: fd}
	if c.transport, err = open(t.loop, our, c); err != nil {
		our.close()
		child.Close()
		return nil, err
	}
	t.pipes[fd] = c
	t.open++
	return child, nil
}

// dropPipes closes the pipes of a child that there never was.
func (t *subprocess) dropPipes() {
	for _, c := range t.pipes {
		if c != nil {
			c.transport.abandon()
		}
	}
}

// tellMade tells the protocol of the connection, and begins to read.
func (t *subprocess) tellMade() {
	t.made()
	for _, c := range t.pipes {
		if c != nil {
			c.transport.tellMade()
		}
	}
	t.watch.proceed()
}

func (t *subprocess) made() {
	defer t.caught("connection_made")
	t.protocol.ConnectionMade(t)
}

// caught is deferred by what calls the protocol: if that panics, the child is
// killed.
func (t *subprocess) caught(method string) {
	if v := recover(); v != nil {
		t.loop.protocolFailed(v, method, t, t.protocol)
		t.Close()
	}
}

// ended takes down how the process has ended.
func (t *subprocess) ended(state *os.ProcessState, err error) {
	t.exited, t.code = true, 255 // if somebody else has waited for it, and knows
	if err == nil {
		t.code = returnCode(state)
	}
	t.watch.close()
	t.gone.Set()
	t.tellExited()
	if c := t.pipes[0]; c != nil && !t.loop.world().pipes.tellsClosed() {
		c.transport.Close() // else only a write would tell that nobody reads
	}
	t.finish()
}

func (t *subprocess) tellExited() {
	defer t.caught("process_exited")
	t.protocol.ProcessExited()
}

// finish tells the protocol of the end, if this is the end.
func (t *subprocess) finish() {
	if t.exited && t.open == 0 && !t.over {
		t.over, t.closing = true, true
		t.opened.leave()
		t.loop.s.Soon(func() {
			defer t.caught("connection_lost")
			t.protocol.ConnectionLost(nil)
		})
	}
}

// abandon kills the process, when the loop is closed with it, and waits for it. What
// cannot be killed, because it runs as another user, is waited for elsewhere.
func (t *subprocess) abandon() {
	t.loop.unclosed(t)
	t.closing = true
	if t.exited {
		return // its pipes are given back, too
	}
	t.exited, t.code = true, -1
	err := t.process.Kill()
	if state := t.watch.reap(err == nil || errors.Is(err, os.ErrProcessDone)); state != nil {
		t.code = returnCode(state)
	}
	t.watch.close()
}

// Close closes the pipes and kills the child.
func (t *subprocess) Close() {
	if t.closing {
		return
	}
	t.closing = true
	if !t.exited {
		t.process.Kill()
	}
	for _, c := range t.pipes {
		switch {
		case c == nil:
		case t.exited:
			c.transport.Close()
		default:
			c.transport.Abort() // nobody will read what is left
		}
	}
}

// String describes the transport for people.
func (t *subprocess) String() string {
	if t.exited {
		return fmt.Sprintf("a subprocess transport: process %d, ended with %d", t.Pid(), t.code)
	}
	return fmt.Sprintf("a subprocess transport: process %d", t.Pid())
}

// IsClosing reports whether the transport is closed, or over.
func (t *subprocess) IsClosing() bool { return t.closing }

// ExtraInfo knows "subprocess".
func (t *subprocess) ExtraInfo(name string, fallback ...any) any {
	switch {
	case name == "subprocess":
		return t.process
	case len(fallback) > 0:
		return fallback[0]
	}
	return nil
}

// SetProtocol makes p the one that is told.
func (t *subprocess) SetProtocol(p BaseProtocol) {
	sp, ok := p.(SubprocessProtocol)
	if !ok {
		panic(typeErrorf("a SubprocessProtocol was expected, got %T", p))
	}
	t.protocol = sp
}

// Protocol returns the protocol.
func (t *subprocess) Protocol() BaseProtocol { return t.protocol }

// Loop returns the loop that the transport belongs to.
func (t *subprocess) Loop() *Loop { return t.loop }

// Pid returns the number of the process.
func (t *subprocess) Pid() int { return t.process.Pid }

// ReturnCode returns the exit code when there is one.
func (t *subprocess) ReturnCode() (code int, ok bool) { return t.code, t.exited }

// PipeTransport returns the transport of a pipe.
func (t *subprocess) PipeTransport(fd int) BaseTransport {
	if fd < 0 || fd >= len(t.pipes) || t.pipes[fd] == nil {
		return nil
	}
	return t.pipes[fd].transport
}

// SendSignal sends a signal to the process.
func (t *subprocess) SendSignal(sig os.Signal) error {
	sys.Release()
	return t.process.Signal(sig)
}

// Terminate sends SIGTERM; where there is none it is Kill.
func (t *subprocess) Terminate() error { return t.SendSignal(terminateSignal) }

// Kill sends SIGKILL.
func (t *subprocess) Kill() error { return t.SendSignal(os.Kill) }

// ConnectionMade is not called: see subprocess.begin.
func (c *childPipe) ConnectionMade(Transport) {}

// DataReceived hands on what the child has written.
func (c *childPipe) DataReceived(data []byte) {
	defer c.process.caught("pipe_data_received")
	c.process.protocol.PipeDataReceived(c.fd, data)
}

// ConnectionLost tells of the end of the pipe.
func (c *childPipe) ConnectionLost(err error) {
	t := c.process
	t.open--
	func() {
		defer t.caught("pipe_connection_lost")
		t.protocol.PipeConnectionLost(c.fd, err)
	}()
	t.finish()
}

// PauseWriting and ResumeWriting go to the protocol of the process.
func (c *childPipe) PauseWriting() {
	if f, ok := c.process.protocol.(FlowController); ok {
		f.PauseWriting()
	}
}

// ResumeWriting is PauseWriting's opposite.
func (c *childPipe) ResumeWriting() {
	if f, ok := c.process.protocol.(FlowController); ok {
		f.ResumeWriting()
	}
}
