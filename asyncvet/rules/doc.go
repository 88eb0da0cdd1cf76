// Package rules is the analyzer behind the command asyncvet, for those who put it
// into a tool of their own: a multichecker, or golangci-lint by its module plugins.
//
// A function is on the loop if it is given to a function of package asyncio that
// runs it there, if it calls what only a task may call, or if it is called by one
// that is. Where a function does that only on some of its paths, the others are
// not on the loop. Literals that run elsewhere are not, and neither is what runs
// only if asyncio.CurrentTask(ctx) is nil.
//
// What a function does is carried from package to package by facts, within a
// module: that it blocks, because of what and where, and that it needs a task.
//
// It does not see calls by interfaces and function values, but for those of local
// variables that are assigned once; nor C code, nor reflection.
package rules

// A Rule is one kind of fault.
type Rule struct {
	// ID is what reports begin with and what an ignore names: "GL101".
	ID string

	// Title says what is found, in a few words.
	Title string

	// Why says what goes wrong.
	Why string
}

// All are the rules, in the order of their IDs. Those from GL101 on are about what
// stops the loop, those from GL130 on about what is done in the wrong place, those
// from GL201 on about errors, tasks and contexts.
var All = []Rule{
	{"GL101", "time.Sleep", "The goroutine sleeps, and with it the loop and all of its tasks."},
	{"GL102", "A channel or a select without default", "The loop stands still until another goroutine comes to the channel. If it is a task of the same loop that should, it stands for ever. Not reported: a send to a channel that is made with room."},
	{"GL103", "A mutex that is held across a wait", "Another task that locks it stops the loop, and the one that would unlock it never goes on. Not reported: a mutex that is unlocked before the wait."},
	{"GL104", "WaitGroup, Cond, errgroup, semaphores of goroutines", "They wait for other goroutines by the runtime, of which the loop knows nothing."},
	{"GL105", "net/http's client, and its server", "The client waits for goroutines of its own, also on connections of asyncio; a server serves for ever."},
	{"GL106", "Connections and look-ups of package net, and of crypto/tls", "They wait by Go's own poller, not by the loop's. Not reported: what runs only if CurrentTask is nil."},
	{"GL107", "os/exec: Run, Output, Wait", "They wait for the child."},
	{"GL108", "Standard input", "Nobody knows when somebody types."},
	{"GL109", "Files (with -files)", "A file of a slow disk or of the network takes its time. Off without -files, as most are brief."},
	{"GL110", "A limit of connections in a pool that waits by a channel", "Who asks for a connection beyond the limit waits on a channel, and with him the loop, on which the others would give theirs back."},
	{"GL111", "ConcurrentFuture.Result in a task", "It blocks the goroutine, and waits for ever if the result is to come from the same loop."},
	{"GL112", "A loop within a loop", "Run, RunFunc and their like are refused in a task or a callback: the error is ErrLoopRunning."},
	{"GL120", "An endless loop without a wait", "A task runs until it waits, so nothing else ever runs."},
	{"GL121", "A loop that only sleeps until a condition holds", "It wakes for nothing, and late. What changes the condition can say so."},
	{"GL122", "A timeout in which nothing waits", "A timeout ends waits. Where there is none it ends nothing."},
	{"GL130", "A wait where no task is", "In a callback, on a goroutine or in a thread there is no task that could wait: the error is ErrNoRunningLoop, and Go and CreateTask panic with it."},
	{"GL131", "What belongs to a loop, touched by another goroutine", "It is a race: the loop does not expect it, and does not wake."},
	{"GL132", "Real time in a test on virtual time", "The loop's clock jumps from timer to timer, and what goes by the system's clock is hours late, or comes first by chance."},
	{"GL201", "The error of a wait, dropped", "A cancel comes as an error, once. In a loop whoever drops it goes on as if nobody had asked; after Acquire he goes on without the lock. Elsewhere it is mostly harmless, and reported with -strict only."},
	{"GL202", "The context of another function in a task", "The wait does not end with the task's own context, nor has it that one's values."},
	{"GL203", "A task that is dropped", "Nobody sees its error but a report when it is collected. Of what only begins when it is awaited nothing ever runs. Not reported: a function that fails only by a cancel, or not at all."},
	{"GL204", "An endless loop that goes on after any error of a wait", "A cancel is one of these errors, so the task cannot be ended; once its context has ended the loop does not wait any more."},
	{"GL205", "ErrCancelled by ==", "A cancel is a *CancelledError of its own, with its message, so == is false. errors.Is finds it."},
	{"GL206", "context.Background() for a wait", "A wait finds its loop by the context, so the error is ErrNoRunningLoop."},
}

// known reports whether there is a rule of that ID.
func known(id string) bool {
	for _, r := range All {
		if r.ID == id {
			return true
		}
	}
	return false
}
