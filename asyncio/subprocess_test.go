//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A childWatcher is a protocol of a child that notes what it is told.
type childWatcher struct {
	t     asyncio.SubprocessTransport
	log   []string
	data  [3]bytes.Buffer
	over  *asyncio.Event
	gone  *asyncio.Event
	came  *asyncio.Event
	panic string
}

func newChildWatcher() *childWatcher {
	return &childWatcher{over: asyncio.NewEvent(), gone: asyncio.NewEvent(), came: asyncio.NewEvent()}
}

func (p *childWatcher) note(method string, about ...any) {
	p.log = append(p.log, strings.TrimSpace(fmt.Sprintln(append([]any{method}, about...)...)))
	p.came.Set()
	if method == p.panic {
		panic(method)
	}
}

func (p *childWatcher) ConnectionMade(t asyncio.SubprocessTransport) { p.t = t; p.note("made") }
func (p *childWatcher) PipeDataReceived(fd int, data []byte) {
	p.data[fd].Write(data)
	p.came.Set()
	if p.panic == "data" {
		panic("data")
	}
}
func (p *childWatcher) PipeConnectionLost(fd int, err error) { p.note("pipe lost", fd, err) }
func (p *childWatcher) ProcessExited()                       { p.note("exited"); p.gone.Set() }
func (p *childWatcher) ConnectionLost(err error)             { p.note("lost", err); p.over.Set() }
func (p *childWatcher) PauseWriting()                        { p.note("pause") }
func (p *childWatcher) ResumeWriting()                       { p.note("resume") }

// orderly checks what the protocol was told: first of the beginning, last of the
// end, and of everything between once, in any order.
func (p *childWatcher) orderly(t *testing.T, between ...string) {
	t.Helper()
	log := slices.DeleteFunc(slices.Clone(p.log), func(s string) bool { return s == "pause" || s == "resume" })
	if len(log) < 2 || log[0] != "made" || log[len(log)-1] != "lost <nil>" {
		t.Errorf("the protocol was told %q", p.log)
		return
	}
	log = log[1 : len(log)-1]
	slices.Sort(log)
	if !slices.Equal(log, between) {
		t.Errorf("the protocol was told %q, want %q in any order", p.log, between)
	}
}

// startShell starts a command for the shell.
func startShell(ctx context.Context, t *testing.T, command string, opts ...asyncio.SubprocessOption) *childWatcher {
	t.Helper()
	tr, p, err := asyncio.SubprocessShell(ctx, newChildWatcher, command, opts...)
	require.NoError(t, err)
	if tr != p.t || tr.Protocol() != asyncio.BaseProtocol(p) {
		t.Error("the protocol was given another transport")
	}
	return p
}

// noChildren fails the test if a child is still there, as a zombie for one.
func noChildren(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("process %d is still there: %v", pid, err)
		}
	}
}

func TestSubprocess(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := startShell(ctx, t, "cat; echo error >&2; exit 5")
		tr := p.t
		if code, ok := tr.ReturnCode(); ok {
			t.Errorf("it has ended already, with %d", code)
		}
		if tr.ExtraInfo("subprocess").(*os.Process).Pid != tr.Pid() || tr.ExtraInfo("x", 1) != 1 || tr.ExtraInfo("x") != nil || tr.Loop() != l {
			t.Error("the transport does not know itself")
		}
		if tr.PipeTransport(3) != nil || tr.PipeTransport(-1) != nil {
			t.Error("there are pipes that nobody has made")
		}
		in := tr.PipeTransport(0).(asyncio.WriteTransport)
		in.Write([]byte("through cat"))
		in.Close()
		p.over.Wait(ctx)
		p.orderly(t, "exited", "pipe lost 0 <nil>", "pipe lost 1 <nil>", "pipe lost 2 <nil>")
		if p.data[1].String() != "through cat" || p.data[2].String() != "error\n" {
			t.Errorf("got %q and %q", &p.data[1], &p.data[2])
		}
		if code, ok := tr.ReturnCode(); code != 5 || !ok {
			t.Errorf("code %d, %v", code, ok)
		}
		for _, err := range []error{tr.Kill(), tr.Terminate(), tr.SendSignal(os.Interrupt)} {
			if !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("a signal after the end: %v", err)
			}
		}
		if !tr.IsClosing() {
			t.Error("it is over, and not closing")
		}
		tr.Close()
		noChildren(t, tr.Pid())
	})
}

// All output comes, also that of a child that has ended before it was read.
func TestSubprocessLosesNoOutput(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := startShell(ctx, t, "echo out; echo err >&2", asyncio.WithStdin(asyncio.DevNull))
		out := p.t.PipeTransport(1).(asyncio.ReadTransport)
		out.PauseReading()
		p.gone.Wait(ctx)
		for range 3 {
			asyncio.Sleep(ctx, time.Millisecond)
		}
		if p.over.IsSet() || p.data[1].Len() > 0 {
			t.Error("the pipe was not waited for")
		}
		out.ResumeReading()
		p.over.Wait(ctx)
		if p.data[1].String() != "out\n" || p.data[2].String() != "err\n" {
			t.Errorf("got %q and %q", &p.data[1], &p.data[2])
		}
		p.orderly(t, "exited", "pipe lost 1 <nil>", "pipe lost 2 <nil>")
	})
}

func TestSubprocessSignals(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for _, c := range []struct {
			send func(tr asyncio.SubprocessTransport) error
			code int
		}{
			{asyncio.SubprocessTransport.Kill, -9},
			{asyncio.SubprocessTransport.Terminate, -15},
			{func(tr asyncio.SubprocessTransport) error { return tr.SendSignal(syscall.SIGUSR2) }, -int(syscall.SIGUSR2)},
			{func(tr asyncio.SubprocessTransport) error { tr.Close(); return nil }, -9},
		} {
			p := startShell(ctx, t, "exec sleep 1000")
			assert.NoError(t, c.send(p.t))
			p.over.Wait(ctx)
			if code, ok := p.t.ReturnCode(); code != c.code || !ok {
				t.Errorf("code %d, want %d", code, c.code)
			}
			p.orderly(t, "exited", "pipe lost 0 <nil>", "pipe lost 1 <nil>", "pipe lost 2 <nil>")
		}
	})
}

// A child that writes where nobody reads ends by SIGPIPE, as it would from a shell.
func TestSubprocessBrokenPipe(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := startShell(ctx, t, "while :; do echo y; done", asyncio.WithStdin(asyncio.DevNull))
		p.came.Clear()
		p.came.Wait(ctx)
		p.t.PipeTransport(1).Close()
		p.over.Wait(ctx)
		if code, _ := p.t.ReturnCode(); code != -int(syscall.SIGPIPE) {
			t.Errorf("code %d", code)
		}
	})
}

// A child that closes its input early: what waits is dropped, with EPIPE.
func TestSubprocessClosesInput(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := startShell(ctx, t, "exec 0<&-; echo closed; read x <&1 2>&-; exec sleep 1000")
		in := p.t.PipeTransport(0).(asyncio.WriteTransport)
		in.Write(make([]byte, 1<<20))
		for !slices.Contains(p.log, "pipe lost 0 write: broken pipe") {
			p.came.Clear()
			require.NoError(t, p.came.Wait(ctx))
		}
		in.Write([]byte("dropped"))
		p.t.Kill()
		p.over.Wait(ctx)
		p.orderly(t, "exited", "pipe lost 0 write: broken pipe", "pipe lost 1 <nil>", "pipe lost 2 <nil>")
	})
}

// A grandchild keeps the pipe open: the child has ended, the transport has not.
func TestSubprocessGrandchild(t *testing.T) {
	noLeaks(t)
	r, w := osPipe(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := startShell(ctx, t, "(read line <&3; echo grand $line) & exit 0",
			asyncio.WithStdin(asyncio.DevNull), asyncio.WithExtraFiles(r))
		p.gone.Wait(ctx)
		if code, ok := p.t.ReturnCode(); code != 0 || !ok || p.over.IsSet() {
			t.Errorf("code %d %v, over %v", code, ok, p.over.IsSet())
		}
		fmt.Fprintln(w, "child")
		p.over.Wait(ctx)
		if p.data[1].String() != "grand child\n" {
			t.Errorf("got %q", &p.data[1])
		}
	})
}

func TestSubprocessOptions(t *testing.T) {
	noLeaks(t)
	dir := must(os.MkdirTemp(t.TempDir(), "dir"))
	file := must(os.Create(dir + "/file"))
	defer file.Close()
	extra := must(os.Open(os.DevNull))
	defer extra.Close()
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := startShell(ctx, t, `pwd; echo $A; test -e /dev/fd/3 && echo three; echo err >&2; echo $(($(ps -o pgid= -p $$) == $$))`,
			asyncio.WithStdin(asyncio.DevNull), asyncio.WithStderr(asyncio.Stdout), asyncio.WithDir(dir),
			asyncio.WithEnv([]string{"A=b", "PATH=" + os.Getenv("PATH")}), asyncio.WithExtraFiles(extra),
			asyncio.WithSysProcAttr(&syscall.SysProcAttr{Setpgid: true}))
		p.over.Wait(ctx)
		lines := strings.Fields(p.data[1].String())
		if len(lines) < 4 || !strings.HasSuffix(lines[0], dir[strings.LastIndex(dir, "/"):]) || lines[1] != "b" || lines[2] != "three" || lines[3] != "err" {
			t.Errorf("got %q", lines)
		}
		if len(lines) > 4 && lines[4] != "1" && lines[4] != "0" { // where there is no ps
			t.Logf("group: %q", lines[4])
		}
		p.orderly(t, "exited", "pipe lost 1 <nil>")

		p = startShell(ctx, t, "echo out; echo err >&2", asyncio.WithStdinFile(extra), asyncio.WithStdoutFile(file), asyncio.WithStderrFile(file))
		p.over.Wait(ctx)
		p.orderly(t, "exited")
		if got := must(os.ReadFile(file.Name())); string(got) != "out\nerr\n" {
			t.Errorf("in the file is %q", got)
		}
		p = startShell(ctx, t, "cat", asyncio.WithStdin(asyncio.DevNull), asyncio.WithStdout(asyncio.DevNull), asyncio.WithStderr(asyncio.Inherit))
		p.over.Wait(ctx)
		p.orderly(t, "exited")
	})
}

// must returns v, or panics.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestSubprocessRefused(t *testing.T) {
	noLeaks(t)
	shut, other := osPipe(t)
	shut.Close()
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		startShell(ctx, t, "exit").over.Wait(ctx) // what is opened once
		files := descriptors(t)
		defer func() {
			if now := descriptors(t); now > files {
				t.Errorf("%d files are open, %d before", now, files)
			}
		}()
		start := func(argv []string, opts ...asyncio.SubprocessOption) error {
			_, p, err := asyncio.SubprocessExec(ctx, newChildWatcher, argv, opts...)
			if p != nil && p.log != nil {
				t.Errorf("%q: the protocol was told %q", argv, p.log)
			}
			return err
		}
		for _, program := range []string{"no-such-program-here", "/no/such/program", ""} {
			if err := start([]string{program}); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q: %v", program, err)
			}
		}
		if err := start([]string{t.TempDir()}); !errors.Is(err, fs.ErrPermission) {
			t.Error(err)
		}
		if err := start([]string{"true"}, asyncio.WithDir("/no/such/dir")); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		for i, opt := range []asyncio.SubprocessOption{
			asyncio.WithStdin(asyncio.Stdout), asyncio.WithStdout(asyncio.Stdout), asyncio.WithStderr(17), asyncio.WithStdin(-1),
			asyncio.WithStdinFile(nil), asyncio.WithExtraFiles(other, nil),
		} {
			if err := start([]string{"true"}, opt); pyName(err) != "ValueError" {
				t.Errorf("%d: %v", i, err)
			}
		}
		if err := start(nil); pyName(err) != "ValueError" {
			t.Error(err)
		}
		for _, opt := range []asyncio.SubprocessOption{asyncio.WithStdoutFile(shut), asyncio.WithExtraFiles(shut)} {
			if err := start([]string{"true"}, opt); !errors.Is(err, fs.ErrClosed) {
				t.Error(err)
			}
		}
		if _, err := other.Stat(); err != nil {
			t.Errorf("a file of the caller's was closed: %v", err)
		}
	})
	if _, _, err := asyncio.SubprocessExec(context.Background(), newChildWatcher, []string{"true"}); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Error(err)
	}
}

// With no descriptors left nothing is started, and nothing leaks.
func TestSubprocessDescriptorLimit(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		startShell(ctx, t, "exit").over.Wait(ctx) // what is opened once
		var limit, low syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Skip(err)
		}
		low = limit
		for free := range 12 { // each place where one more is needed
			held := hold(t, &low, free)
			_, p, err := asyncio.SubprocessShell(ctx, newChildWatcher, "echo out; exit 3")
			syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
			for _, fd := range held {
				syscall.Close(fd)
			}
			if err != nil {
				if !errors.Is(err, syscall.EMFILE) {
					t.Errorf("with %d free: %v", free, err)
				}
				continue
			}
			p.over.Wait(ctx)
			if code, _ := p.t.ReturnCode(); code != 3 || p.data[1].String() != "out\n" {
				t.Errorf("with %d free: code %d, %q", free, code, &p.data[1])
			}
		}
	})
}

// hold leaves free descriptors, and returns those that it has taken.
func hold(t *testing.T, limit *syscall.Rlimit, free int) (held []int) {
	limit.Cur = 256
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, limit); err != nil {
		t.Skip(err)
	}
	null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	for err == nil {
		held = append(held, null)
		null, err = syscall.Dup(null)
		if err == nil {
			syscall.CloseOnExec(null)
		}
	}
	for range min(free, len(held)) {
		syscall.Close(held[len(held)-1])
		held = held[:len(held)-1]
	}
	return held
}

// Many children that end at once are all waited for.
func TestManySubprocesses(t *testing.T) {
	noLeaks(t)
	const many = 200
	r, w := osPipe(t)
	storm := make(chan os.Signal, 1) // others may want to know of SIGCHLD
	signal.Notify(storm, syscall.SIGCHLD)
	defer signal.Stop(storm)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		var all []*childWatcher
		for i := range many {
			_, p, err := asyncio.SubprocessShell(ctx, newChildWatcher, fmt.Sprintf("read x; exit %d", i),
				asyncio.WithStdinFile(r), asyncio.WithStdout(asyncio.DevNull), asyncio.WithStderr(asyncio.Inherit))
			require.NoError(t, err)
			all = append(all, p)
		}
		r.Close()
		w.Close() // they all end
		for i, p := range all {
			p.over.Wait(ctx)
			if code, ok := p.t.ReturnCode(); code != i || !ok {
				t.Errorf("child %d: code %d", i, code)
			}
			p.logged(t)
			noChildren(t, p.t.Pid())
		}
	})
}

func (p *childWatcher) logged(t *testing.T) { t.Helper(); p.orderly(t, "exited") }

// A protocol that panics has its child killed.
func TestSubprocessProtocolPanics(t *testing.T) {
	noLeaks(t)
	for _, method := range []string{"made", "data", "pipe lost", "exited", "lost"} {
		var told []string
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told = append(told, c.Message) })
			command := "echo out; exec sleep 1000"
			if method != "made" && method != "data" {
				command = "exit 1"
			}
			_, p, err := asyncio.SubprocessShell(ctx, func() *childWatcher { p := newChildWatcher(); p.panic = method; return p }, command)
			require.NoError(t, err)
			for !strings.HasPrefix(p.log[len(p.log)-1], "lost") {
				p.came.Clear()
				p.came.Wait(ctx)
			}
			noChildren(t, p.t.Pid())
		})
		if len(told) == 0 || !strings.HasPrefix(told[0], "Fatal error: protocol.") {
			t.Errorf("%s: told %q", method, told)
		}
	}
}

// A start that is cancelled kills the child, and waits for it.
func TestSubprocessStartCancelled(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := newChildWatcher()
		starting := asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := asyncio.SubprocessShell(ctx, func() *childWatcher { return p }, "exec sleep 1000")
			return err
		})
		l.CallSoon(func() { starting.Cancel() })
		if _, err := starting.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Error(err)
		}
		p.over.Wait(ctx)
		p.orderly(t, "exited", "pipe lost 0 <nil>", "pipe lost 1 <nil>", "pipe lost 2 <nil>")
		noChildren(t, p.t.Pid())

		ended, end := context.WithCancel(ctx)
		end()
		_, p, err := asyncio.SubprocessShell(ended, newChildWatcher, "exit")
		if !errors.Is(err, context.Canceled) || p != nil {
			t.Errorf("started with a context that has ended: %v", err)
		}
	})
}

// A loop that is closed kills its children and waits for them.
func TestLoopClosesSubprocesses(t *testing.T) {
	noLeaks(t)
	var all []*childWatcher
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for range 5 {
			p := startShell(ctx, t, deaf)
			p.t.PipeTransport(0).(asyncio.WriteTransport).Write(make([]byte, 1<<20))
			all = append(all, p)
		}
		all[0].t.Close()
		p := startShell(ctx, t, "exit 3") // it ends unnoticed
		all = append(all, p)
	})
	for i, p := range all {
		noChildren(t, p.t.Pid())
		if code, ok := p.t.ReturnCode(); !ok || code != -9 && i < 5 {
			t.Errorf("code %d, %v", code, ok)
		}
		if told := p.over.IsSet(); !p.t.IsClosing() || told && i != 0 && i != 5 { // those may have been
			t.Errorf("it is open, or its protocol was told: %q", p.log)
		}
		p.t.Close()
		if err := p.t.Kill(); !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
	}
}
