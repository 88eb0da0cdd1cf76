package rules

import (
	"go/types"
	"slices"
	"strings"
)

// library is the module of package asyncio.
const library = "github.com/go-greenlet/greenlet"

// nameOf is how the tables of this package call a function: its package's path, the
// type whose method it is, its name. "asyncio.Lock.Acquire", "net/http.Client.Do".
func nameOf(f *types.Func) string {
	if f == nil || f.Pkg() == nil {
		return ""
	}
	pkg := f.Pkg().Path()
	if rest, ours := strings.CutPrefix(pkg, library+"/asyncio"); ours {
		pkg = "asyncio" + rest
	}
	if recv := f.Signature().Recv(); recv != nil {
		t := types.Unalias(recv.Type())
		if p, ok := t.(*types.Pointer); ok {
			t = types.Unalias(p.Elem())
		}
		if n, ok := t.(*types.Named); ok {
			name := n.Obj().Name()
			if inAsyncio(f) { // the methods of Task are those of a task that is embedded in it
				name = strings.ToUpper(name[:1]) + name[1:]
			}
			pkg += "." + name
		}
	}
	return pkg + "." + f.Name()
}

// short is nameOf as people write it: without the path of the package.
func short(f *types.Func) string {
	name := nameOf(f)
	return name[strings.LastIndexByte(name, '/')+1:]
}

func inAsyncio(f *types.Func) bool {
	if f == nil || f.Pkg() == nil {
		return false
	}
	switch f.Pkg().Path() {
	case library + "/asyncio", library + "/asyncio/httpd", library + "/asyncio/asynciotest":
		return true
	}
	return false
}

// patient are the functions of package asyncio that take a ctx, return an error, and
// need no task: they are for any goroutine, or do not wait.
var patient = []string{
	"asyncio.Run", "asyncio.RunFunc", "asyncio.RunMain", "asyncio.RunIn", "asyncio.RunWorkers", "asyncio.RunProcesses",
	"asyncio.RunningLoop", "asyncio.Loop.WriteTasks", "asyncio.Loop.Snapshot", "asyncio.TakeSnapshot", "asyncio.ConcurrentFuture.Await",
	"asyncio.Dial", "asyncio.Dialer.DialContext", "asyncio.Listen", "asyncio.ListenPacket", "asyncio.ListenConfig.Listen",
	"asyncio.ListenConfig.ListenPacket", "asyncio.Adopt", "asyncio.AdoptListener", "asyncio.RunInProcess",
	"asyncio.ThreadPool.Shutdown", "asyncio.ProcessPool.Shutdown", "asyncio.Timeout.Enter", "asyncio.TaskGroup.Enter",
}

// mustBeTask reports whether only a task may call f.
func mustBeTask(f *types.Func) bool {
	return inAsyncio(f) && f.Exported() && waits(f.Signature()) && !slices.Contains(patient, nameOf(f))
}

// waits reports whether a function of package asyncio with that signature waits.
func waits(sig *types.Signature) bool {
	params, results := sig.Params(), sig.Results()
	if params.Len() == 0 || results.Len() == 0 || !isContext(params.At(0).Type()) {
		return false
	}
	last := results.At(results.Len() - 1).Type()
	if isError(last) {
		return true
	}
	n, ok := types.Unalias(last).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "iter"
}

// suspends are the functions that wait as a task if the caller is one, beside those
// that only a task may call.
var suspends = []string{
	"asyncio.ConcurrentFuture.Await", "asyncio.Dial", "asyncio.Dialer.DialContext", "asyncio.RunInProcess",
	"net.Conn.Read", "net.Conn.Write", "net.Listener.Accept", "net.PacketConn.ReadFrom", "net.PacketConn.WriteTo",
}

// maySuspend reports whether a task that calls f may have to wait in it.
func maySuspend(f *types.Func) bool {
	return mustBeTask(f) || slices.Contains(suspends, nameOf(f))
}

// mustBeOnLoop are those that are for tasks and callbacks, and panic elsewhere.
var mustBeOnLoop = []string{"asyncio.Go", "asyncio.CreateTask"}

// place is where a function runs.
type place int

const (
	unknown  place = iota
	inside         // as part of the function that it stands in, or is given by
	task           // on the loop, in a task
	callback       // on the loop, in no task
	away           // on another goroutine
)

// callbacks are the functions that call what they are given in no task.
var callbacks = []string{
	"asyncio.Loop.CallSoon", "asyncio.Loop.CallSoonThreadsafe", "asyncio.Loop.CallLater", "asyncio.Loop.CallAt",
	"asyncio.Loop.CallWhenQuiet", "asyncio.Loop.AddReader", "asyncio.Loop.AddWriter", "asyncio.Loop.AddSignalHandler",
	"asyncio.Loop.SetExceptionHandler", "asyncio.NewCallback",
}

// elsewhere are those that call what they are given on another goroutine.
var elsewhere = []string{
	"asyncio.ToThread", "asyncio.ToThreadFunc", "asyncio.DoInThread", "asyncio.RunInExecutor", "asyncio.Submit", "asyncio.RegisterJob",
	"asyncio.ThreadPool.Submit", "asyncio.Executor.Submit", "asyncio/httpd.InThread",
	"time.AfterFunc", "context.AfterFunc", "runtime.AddCleanup", "runtime.SetFinalizer", "sync.WaitGroup.Go",
	"golang.org/x/sync/errgroup.Group.Go", "golang.org/x/sync/errgroup.Group.TryGo", "testing.B.RunParallel",
	"os/signal.Notify",
}

// neutral are those of which it is not known, or which may do either.
var neutral = []string{
	"asyncio.ConcurrentFuture.AddDoneCallback", "asyncio.WithLoopFactory", "asyncio.Loop.SetTaskFactory",
	"asyncio.EagerTaskFactory", "asyncio.NewPriorityQueue", "asyncio.ExceptionGroup.Split", "asyncio.ExceptionGroup.Subgroup",
	"asyncio/asynciotest.CheckLibrary", "asyncio/httpd.Server.RegisterOnShutdown",
}

// atOnce are packages whose functions call what they are given before they return,
// and single functions.
var atOnce = []string{"slices", "sort", "strings", "bytes", "maps", "sync.Once.Do", "path/filepath", "io/fs"}

// runs tells where f runs the functions that it is given.
func runs(f *types.Func) place {
	name := nameOf(f)
	switch {
	case f == nil || slices.Contains(neutral, name):
		return unknown
	case slices.Contains(elsewhere, name):
		return away
	case slices.Contains(callbacks, name):
		return callback
	case inAsyncio(f):
		return task
	case f.Pkg() != nil && slices.Contains(atOnce, f.Pkg().Path()), slices.Contains(atOnce, name):
		return inside
	}
	return unknown
}

// ofLoop are methods that tasks and callbacks of a loop may call, and no others.
var ofLoop = []string{
	"asyncio.Future.SetResult", "asyncio.Future.SetException", "asyncio.Future.Cancel", "asyncio.Task.Cancel",
	"asyncio.AnyFuture.Cancel", "asyncio.GatherFuture.Cancel",
	"asyncio.Event.Set", "asyncio.Event.Clear", "asyncio.Lock.Release",
	"asyncio.Semaphore.Release", "asyncio.BoundedSemaphore.Release",
	"asyncio.Condition.Notify", "asyncio.Condition.NotifyAll", "asyncio.Condition.Release",
	"asyncio.Queue.PutNowait", "asyncio.Queue.GetNowait", "asyncio.Queue.TaskDone", "asyncio.Queue.Shutdown",
	"asyncio.Loop.CallSoon", "asyncio.Loop.CallLater", "asyncio.Loop.CallAt",
	"asyncio.TaskGroup.Go", "asyncio.TaskGroup.Cancel",
}

// makesLoop are the functions by which a goroutine has a loop of its own.
var makesLoop = []string{
	"asyncio.Run", "asyncio.RunFunc", "asyncio.RunMain", "asyncio.RunIn", "asyncio.RunWorkers", "asyncio.RunUntilComplete", "asyncio.NewLoop",
	"asyncio.NewRunner", "asyncio.Loop.RunForever", "asyncio/asynciotest.Run", "asyncio/asynciotest.Explore",
	"asyncio/asynciotest.Simulate",
}

// onVirtualTime run what they are given by a clock that is not the system's.
var onVirtualTime = []string{"asyncio/asynciotest.Run", "asyncio/asynciotest.Explore", "asyncio/asynciotest.Simulate"}

// realTime goes by the system's clock.
var realTime = []string{
	"context.WithTimeout", "context.WithTimeoutCause", "context.WithDeadline", "context.WithDeadlineCause",
	"time.After", "time.AfterFunc", "time.NewTimer", "time.NewTicker", "time.Tick",
}

// onlyEnds are waits that fail with a cancel or the end of something, never with
// a failure of their own.
var onlyEnds = []string{
	"asyncio.Sleep", "asyncio.SleepResult", "asyncio.Event.Wait", "asyncio.Lock.Acquire", "asyncio.Semaphore.Acquire",
	"asyncio.BoundedSemaphore.Acquire", "asyncio.Condition.Acquire", "asyncio.Condition.Wait", "asyncio.Condition.WaitFor",
	"asyncio/asynciotest.Delay", "asyncio/asynciotest.Advance", "asyncio/asynciotest.WaitIdle",
}

func isContext(t types.Type) bool { return isNamed(t, "context", "Context") }

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

// isNamed reports whether t is the type of that name, whatever its arguments.
func isNamed(t types.Type, pkg, name string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == pkg && n.Obj().Name() == name
}
