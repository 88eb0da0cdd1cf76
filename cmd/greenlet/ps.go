package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/look"
)

// clean is text as it may be written to a terminal: what cannot be printed is
// escaped as in a Go string, as package asyncio does.
func clean(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// shortened is text of n characters at most.
func shortened(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}

// list prints the processes that can be looked at.
func list(w io.Writer, o options) error {
	all := look.List()
	if o.json {
		return json.NewEncoder(w).Encode(all)
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "PID\tGO\tCOMMAND")
	for _, p := range all {
		fmt.Fprintf(t, "%d\t%s\t%s\n", p.PID, clean(p.Go), shortened(clean(p.Command), 200))
	}
	return t.Flush()
}

// A view is a snapshot that is being printed.
type view struct {
	*look.Snapshot
	frames map[int]look.Frame
}

func newView(s *look.Snapshot) *view {
	v := &view{s, make(map[int]look.Frame)}
	for _, f := range s.Frames {
		v.frames[f.ID] = f
	}
	return v
}

func (v *view) call(id int) string { return clean(look.ShortName(v.frames[id].Func)) }

func (v *view) place(id int) string {
	f := v.frames[id]
	return clean(fmt.Sprintf("%s:%d", path.Base(f.File), f.Line))
}

// where says in which call a group is, and who has made it.
func (v *view) where(stack []int) string {
	switch len(stack) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s at %s", v.call(stack[0]), v.place(stack[0]))
	}
	return fmt.Sprintf("%s, called by %s at %s", v.call(stack[0]), v.call(stack[1]), v.place(stack[1]))
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " " + what
}

func (v *view) head(w io.Writer) {
	tasks := 0
	for _, l := range v.Loops {
		tasks += l.Count
	}
	fmt.Fprintf(w, "process %d, %s, %s switch: %s, %s, %s\n", v.PID, clean(v.Go), clean(v.Backend),
		count(len(v.Loops), "loop"), count(tasks, "task"), count(v.Greenlets.Live, "greenlet"))
	if v.Partial {
		fmt.Fprintln(w, "(it changed while it was looked at: something may be missing)")
	}
}

// title is a loop's number, and its name if it has one.
func title(l *look.Loop) string {
	number := strconv.FormatUint(l.ID, 10)
	if l.Name == "" || l.Name == number {
		return "loop " + number
	}
	return "loop " + number + " " + shortened(clean(l.Name), 60)
}

func (v *view) loopHead(w io.Writer, l *look.Loop) {
	fmt.Fprintf(w, "\n%s: %s, %s\n", title(l), clean(l.State), count(l.Count, "task"))
	for _, x := range l.Warnings {
		fmt.Fprintf(w, "  ! %s %s\n", clean(x.ID), clean(x.Text))
		if x.ID == "W6" && l.Blocked != nil {
			if l.Blocked.Busy && len(l.Blocked.Stack) > 0 {
				fmt.Fprintln(w, "    the innermost calls may be over:")
			}
			for _, id := range l.Blocked.Stack {
				fmt.Fprintf(w, "      %s %s\n", v.call(id), v.place(id))
			}
		}
	}
	for _, e := range l.Lost {
		fmt.Fprintf(w, "  ! lost error of %s: %s\n", clean(e.Name), clean(e.Error))
	}
}

// ps prints loops and tasks.
func ps(from source, w io.Writer, o options) error {
	s, err := again(from)
	if err != nil {
		return err
	}
	if o.json {
		return s.WriteJSON(w, o.all)
	}
	v := newView(s)
	v.head(w)
	for _, l := range v.Loops {
		v.loopHead(w, l)
		some := l.Matter(o.all)
		if len(some) > look.Many && !o.all {
			some = some[:look.Many]
		}
		v.tasks(w, l, some)
		if len(some) < len(l.Tasks) {
			fmt.Fprintln(w, "  all tasks, by where they are:")
			for _, line := range v.groupLines(l.Groups, "task") {
				fmt.Fprintf(w, "  %s\n", line)
			}
		}
	}
	v.others(w)
	return nil
}

// others prints the greenlets that are no tasks.
func (v *view) others(w io.Writer) {
	if len(v.Greenlets.Groups) > 0 {
		fmt.Fprintln(w, "\ngreenlets that are no tasks:")
		for _, line := range v.groupLines(v.Greenlets.Groups, "greenlet") {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
}

// groupLines returns the groups, those together that look the same.
func (v *view) groupLines(groups []*look.Group, what string) (lines []string) {
	var merged []*look.Group
	by := make(map[string]*look.Group)
	for _, g := range groups {
		key := g.State + " " + v.where(g.Stack)
		if m := by[key]; m != nil {
			m.Count += g.Count
			continue
		}
		m := *g
		by[key] = &m
		merged = append(merged, &m)
	}
	slices.SortStableFunc(merged, func(a, b *look.Group) int { return cmp.Compare(b.Count, a.Count) })
	for _, g := range merged {
		lines = append(lines, v.groupLine(g, what))
	}
	return lines
}

func (v *view) groupLine(g *look.Group, what string) string {
	line := count(g.Count, what) + ": " + clean(g.State)
	if where := v.where(g.Stack); where != "" {
		line += " in " + where
	}
	return line
}

func (v *view) tasks(w io.Writer, l *look.Loop, some []*look.Task) {
	if len(some) == 0 {
		return
	}
	named := names(l)
	groups := make(map[int]*look.Group)
	for _, g := range l.Groups {
		groups[g.ID] = g
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, task := range some {
		where := ""
		if g := groups[task.Group]; g != nil {
			where = v.where(g.Stack)
		}
		fmt.Fprintf(t, "  %d\t%s\t%s", task.ID, shortened(clean(task.Name), 60), clean(task.State))
		if where != "" {
			fmt.Fprintf(t, "\t%s", where)
		}
		var notes []string
		if len(task.Awaits) > 0 {
			notes = append(notes, "for "+few(task.Awaits, named))
		}
		if lock := lockOf(l, task); lock != nil {
			notes = append(notes, waitedFor(lock, named))
		}
		if task.Cancels > 0 {
			notes = append(notes, "asked to end")
		}
		if len(notes) > 0 {
			fmt.Fprintf(t, "\t%s", strings.Join(notes, "; "))
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

// waitedFor says what somebody waits for, and who has it.
func waitedFor(lock *look.Lock, named map[uint64]string) string {
	note := fmt.Sprintf("for %s %d", clean(lock.Kind), lock.ID)
	switch {
	case lock.HolderEnded:
		note += ", acquired last by " + clean(lock.HolderName) + ", which has ended"
	case lock.Holder != 0:
		note += ", acquired last by " + clean(lock.HolderName)
	case len(lock.Holders) > 0:
		note += ", acquired by " + few(lock.Holders, named)
	}
	return note
}

// few names the first of some tasks, and says how many more there are.
func few(tasks []uint64, named map[uint64]string) string {
	var all []string
	for _, id := range tasks {
		name := named[id]
		if name == "" {
			name = fmt.Sprint("task ", id)
		}
		all = append(all, name)
	}
	if len(all) > 3 {
		all = append(all[:3], count(len(all)-3, "other"))
	}
	return strings.Join(all, ", ")
}

func names(l *look.Loop) map[uint64]string {
	named := make(map[uint64]string)
	for _, t := range l.Tasks {
		named[t.ID] = shortened(clean(t.Name), 60)
	}
	return named
}

func lockOf(l *look.Loop, t *look.Task) *look.Lock {
	for _, lock := range l.Locks {
		if t.Lock != 0 && lock.ID == t.Lock {
			return lock
		}
	}
	return nil
}

// pstree prints the tasks as a tree: below each those that it waits for.
func pstree(from source, w io.Writer, o options) error {
	s, err := again(from)
	if err != nil {
		return err
	}
	if o.json {
		return s.WriteJSON(w, o.all)
	}
	v := newView(s)
	v.head(w)
	for _, l := range v.Loops {
		v.loopHead(w, l)
		t := &tree{v: v, w: w, loop: l, named: names(l), done: make(map[uint64]bool), byID: make(map[uint64]*look.Task), groups: make(map[int]*look.Group)}
		for _, task := range l.Tasks {
			t.byID[task.ID] = task
		}
		for _, g := range l.Groups {
			t.groups[g.ID] = g
		}
		var top []*look.Task
		for _, task := range l.Tasks {
			if len(task.By) == 0 {
				top = append(top, task)
			}
		}
		t.children(top, "  ", false)
		for _, task := range l.Tasks { // those that wait in a circle
			if !t.done[task.ID] {
				t.task(task, "  ", "  ")
			}
		}
	}
	v.others(w)
	return nil
}

type tree struct {
	v      *view
	w      io.Writer
	loop   *look.Loop
	named  map[uint64]string
	byID   map[uint64]*look.Task
	groups map[int]*look.Group
	done   map[uint64]bool
}

// deepest is how deep a tree is printed.
const deepest = 200

func (t *tree) task(task *look.Task, first, rest string) {
	line := first + shortened(clean(task.Name), 60)
	if t.done[task.ID] {
		fmt.Fprintln(t.w, line+": see above")
		return
	}
	t.done[task.ID] = true
	fmt.Fprintf(t.w, "%s: %s\n", line, t.doing(task))
	if len(rest) > 4*deepest {
		fmt.Fprintln(t.w, rest+"...")
		return
	}
	var below []*look.Task
	for _, id := range task.Awaits {
		if child := t.byID[id]; child != nil {
			below = append(below, child)
		}
	}
	t.children(below, rest, true)
}

func (t *tree) doing(task *look.Task) string {
	doing := clean(task.State)
	if g := t.groups[task.Group]; g != nil && len(g.Stack) > 0 {
		doing += " in " + t.v.where(g.Stack)
	}
	if lock := lockOf(t.loop, task); lock != nil {
		doing += ", " + waitedFor(lock, t.named)
	}
	return doing
}

// equalMost is how many equal leaves are printed one by one.
const equalMost = 3

// children prints tasks, those that wait for nobody and do the same as one.
func (t *tree) children(all []*look.Task, rest string, lines bool) {
	leaves := make(map[int]int)
	for _, task := range all {
		if len(task.Awaits) == 0 {
			leaves[task.Group]++
		}
	}
	told := make(map[int]bool)
	all = slices.DeleteFunc(slices.Clone(all), func(task *look.Task) bool {
		if len(task.Awaits) > 0 || leaves[task.Group] <= equalMost {
			return false
		}
		if told[task.Group] {
			t.done[task.ID] = true
		}
		was := told[task.Group]
		told[task.Group] = true
		return was
	})
	for i, task := range all {
		first, below := rest, rest
		if lines && i < len(all)-1 {
			first, below = rest+"├─ ", rest+"│  "
		} else if lines {
			first, below = rest+"└─ ", rest+"   "
		}
		if n := leaves[task.Group]; len(task.Awaits) == 0 && n > equalMost {
			t.done[task.ID] = true
			fmt.Fprintf(t.w, "%s%s: %s\n", first, count(n, "task"), t.doing(task))
			continue
		}
		t.task(task, first, below)
	}
}

// since says how long ago something was, in a few characters.
func since(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
