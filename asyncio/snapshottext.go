package asyncio

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/printable"
)

// WriteTo writes s to w as text: for each loop its tasks, as a tree, below each those
// that it waits for, and for each where it waits; then the errors that nobody has
// looked at, and the warnings. Where more than ten tasks that wait for no task do the
// same, they are one line. A tree of more than 200 levels goes on in one of its own. What
// in names and errors cannot be printed, line breaks too, is escaped as in a Go string.
// It returns the number of bytes, and the error of w.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) {
	var text strings.Builder
	for i, l := range s.Loops {
		if len(s.Loops) > 1 {
			if i > 0 {
				text.WriteByte('\n')
			}
			fmt.Fprintf(&text, "loop %s: %s, %s\n", printable.Text(l.Name), l.State, plural(l.Stats.Tasks, "task"))
		}
		l.write(&text)
	}
	n, err := io.WriteString(w, text.String())
	return int64(n), err
}

// equalLeaves is how many tasks that do the same are named each.
const equalLeaves = 10

// write writes l as WriteTo does.
func (l *LoopSnapshot) write(text *strings.Builder) {
	if b := l.Blocked; b != nil {
		fmt.Fprintf(text, "the loop is blocked for %s by %s", roughly(b.For), printable.Text(b.Name))
		if b.At != "" {
			fmt.Fprintf(text, " at %s", b.At)
		}
		fmt.Fprintf(text, "; its %s cannot be looked at\n", plural(l.Stats.Tasks, "task"))
	}
	newTextTree(l, text).all()
	for _, e := range l.Lost {
		fmt.Fprintln(text, printable.Text(e.String()))
	}
	for _, x := range l.Warnings {
		switch x.ID {
		case "W3", "W5": // are there already
		case "W11": // is about the program, not about what it does
		default:
			fmt.Fprintf(text, "%s: %s\n", x.ID, printable.Text(x.Text))
		}
	}
}

// String says whose error it is, and what.
func (e LostError) String() string {
	return fmt.Sprintf("%s: has failed, and nobody has looked at the error: %v", e.Name, e.Err)
}

// A textTree is the tasks of a loop, each with those that it waits for.
type textTree struct {
	*strings.Builder
	l      *LoopSnapshot
	tasks  map[uint64]*TaskSnapshot
	done   map[uint64]bool
	groups map[int]string // what those in it do
	locks  map[int]string
}

func newTextTree(l *LoopSnapshot, to *strings.Builder) *textTree {
	tree := &textTree{
		Builder: to, l: l,
		tasks:  make(map[uint64]*TaskSnapshot, len(l.Tasks)),
		done:   make(map[uint64]bool, len(l.Tasks)),
		groups: make(map[int]string, len(l.Groups)),
		locks:  make(map[int]string, len(l.Locks)),
	}
	for i := range l.Tasks {
		tree.tasks[l.Tasks[i].ID] = &l.Tasks[i]
	}
	for i := range l.Groups {
		tree.groups[l.Groups[i].ID] = l.Groups[i].doing("waits", "is ready", "has not begun")
	}
	for i := range l.Locks {
		tree.locks[l.Locks[i].ID] = printable.Text(l.Locks[i].held(tree.tasks))
	}
	return tree
}

func (tree *textTree) all() {
	var top []uint64
	for i := range tree.l.Tasks {
		if t := &tree.l.Tasks[i]; len(t.By) == 0 {
			top = append(top, t.ID)
		}
	}
	tree.below(top, "", 0)
	for i := range tree.l.Tasks { // those that wait in a circle, or too deep
		if t := &tree.l.Tasks[i]; !tree.done[t.ID] {
			tree.add(t, "", "", 0)
		}
	}
}

// deepest is how many levels one tree has at most: each line begins with the branches of
// all levels above it.
const deepest = 200

// below writes tasks that are beside each other, each with what is below it. rest is
// what their lines begin with, level how many tasks they are below.
func (tree *textTree) below(ids []uint64, rest string, level int) {
	type kind struct{ group, lock int }
	kindOf := func(id uint64) (kind, bool) {
		t := tree.tasks[id]
		return kind{t.Group, t.Lock}, len(t.Awaits) == 0 && t.Group != 0 && !tree.done[id]
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id uint64) bool { return tree.tasks[id] == nil }) // somebody has cut the list
	count := make(map[kind]int)
	for _, id := range ids {
		if k, leaf := kindOf(id); leaf {
			count[k]++
		}
	}
	var lines []func(first, rest string)
	for _, id := range ids {
		k, leaf := kindOf(id)
		switch {
		case !leaf || count[k] >= 0 && count[k] <= equalLeaves:
			lines = append(lines, func(first, rest string) { tree.add(tree.tasks[id], first, rest, level) })
			continue
		case count[k] > 0:
			n := count[k]
			lines = append(lines, func(first, _ string) {
				fmt.Fprintf(tree, "%s%s: %s%s\n", first, plural(n, "task"), tree.l.group(k.group).doing("wait", "are ready", "have not begun"), tree.locks[k.lock])
			})
			count[k] = -1 // its line is there
		}
		tree.done[id] = true
	}
	for i, line := range lines {
		switch {
		case level == 0:
			line("", "")
		case i < len(lines)-1:
			line(rest+"├─ ", rest+"│  ")
		default:
			line(rest+"└─ ", rest+"   ")
		}
	}
}

// add writes t and what is below it. first and rest is what their lines begin with.
func (tree *textTree) add(t *TaskSnapshot, first, rest string, level int) {
	name := printable.Text(t.Name)
	if tree.done[t.ID] {
		fmt.Fprintf(tree, "%s%s: see above\n", first, name)
		return
	}
	tree.done[t.ID] = true
	fmt.Fprintf(tree, "%s%s: %s\n", first, name, tree.doing(t))
	if level == deepest && len(t.Awaits) > 0 {
		fmt.Fprintf(tree, "%s└─ ...\n", rest)
		return
	}
	tree.below(t.Awaits, rest, level+1)
}

func (tree *textTree) doing(t *TaskSnapshot) string {
	if t.State == SightRunning {
		return "runs"
	}
	return tree.groups[t.Group] + tree.locks[t.Lock]
}

// group returns the group with that ID.
func (l *LoopSnapshot) group(id int) *StackGroup {
	for i := range l.Groups {
		if l.Groups[i].ID == id {
			return &l.Groups[i]
		}
	}
	return &StackGroup{}
}

// doing says in a few words what those in g do: the call of this package in which
// they wait, and who has called that.
func (g *StackGroup) doing(waits, ready, created string) string {
	what := waits
	switch g.State {
	case SightCreated:
		return created
	case SightReady:
		what = ready
	}
	if len(g.Stack) > 0 {
		what += " in " + shortName(g.Stack[0])
	}
	if len(g.Stack) > 1 {
		what += fmt.Sprintf(", called by %s at %s", shortName(g.Stack[1]), shortPlace(g.Stack[1]))
	}
	return what
}

// held says who has the lock. tasks is those of the loop.
func (k *LockSnapshot) held(tasks map[uint64]*TaskSnapshot) string {
	switch n := len(k.Holders); {
	case n > 0:
		text := "; the " + strings.ToLower(k.Kind) + " is held by "
		for i, id := range k.Holders[:min(n, holdersNamed)] {
			switch {
			case i == 0:
			case i == n-1:
				text += " and "
			default:
				text += ", "
			}
			if t := tasks[id]; t != nil {
				text += t.Name
			} else {
				text += "a task that has ended"
			}
		}
		if n > holdersNamed {
			text += fmt.Sprintf(" and %d more", n-holdersNamed)
		}
		return text
	case k.HolderEnded && k.Kind == holdsSemaphore.String():
		return fmt.Sprintf("; %s, which has ended, has acquired the semaphore last", k.HolderName)
	case k.HolderEnded:
		return fmt.Sprintf("; the %s is held by %s, which has ended without releasing it", strings.ToLower(k.Kind), k.HolderName)
	case k.Holder != 0:
		return fmt.Sprintf("; the %s is held by %s", strings.ToLower(k.Kind), k.HolderName)
	}
	return ""
}

// holdersNamed is how many holders of a semaphore are named.
const holdersNamed = 3

// plural is n things, with commas in n.
func plural(n int, thing string) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n != 1 {
		thing += "s"
	}
	return digits + " " + thing
}

// roughly is d with few digits.
func roughly(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
