// Package asynciotest tests programs that use package asyncio: on virtual time,
// with a check of what they leave behind, and in many orders that can be
// repeated.
//
//	asynciotest.Run(t, func(ctx context.Context) {
//		start := asynciotest.Now(ctx)
//		_, err := fetchWithRetries(ctx) // sleeps for an hour in between
//		...
//	}) // takes microseconds
//
// # Virtual time
//
// The loop of Run goes by a Clock, which stands still while anything is ready
// and goes forward to the next timer when nothing is. So no test waits, and every
// time in it is exact. NewManualClock makes one that goes forward only by
// Advance.
//
// Virtual time covers what goes by the loop's clock: Sleep, timeouts, CallLater.
// It cannot cover what waits outside: a goroutine of your own, the network,
// time.Sleep, a context.WithTimeout. The clock must stand while such a thing is
// under way. ToThread, executors and other calls of package asyncio see to it;
// for a goroutine of your own call the loop's Hold before it starts and Release
// after its CallSoonThreadsafe. What is not held looks like nothing to the clock:
// it goes on to the next timer, so a timeout may come first.
//
// Sockets and pipes lie in between. Before the clock goes forward the loop asks
// what has happened to them, so it does not pass data that is there. Between tasks
// of one loop that is enough: the system hands on what one writes before the write
// returns. What another goroutine or program is about to write is not there yet:
// hold the loop for as long as a test expects that.
//
// In a testing/synctest bubble both can be had: with WithRealTime the loop goes by
// the bubble's clock, like everything else in the bubble.
//
// # Nothing is left, nothing is lost
//
// Run fails the test if the coroutine leaves a task that has not ended, a timer,
// or a greenlet that is suspended; if anything is told to the loop's exception
// handler, such as an error that nobody has looked at; and if everything waits
// for nothing. It says which tasks, and where they wait.
//
// # Orders
//
// asyncio's order is fixed, so a test of it sees one order of many that a change
// elsewhere, or the network, may bring about. Explore runs a test in many: each
// seed stands for an order in which the tasks of a turn run (see asyncio.WithSeed
// for what stays as it is), and for the random numbers of Rand and Delay. If one
// fails, Explore says which, and the environment variable ASYNCIOTEST_SEED runs
// that one again, exactly.
package asynciotest
