package asyncio

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
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
	var text string
	switch {
	case l.s.Owned() && l.IsClosed():
		return ErrLoopClosed
	case l.s.Owned():
		text = l.describeTasks()
	default:
		described := make(chan string, 1)
		if _, err := l.s.Post(func() { described <- l.describeTasks() }); err != nil {
			return loopError(err)
		}
		select {
		case text = <-described:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	_, err := io.WriteString(w, text)
	return err
}

// A taskTree is the tasks of a loop, each with those that it waits for.
type taskTree struct {
	strings.Builder
	below map[*task][]*task
	done  map[*task]bool
}

// describeTasks returns what WriteTasks writes.
func (l *Loop) describeTasks() string {
	text := l.taskTree()
	for _, e := range l.lost.list() {
		text += e.String() + "\n"
	}
	return text
}

// taskTree returns the tasks as a tree.
func (l *Loop) taskTree() string {
	tree := &taskTree{below: make(map[*task][]*task), done: make(map[*task]bool)}
	var all, top []*task
	for _, t := range AllTasks(l) {
		t, by := t.self(), t.base().awaitedBy()
		all = append(all, t)
		if len(by) == 0 {
			top = append(top, t)
		}
		for _, by := range by {
			tree.below[by] = append(tree.below[by], t)
		}
	}
	for _, t := range append(top, all...) { // all, for those that wait in a circle
		if !tree.done[t] {
			tree.add(t, "", "")
		}
	}
	return tree.String()
}

// add writes t and what is below it. first and rest is what their lines begin
// with.
func (tree *taskTree) add(t *task, first, rest string) {
	if tree.done[t] {
		fmt.Fprintf(tree, "%s%s: see above\n", first, t.Name())
		return
	}
	tree.done[t] = true
	fmt.Fprintf(tree, "%s%s: %s\n", first, t.Name(), t.doing())
	below := tree.below[t]
	for i, child := range below {
		if i < len(below)-1 {
			tree.add(child, rest+"├─ ", rest+"│  ")
		} else {
			tree.add(child, rest+"└─ ", rest+"   ")
		}
	}
}

// doing says in a few words what t does: the call of this package in which it
// waits, and who has called that.
func (t *task) doing() string {
	switch {
	case t.loop.s.Current() == &t.st:
		return "runs"
	case t.st.Greenlet() == nil:
		return "has not begun"
	}
	what := "waits"
	if t.st.Queued() {
		what = "is ready"
	}
	frames := t.calls()
	if len(frames) > 0 {
		what += " in " + shortName(frames[0])
	}
	if len(frames) > 1 {
		what += fmt.Sprintf(", called by %s at %s:%d", shortName(frames[1]), path.Base(frames[1].File), frames[1].Line)
	}
	return what
}
