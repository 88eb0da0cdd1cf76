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
// has looked at, and what else is wrong: a circle of tasks that wait for each other,
// say. It is Snapshot and Snapshot.WriteTo in one, and costs what they do.
//
// Any goroutine may call it. If the loop does not come to it for half a second, it
// writes what blocks the loop. It does not switch, and w is written to by the caller.
// The error is ErrLoopClosed, that of ctx, or that of w.
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
