//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The test binary is the program that calls RunProcesses, with what it is to do in
// the environment, and then the processes, too. They say on standard output what
// they are up to.
var _ = addChild("prefork", func() {
	how := os.Getenv("PREFORK_TEST_HOW")
	listen := []string{"tcp:127.0.0.1:0"}
	if path := os.Getenv("PREFORK_TEST_PATH"); path != "" {
		listen = append(listen, "unix:"+path)
	}
	if file := os.Getenv("PREFORK_TEST_NEW"); exists(file) { // a new version of the program
		if os.Getenv("PREFORK_TEST_BAD") == "wants more" {
			listen = append(listen, "tcp:127.0.0.1:0")
		}
		f, _ := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		f.WriteString("x")
		f.Close()
	}
	grace := time.Minute
	if how == "stubborn" || how == "blocks" {
		grace = 100 * time.Millisecond
	}
	switch how {
	case "fails until told":
		asyncio.SetRestarts(time.Hour, 2, time.Hour)
	case "fails late":
		asyncio.SetRestarts(1, 3, 0)
	default:
		asyncio.SetRestarts(1, 3, time.Hour)
	}
	before := countDescriptors()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	if how == "ctx" {
		time.AfterFunc(100*time.Millisecond, func() { cancel(errors.New("enough")) })
	}
	err := asyncio.RunProcesses(ctx, 2, listen, preforkMain, asyncio.WithGracePeriod(grace))
	fmt.Printf("end: %v descriptors: %v\n", err, countDescriptors() <= before+1) // package os keeps one for its poller
	if how == "returns" {
		syscall.Kill(os.Getpid(), syscall.SIGTERM) // signals are the program's own again
		time.Sleep(time.Minute)
	}
})

func countDescriptors() int {
	all, _ := os.ReadDir("/dev/fd")
	return len(all)
}

func preforkMain(ctx context.Context, listeners []net.Listener) error {
	switch how := os.Getenv("PREFORK_TEST_HOW"); how {
	case "fails":
		return errors.New("on purpose")
	case "returns":
		return nil
	case "exits":
		os.Exit(0) // nobody should take that for an end
	case "blocks":
		fmt.Println("serving", listeners[0].Addr(), os.Getpid())
		asyncio.Sleep(ctx, 0)
		select {}
	case "stubborn":
		fmt.Println("serving", listeners[0].Addr(), os.Getpid())
		for {
			asyncio.Sleep(ctx, time.Hour)
		}
	}
	switch how, renewed := os.Getenv("PREFORK_TEST_HOW"), exists(os.Getenv("PREFORK_TEST_NEW")); {
	case how == "fails until told":
		if !renewed {
			fmt.Println("failing", os.Getpid())
			return errors.New("not yet")
		}
	case how == "fails late":
		listeners[0].(syscall.Conn).SyscallConn() // it is ready
		fmt.Println("serving", listeners[0].Addr(), os.Getpid())
		return errors.New("it has worked")
	case how == "starts slowly" && renewed:
		fmt.Println("starting", os.Getpid())
		for !exists(os.Getenv("PREFORK_TEST_GO")) {
			asyncio.Sleep(ctx, time.Millisecond)
		}
	case renewed:
		asyncio.Sleep(ctx, time.Millisecond) // for what it would need
		return errors.New("cannot serve")
	}
	var servers []*asyncio.Server
	for _, ln := range listeners {
		srv, err := asyncio.StartServer(ctx, "", "", servePrefork, asyncio.WithSocket(ln.(syscall.Conn)))
		if err != nil {
			return err
		}
		if err := ln.Close(); err != nil {
			return err
		}
		servers = append(servers, srv)
	}
	fmt.Println("serving", listeners[0].Addr(), os.Getpid())
	for _, srv := range servers[1:] {
		defer srv.Shutdown(ctx)
	}
	_, err := asyncio.NewFuture[asyncio.None](servers[0].Loop()).Await(ctx)
	fmt.Println("stopping", os.Getpid())
	err = errors.Join(err, servers[0].Shutdown(ctx))
	fmt.Println("over", os.Getpid())
	return err
}

// servePrefork answers with the process's number, after a second line if the first
// is "slow".
func servePrefork(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	line, err := r.ReadLine(ctx)
	if err == nil && string(line) == "slow\n" {
		w.WriteString("go on\n")
		_, err = r.ReadLine(ctx)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(w.Writer(ctx), os.Getpid())
	return w.Drain(ctx)
}

// A prefork is the program, as a test sees it.
type prefork struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
	addr  string
	pids  []int // of the two that serve
}

// startPrefork starts the program and waits until it serves.
func startPrefork(t *testing.T, env ...string) *prefork {
	t.Helper()
	cmd := child(t, "prefork")
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	if !testing.Verbose() {
		cmd.Stderr = nil
	}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &prefork{t: t, cmd: cmd, lines: make(chan string, 100)}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()  // does nothing if it has ended
		for range p.lines { // the processes hold it open
		}
		cmd.Wait()
	})
	return p
}

func (p *prefork) signal(sig syscall.Signal) { p.cmd.Process.Signal(sig) }

// next returns the next line, or "" at the end.
func (p *prefork) next() string {
	p.t.Helper()
	select {
	case line := <-p.lines:
		return line
	case <-time.After(tooLate):
		p.t.Fatal("it says nothing any more")
		return ""
	}
}

// serving waits for a process to serve, and returns its number.
func (p *prefork) serving() int {
	p.t.Helper()
	for {
		line, pid := p.next(), 0
		if n, _ := fmt.Sscanf(line, "serving %s %d", &p.addr, &pid); n == 2 {
			p.pids = append(p.pids, pid)
			return pid
		}
		if line == "" {
			p.t.Fatal("it has ended")
		}
	}
}

// end waits for the end, and checks what was said then.
func (p *prefork) end(want ...string) {
	p.t.Helper()
	last := ""
	for {
		line := p.next()
		if line == "" {
			break
		}
		last = line
	}
	got, ok := strings.CutSuffix(strings.TrimPrefix(last, "end: "), " descriptors: true")
	if !ok || !slices.Contains(want, got) {
		p.t.Errorf("at the end: %q, want %q", last, want)
	}
}

// ask makes a request on a connection of its own, and returns who answers.
func (p *prefork) ask(network, addr string) (pid int, err error) {
	c, err := net.Dial(network, addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	fmt.Fprintln(c, "who")
	_, err = fmt.Fscanln(c, &pid)
	return pid, err
}

func (p *prefork) who() int {
	p.t.Helper()
	pid, err := p.ask("tcp", p.addr)
	if err != nil {
		p.t.Error(err)
	}
	return pid
}

// without calls f while process pid stands still, so that the others do what there
// is to do.
func (p *prefork) without(pid int, f func()) {
	p.t.Helper()
	syscall.Kill(pid, syscall.SIGSTOP)
	defer syscall.Kill(pid, syscall.SIGCONT)
	if runtime.GOOS == "linux" {
		eventually(p.t, "the process stands still", func() bool { return state(pid) == "T" })
	} else {
		time.Sleep(100 * time.Millisecond) // nobody tells
	}
	f()
}

// Two processes serve one address, and one that dies is replaced, while the other
// goes on.
func TestRunProcesses(t *testing.T) {
	p := startPrefork(t)
	a, b := p.serving(), p.serving()
	check := func(a, b int) {
		t.Helper()
		p.without(a, func() {
			if pid := p.who(); pid != b {
				t.Errorf("process %d answers, not %d", pid, b)
			}
		})
	}
	check(a, b)
	check(b, a)
	syscall.Kill(a, syscall.SIGKILL)
	c := p.serving()
	if c == a || c == b {
		t.Errorf("process %d after %d and %d", c, a, b)
	}
	check(b, c)
	check(c, b)
	p.signal(syscall.SIGTERM)
	p.end("<nil>")
}

// Requests in flight are finished before the processes end.
func TestRunProcessesFinish(t *testing.T) {
	for sig, want := range map[syscall.Signal]string{
		syscall.SIGTERM: "<nil>",
		syscall.SIGINT:  "asyncio: interrupted",
	} {
		path := t.TempDir() + "/s"
		p := startPrefork(t, "PREFORK_TEST_PATH="+path)
		p.serving()
		p.serving()
		c, err := net.Dial("tcp", p.addr)
		require.NoError(t, err)
		defer c.Close()
		r := bufio.NewReader(c)
		fmt.Fprintln(c, "slow")
		if line, err := r.ReadString('\n'); line != "go on\n" {
			t.Fatal(line, err)
		}
		for _, pid := range p.pids {
			syscall.Kill(pid, syscall.SIGINT) // as a terminal does: it is not for them
			syscall.Kill(pid, syscall.SIGHUP)
		}
		p.signal(sig)
		for n := 0; n < 2; {
			if line := p.next(); strings.HasPrefix(line, "stopping") {
				n++
			} else if line == "" {
				t.Fatal("it has ended")
			}
		}
		fmt.Fprintln(c, "go on")
		pid := 0
		if _, err := fmt.Fscanln(r, &pid); !slices.Contains(p.pids, pid) {
			t.Errorf("process %d answers of %d, %v", pid, p.pids, err)
		}
		p.end(want)
		if _, err := os.Lstat(path); err == nil {
			t.Error("the unix socket is still there")
		}
	}
}

// A restart under load refuses no connection and loses no request.
func TestRunProcessesRestart(t *testing.T) {
	path := t.TempDir() + "/s"
	p := startPrefork(t, "PREFORK_TEST_PATH="+path)
	p.serving()
	p.serving()
	old := p.pids
	var enough atomic.Bool
	const clients = 4
	over := make(chan error, clients)
	var served atomic.Int64
	for i := range clients {
		go func() {
			for !enough.Load() {
				network, addr := "tcp", p.addr
				if i%2 == 1 {
					network, addr = "unix", path
				}
				if _, err := p.ask(network, addr); err != nil {
					over <- err
					return
				}
				served.Add(1)
				time.Sleep(time.Millisecond) // two processors are for others, too
			}
			over <- nil
		}()
	}
	for range 3 {
		p.pids = nil
		p.signal(syscall.SIGHUP)
		for ended, began := 0, 0; ended < 2 || began < 2; {
			line, pid := p.next(), 0
			if n, _ := fmt.Sscanf(line, "over %d", &pid); n == 1 && slices.Contains(old, pid) {
				ended++
			}
			addr := ""
			if n, _ := fmt.Sscanf(line, "serving %s %d", &addr, &pid); n == 2 && addr == p.addr {
				p.pids = append(p.pids, pid)
				began++
			}
			if line == "" {
				t.Fatal("it has ended")
			}
		}
		old = p.pids
		since := served.Load()
		eventually(t, "requests are served", func() bool { return served.Load() >= since+20 || len(over) > 0 })
	}
	enough.Store(true)
	for range clients {
		assert.NoError(t, <-over)
	}
	if pid := p.who(); !slices.Contains(p.pids, pid) {
		t.Errorf("process %d answers, not one of %d", pid, p.pids)
	}
	p.signal(syscall.SIGTERM)
	p.end("<nil>")
}

// A new program that does not work leaves the old one in its place: one that fails
// at once, and one that fails when it has begun.
func TestRunProcessesBadRestart(t *testing.T) {
	for _, how := range []string{"wants more", "waits"} {
		t.Run(how, func(t *testing.T) {
			file := t.TempDir() + "/new"
			p := startPrefork(t, "PREFORK_TEST_NEW="+file, "PREFORK_TEST_BAD="+how)
			p.serving()
			p.serving()
			require.NoError(t, os.WriteFile(file, nil, 0o666))
			p.signal(syscall.SIGHUP)
			eventually(t, "both have been tried", func() bool { b, _ := os.ReadFile(file); return len(b) == 2 })
			for _, pid := range p.pids {
				p.without(pid, func() {
					if other := p.who(); !slices.Contains(p.pids, other) || other == pid {
						t.Errorf("process %d answers of %d", other, p.pids)
					}
				})
			}
			p.signal(syscall.SIGTERM)
			p.end("<nil>")
		})
	}
}

// A new program that is slow to start: it may be told to start anew meanwhile, and
// the process that it is to replace may end.
func TestRunProcessesSlowRestart(t *testing.T) {
	for _, meanwhile := range []string{"started anew", "the old one ends"} {
		t.Run(meanwhile, func(t *testing.T) {
			dir := t.TempDir()
			p := startPrefork(t, "PREFORK_TEST_HOW=starts slowly", "PREFORK_TEST_NEW="+dir+"/new", "PREFORK_TEST_GO="+dir+"/go")
			old := p.serving()
			p.serving()
			starting := func() {
				for n := 0; n < 2; {
					switch line := p.next(); {
					case line == "":
						t.Fatal("it has ended")
					case strings.HasPrefix(line, "starting"):
						n++
					}
				}
			}
			touch(t, dir+"/new")
			p.signal(syscall.SIGHUP)
			starting()
			if meanwhile == "started anew" {
				p.signal(syscall.SIGHUP)
			} else {
				syscall.Kill(old, syscall.SIGKILL)
			}
			touch(t, dir+"/go")
			p.serving()
			p.serving()
			if meanwhile == "started anew" {
				p.serving()
				p.serving()
			}
			eventually(t, "those before have ended", func() bool {
				p.pids = slices.DeleteFunc(p.pids, func(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
				return len(p.pids) <= 2
			})
			if len(p.pids) != 2 {
				t.Fatalf("%d processes are left", len(p.pids))
			}
			a, b := p.pids[0], p.pids[1]
			for _, pid := range p.pids {
				p.without(pid, func() {
					if other := p.who(); other != a+b-pid {
						t.Errorf("process %d answers while %d of %d and %d stands still", other, pid, a, b)
					}
				})
			}
			p.signal(syscall.SIGTERM)
			p.end("<nil>")
		})
	}
}

func touch(t *testing.T, file string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, nil, 0o666))
}

// SIGHUP ends the pause before a process is started again, and the count of its
// failures.
func TestRunProcessesRestartInPause(t *testing.T) {
	file := t.TempDir() + "/new"
	p := startPrefork(t, "PREFORK_TEST_HOW=fails until told", "PREFORK_TEST_NEW="+file)
	for range 2 {
		for n := 0; n < 2; {
			line, pid := p.next(), 0
			if line == "" {
				t.Fatal("it has ended")
			}
			if _, err := fmt.Sscanf(line, "failing %d", &pid); err == nil {
				eventually(t, "the process is gone", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
				n++
			}
		}
		p.signal(syscall.SIGHUP)
	}
	touch(t, file)
	p.signal(syscall.SIGHUP)
	p.serving()
	p.serving()
	p.signal(syscall.SIGTERM)
	p.end("<nil>")
}

// A process that has worked for long enough may fail again and again.
func TestRunProcessesFailLate(t *testing.T) {
	p := startPrefork(t, "PREFORK_TEST_HOW=fails late")
	for range 10 { // in each of two places there may be three failures in a row
		p.serving()
	}
	p.signal(syscall.SIGTERM)
	p.end("<nil>")
}

// Processes end when the one that has started them does, however it ends.
func TestRunProcessesNoOrphans(t *testing.T) {
	p := startPrefork(t)
	p.serving()
	p.serving()
	p.cmd.Process.Kill()
	for p.next() != "" { // the end comes when nobody can write any more
	}
	for _, pid := range p.pids {
		eventually(t, "the process is gone", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH || state(pid) == "Z" })
	}
}

// state is what Linux says that a process does: "T" if it is stopped, "Z" if it has
// ended and nobody has asked how.
func state(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return after[:1]
}

// Processes that do not end are killed.
func TestRunProcessesKilled(t *testing.T) {
	for _, how := range []string{"stubborn", "blocks"} {
		p := startPrefork(t, "PREFORK_TEST_HOW="+how)
		p.serving()
		p.serving()
		p.signal(syscall.SIGTERM)
		p.end("asyncio: 2 processes had to be killed")
	}
	// Also without anybody who kills them.
	p := startPrefork(t, "PREFORK_TEST_HOW=blocks")
	p.serving()
	p.serving()
	p.cmd.Process.Kill()
	for p.next() != "" {
	}
	// And by a second signal.
	p = startPrefork(t)
	p.serving()
	p.serving()
	c, err := net.Dial("tcp", p.addr)
	require.NoError(t, err)
	defer c.Close()
	fmt.Fprintln(c, "slow")
	c.Read(make([]byte, 1))
	p.signal(syscall.SIGTERM)
	for !strings.HasPrefix(p.next(), "stopping") {
	}
	p.signal(syscall.SIGTERM)
	p.end("asyncio: 1 processes had to be killed", "asyncio: 2 processes had to be killed") // the other one may be slow
}

// How it ends by itself.
func TestRunProcessesEnd(t *testing.T) {
	for how, want := range map[string]string{
		"returns": "<nil>",
		"fails":   "asyncio: a process has failed 3 times in a row, lately by: exit status 1",
		"exits":   "asyncio: a process has failed 3 times in a row, lately by: asyncio: the program has ended before it was ready",
		"ctx":     "enough",
	} {
		p := startPrefork(t, "PREFORK_TEST_HOW="+how)
		p.end(want)
		var exit *exec.ExitError
		if err := p.cmd.Wait(); how == "returns" && !(errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGTERM) {
			t.Errorf("after a SIGTERM at its end the program says %v", err)
		}
	}
}

// A start of a process does not have the others block in accept for a while.
func TestInheritedListenerDoesNotBlock(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	f, err := asyncio.Inheritable(ln.(syscall.Conn))
	require.NoError(t, err)
	defer f.Close()
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK == 0 {
		t.Errorf("flags %#x, %v", flags, err)
	}
}

func TestRunProcessesErrors(t *testing.T) {
	ctx := context.Background()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	run := func(n int, opt time.Duration, listen ...string) error {
		return asyncio.RunProcesses(ctx, n, listen, preforkMain, asyncio.WithGracePeriod(opt))
	}
	assert.EqualError(t, run(-1, 0), "asyncio: the number of processes must not be negative")
	assert.EqualError(t, run(1, -1), "asyncio: the grace period must not be negative")
	assert.EqualError(t, run(1, 0, "127.0.0.1:80"), `asyncio: "127.0.0.1:80" is not an address like tcp:127.0.0.1:8080 or unix:/path`)
	assert.EqualError(t, asyncio.RunProcesses(ctx, 1, nil, nil), "asyncio: a function was expected, got nil")
	var op *net.OpError
	if err := run(1, 0, "tcp:127.0.0.1:0", "tcp:"+taken.Addr().String()); !errors.As(err, &op) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Error(err)
	}
	inTask(t, func(inner context.Context, l *asyncio.Loop) {
		if err := asyncio.RunProcesses(inner, 1, nil, preforkMain); !errors.Is(err, asyncio.ErrLoopRunning) {
			t.Error(err)
		}
	})
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := asyncio.RunProcesses(ended, 1, nil, preforkMain); err != context.Canceled {
		t.Error(err)
	}
}

var _ = addChild("places", func() {
	place, isChild := asyncio.SupervisedProcess()
	fmt.Println("before:", place, isChild)
	err := asyncio.RunProcesses(context.Background(), 3, nil, func(ctx context.Context, _ []net.Listener) error {
		place, isChild := asyncio.SupervisedProcess()
		_, left := os.LookupEnv("ASYNCIO_SUPERVISED_PROCESS")
		fmt.Println("main:", place, isChild, left)
		return nil
	})
	place, isChild = asyncio.SupervisedProcess()
	fmt.Println("after:", place, isChild, err)
})

// Each process knows which one it is: before the call, in main, and afterwards.
func TestProcessesKnowTheirPlace(t *testing.T) {
	out, err := child(t, "places").Output()
	require.NoError(t, err)
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(got)
	want := []string{
		"after: 0 false <nil>",
		"before: 0 false", "before: 0 true", "before: 1 true", "before: 2 true",
		"main: 0 true false", "main: 1 true false", "main: 2 true false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
