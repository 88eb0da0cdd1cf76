// Package asyncio is Python's asyncio in Go: an event loop that runs tasks on one
// goroutine, with futures, cancellation, timeouts, groups, locks, queues and
// executors, in asyncio's order and by asyncio's names.
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"time"
//
//		"github.com/go-greenlet/greenlet/asyncio"
//	)
//
//	func main() {
//		v, err := asyncio.Run(context.Background(), func(ctx context.Context) (string, error) {
//			tea := asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
//				return asyncio.SleepResult(ctx, 10*time.Millisecond, "tea")
//			})
//			fmt.Println("the kettle is on")
//			return tea.Await(ctx)
//		})
//		fmt.Println(v, err)
//	}
//
// It prints
//
//	the kettle is on
//	tea <nil>
//
// # The model
//
// A coroutine is a plain function that takes a context and may wait. Calling it
// is awaiting it: there is no other kind of function, and no other kind of call.
// A task is a coroutine that runs beside others, on a stack of its own: it may
// wait in the middle of any call, however deep.
// A loop runs the tasks of one goroutine, one at a time. A task runs until it
// waits; nothing else takes control from it. So what only tasks touch needs no
// lock, and a program takes the same course each time it runs.
// The loop works in turns: a turn runs what is ready when it begins, first come,
// first served. What becomes ready meanwhile belongs to the next turn. That is
// asyncio's order, kept to the letter.
// A future is a result that is not there yet; a task is the future of its own.
//
// Where a call takes a function that has a result, there is one beside it for a
// function that has none but its error: RunFunc is Run, ToThreadFunc is ToThread, as
// in package sync OnceFunc stands beside OnceValue. Func makes a coroutine of such a
// function, for all other calls. Only Go and TaskGroup.Go are called as everybody
// expects: they are CreateTask and GroupTask.
//
// # Rules
//
//   - Pass on the ctx that you were given. It leads to the loop and carries the
//     values that contextvars carry in Python. The task that calls is
//     the one that waits, whichever task the ctx comes from.
//   - Every call that waits takes a ctx first, and returns its error when it
//     ends. The end of a context stays; a cancellation does not:
//   - Cancel is a request. The task's present wait, or its next one, returns a
//     CancelledError, once. Clean up and return it. A task that goes on
//     instead has refused the request, and its later waits wait as usual.
//   - Return the errors that you do not handle. One that a task returns and
//     nobody looks at is reported by log/slog. A panic in a task or a callback
//     becomes an error, a *PanicError, and goes the same way.
//   - Do not block: a channel, a mutex, time.Sleep, a file or a long computation
//     stops the loop, and all that runs on it. ToThread and RunInExecutor take
//     such calls elsewhere, and WithWatchdog finds those that were missed.
//   - A loop and all that belongs to it are touched on the loop's goroutine only.
//     From others there are CallSoonThreadsafe, RunCoroutineThreadsafe and what
//     says that any goroutine may call it.
//   - A callback (CallSoon, CallLater, AddDoneCallback) runs in no task, and must
//     not wait.
//   - Run ends what it began: it cancels the tasks that are left, waits for them,
//     and closes the loop. Nothing outlives it.
//
// # The errors of a wait
//
// Many calls say that their error is one of a wait. That is
//
//   - a *CancelledError if the calling task was cancelled;
//   - the error of ctx, ctx.Err(), if ctx has ended;
//   - ErrNoRunningLoop if no task of a running loop calls;
//   - ErrOtherLoop if what the task would wait for belongs to another loop;
//   - ErrLoopClosed if the loop is closed while the task waits.
//
// # Connections
//
// Dial, Listen and ListenPacket give Go's own interfaces: a net.Conn on which only
// the task waits that calls. Libraries that take a connection, or a function that
// dials, run on the loop unchanged; others are called by ToThread. The page
// docs/net-conn.md of the repository says which is which.
//
// # Streams and transports
//
// OpenConnection and StartServer give a StreamReader and a StreamWriter: reads
// wait, in the task that calls them, and writes do not; Drain waits when too much
// is to be sent. CreateConnection and CreateServer are the layer below: a
// transport, which never waits, tells a protocol what happens, by callbacks.
// What arrives costs a system call and no allocation with ReadInto or a protocol,
// and the memory that Read returns is the caller's. What the loop holds open when
// it is closed is closed with it.
//
// On Linux, macOS and the BSDs the loop watches descriptors. Elsewhere, and with the
// build tag portable, goroutines read and write behind it, by Go's own poller. The
// page docs/caveats.md of the repository says what differs.
//
// # What differs from Python
//
//   - A Coro is a function, not an object that waits to be awaited. One that is
//     not called cannot be forgotten. NewCoroutine makes the object for those who
//     want it.
//   - A ctx that ends ends waits. In Python only a cancel does.
//   - The loop keeps its tasks: none is collected while it waits.
//   - Where CPython goes through a set, in the order of Wait, AsCompleted, a
//     group's abort or the end of Run, the order here is that of creation.
//   - Timers of equal times run in the order in which they were made.
//   - What raises for a wrong use returns an error, or panics with one where
//     nothing is returned.
//   - A read at the end of a stream returns io.EOF, and no empty bytes. A handler of
//     StartServer may leave its connection open only while somebody has the writer;
//     that is Python's rule, too, but there is no telling when it is collected.
//   - No policies, no child watchers, no loop arguments: they ended deprecated.
//
// PARITY.md, beside this file, has every public name of CPython's asyncio with its
// counterpart here. The page docs/from-asyncio.md of the repository has the
// same programs in both languages. Package sched is the scheduler underneath.
//
// # Debug mode
//
// The debug mode looks for what programs do wrong: steps and callbacks that take
// long, a loop that is stuck, calls from other goroutines, a wait with another
// task's context. It is on by WithDebug, or by ASYNCIODEBUG=1 in the environment,
// which may name options: ASYNCIODEBUG=slow=50ms,watchdog=2s. The watchdog, which
// names the call that blocks, costs so little that it may be on by itself: see
// WithWatchdog.
package asyncio
