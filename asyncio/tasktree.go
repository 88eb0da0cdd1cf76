package asyncio

import (
	"context"
	"io"
)

// WriteTasks writes all tasks of l to w, as a tree: below each task those that it
// waits for, and for each where it waits. A program that hangs is asked what it
// does, by a signal or a page that it serves:
//
//	l.AddSignalHandler(syscall.SIGUSR1, func() { l.WriteTasks(ctx, os.Stderr) })
//
// Below the tree are the tasks and futures that have failed with an error that nobody
// has looked at.
//
// Any goroutine may call it. Another than that on which the loop runs, or ran last,
// waits until the loop comes to it, or ctx ends: what keeps a loop that runs from
// that, a watchdog tells (WithWatchdog).
// It does not switch, and w is written to by the caller. The error is ErrLoopClosed,
// that of ctx, or that of w. Cost: a list of all tasks, and a look at each stack,
// during which the loop does nothing else.
//
// Python: python -m asyncio pstree.
func (l *Loop) WriteTasks(ctx context.Context, w io.Writer) error {
	s, err := l.Snapshot(ctx)
	if err != nil {
		return err
	}
	_, err = s.WriteTo(w)
	return err
}
