package asyncio

import (
	"context"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// WithGracePeriod limits how long a process of RunProcesses may take to end when it
// is told to. Then it is killed. The default is 30 seconds.
func WithGracePeriod(d time.Duration) ProcessesOption {
	return gracePeriod(d)
}

type gracePeriod time.Duration

func (d gracePeriod) forProcesses(o *processesOptions) { o.grace = time.Duration(d) }

// RunProcesses starts the program n times more, as its child processes, and runs
// main in each of them as the main task of a loop: programs that use several
// processors, and of which a part may crash. Zero is as many as GOMAXPROCS. The
// processes share sockets that listen; the system gives each connection to one of
// them. It returns when all have ended.
//
// listen are the addresses, each "network:address" with those of net.Listen:
// "tcp:127.0.0.1:8080", "unix:/run/my.sock". main gets their listeners in the same
// order. They belong to its loop: Accept suspends only the task, and WithSocket
// makes a Server of one.
//
// In a child RunProcesses does not return: the process exits when main is over.
// What the program does before the call, it does in each child, which has the same
// arguments; so it should be early, and come once. What only this process is to do is
// asked for by SupervisedProcess. Standard input is empty there.
//
// A process in which main returns nil, or a SystemExit of code 0, is done. One that
// ends in any other way is reported by log/slog and started again, after a pause of
// 100 ms that doubles to 5 s. When a process has failed ten times in a row, none
// of which has worked for 10 s, everything ends with a RuntimeError.
//
// SIGTERM, SIGINT (Ctrl-C) and the end of ctx end the children: each gets a SIGTERM,
// by which its main task is cancelled, once: ctx goes on, so that requests in flight
// can be finished. Server.Shutdown does that; Server.ServeForever closes their
// connections. A handler of the loop for SIGTERM, see AddSignalHandler, takes the
// place of the cancel. Those left after
// WithGracePeriod, or at a second signal, are killed. Children end in the same way
// when the process that has started them is gone, however it went.
//
// SIGHUP starts the program anew, from its file as it is then, without a gap: when a
// new process is ready, an old one is told to end; when it fails before, the old
// one stays. It is ready when main first uses one of its listeners, by Accept or
// WithSocket; if there are none, when it first waits. What listens stays open all
// the while. The process that calls RunProcesses is not replaced, and neither are
// the addresses: new programs must have as many.
//
// The error is nil after SIGTERM, and when all are done; ErrKeyboardInterrupt after
// SIGINT; that of ctx; a RuntimeError if some had to be killed; a ValueError for
// wrong arguments; a *net.OpError if an address cannot be listened on;
// ErrLoopRunning, as it blocks the caller, on the goroutine of a loop; or
// errors.ErrUnsupported where there are no such processes.
//
// Python has no such call; servers for it, such as gunicorn, do this.
func RunProcesses(ctx context.Context, n int, listen []string, main func(ctx context.Context, listeners []net.Listener) error, opts ...ProcessesOption) error {
	o := &processesOptions{grace: 30 * time.Second}
	choose(o, opts, ProcessesOption.forProcesses)
	switch {
	case n < 0:
		return valueErrorf("the number of processes must not be negative")
	case main == nil:
		return typeErrorf("a function was expected, got nil")
	case o.grace < 0:
		return valueErrorf("the grace period must not be negative")
	case runningLoops.here() != nil:
		return insideLoop("RunProcesses")
	case n == 0:
		n = runtime.GOMAXPROCS(0)
	}
	for _, addr := range listen {
		if network, _, ok := strings.Cut(addr, ":"); !ok || !strings.HasPrefix(network, "tcp") && network != "unix" {
			return valueErrorf("%q is not an address like tcp:127.0.0.1:8080 or unix:/path", addr)
		}
	}
	if supervisedMark != "" {
		os.Exit(runSupervised(ctx, supervisedMark, len(listen), main, o))
	}
	return supervise(ctx, n, listen, o)
}

// SupervisedProcess tells which process of RunProcesses this is. In a child process
// it returns true and the place of the child, a number below n; a child that is
// started in place of another one has the place of that. In the process that has
// called RunProcesses, or is about to, and in any other it returns false. So what
// only that one is to do stands before the call:
//
//	if _, child := asyncio.SupervisedProcess(); !child {
//		migrateDatabase()
//		go serveMetrics()
//	}
//	err := asyncio.RunProcesses(ctx, 0, listen, main)
//
// Any goroutine may call it; it does not switch. Python has no such call.
func SupervisedProcess() (place int, child bool) {
	return supervisedPlace, supervisedMark != ""
}

// The variables by which a child of RunProcesses is told that it is one: by how many
// listeners it has inherited, and by its place. They are taken away when the program
// begins, as what a child starts is none.
const (
	supervisedVariable      = "ASYNCIO_SUPERVISED_PROCESS"
	supervisedPlaceVariable = "ASYNCIO_SUPERVISED_PLACE"
)

var (
	supervisedMark     = takeVariable(supervisedVariable)
	supervisedPlace, _ = strconv.Atoi(takeVariable(supervisedPlaceVariable))
)

// takeVariable returns what a variable of the environment holds, and removes it.
func takeVariable(name string) string {
	v := os.Getenv(name)
	os.Unsetenv(name)
	return v
}
