// Package sched runs many tasks on one goroutine: a cooperative scheduler of
// greenlets.
//
//	l := sched.New()
//	for _, name := range []string{"a", "b"} {
//		l.Go(func() {
//			for i := range 2 {
//				fmt.Println(name, i)
//				l.Yield()
//			}
//		})
//	}
//	l.Run() // prints a 0, b 0, a 1, b 1
//
// A Task runs until it waits: in Yield, Sleep, Join or Park. Nothing else takes
// control from it, so what only tasks of one loop touch needs no lock, and the
// order of everything is the program's own.
//
// # Turns
//
// The loop works in turns, as asyncio's does. A turn takes what is ready when it
// begins and nothing that becomes ready during it, in the order in which it
// became ready. Before each turn come what other goroutines have posted, events
// of the poller, and the timers that are due, in this order and behind what is
// ready already. Only what is posted while the loop waits comes behind the events
// that end the wait.
//
// The loop has a greenlet, the hub: the one that calls Run. It runs the
// callbacks and waits when there is nothing to do. A task that waits does not go
// back to it: it takes the next task from the ready queue and switches there
// itself, and begins a turn itself if that needs nothing but the ready queue. So
// a hop from task to task is one switch.
//
// # Rules
//
//   - A loop belongs to the goroutine that runs it. Other goroutines may call
//     Post, Stop, Hold and Release, and nothing else. It may be run by another
//     goroutine later, as long as no task has begun.
//   - A callback (Soon, At, After, Post, WhenQuiet) must not wait.
//   - A task that blocks, in a channel, a mutex or a system call, blocks the
//     loop.
//   - Who waits for a condition looks at it again when Park returns: anybody may
//     call Ready. Sleep and Join do so themselves.
//   - A task may wait in greenlets that it has made, such as generators: then
//     it goes on there.
//   - A panic in a task or a callback goes on in Run, and the loop can be run
//     again. Package asyncio makes errors of them.
//   - Close ends a loop and kills what has not ended.
//
// # Descriptors
//
// A loop watches sockets, pipes and other open files of the system, by epoll on
// Linux and by kqueue on the BSDs. A Descriptor is one of them. Its Watcher is
// told what happens and makes ready who waits for it, a Task or a Call; the
// system calls, which must not wait, are the user's own. So a task reads
//
//	for {
//		n, err := unix.Read(fd, p)
//		if err != unix.EAGAIN {
//			return n, err
//		}
//		r.task = l.Current() // Happened calls Ready for it
//		if err := l.Park(); err != nil {
//			return 0, err
//		}
//	}
//
// Watch tells what is new, once ("edge"), and costs nothing after the first call:
// it is for connections. WatchLevel tells in each turn what is so ("level"), as
// asyncio's add_reader does. While the loop has other things to do it asks for
// events once in each turn, without waiting, so that neither side starves the
// other: a turn brings some hundred events at most, and the others wait for the
// next one.
//
// Elsewhere, and with a poller that is not a DescriptorPoller, Watch returns
// errors.ErrUnsupported: what waits for the system does so on goroutines, and
// posts.
//
// # Time and order
//
// Time is the clock's (WithClock), and waiting is the poller's (WithPoller):
// both can be replaced. WithSeed runs the tasks of each turn in a random order
// that a seed repeats.
//
// Package asyncio is built on this one, with futures, cancellation and Python's
// names. Use sched by itself for a scheduler that is only that.
package sched
