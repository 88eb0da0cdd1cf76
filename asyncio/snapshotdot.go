package asyncio

import (
	"fmt"
	"io"
	"strings"
)

// WriteDOT writes s to w as a graph for Graphviz: tasks that wait for tasks or locks,
// and are waited for, with arrows from who waits to what for; those of a circle are
// red. Of all other tasks there is a box for each StackGroup, with their number. The
// error is that of w.
func (s *Snapshot) WriteDOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph tasks {\n\tnode [shape=box, fontname=\"sans-serif\"];\n")
	for _, l := range s.Loops {
		l.dot(&b)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (l *LoopSnapshot) dot(b *strings.Builder) {
	fmt.Fprintf(b, "\tsubgraph cluster_%d {\n\t\tlabel=%s;\n", l.ID, dotString(fmt.Sprintf("loop %s: %s", l.Name, l.State)))
	circle := make(map[uint64]bool)
	for _, c := range l.Cycles {
		for _, id := range c {
			circle[id] = true
		}
	}
	node := func(kind string, id any) string { return fmt.Sprintf("l%d_%s%v", l.ID, kind, id) }
	holders := make(map[uint64]bool)
	for _, k := range l.Locks {
		holders[k.Holder] = true
	}
	tree := newTextTree(l, b)
	left := make(map[int]int) // of each group
	for i := range l.Tasks {
		t := &l.Tasks[i]
		if len(t.Awaits) == 0 && len(t.By) == 0 && t.Lock == 0 && !holders[t.ID] && t.State != SightRunning {
			left[t.Group]++
			continue
		}
		color := ""
		if circle[t.ID] {
			color = ", color=red"
		}
		fmt.Fprintf(b, "\t\t%s [label=%s%s];\n", node("t", t.ID), dotString(t.Name+"\n"+tree.doing(t)), color)
		for _, on := range t.Awaits {
			fmt.Fprintf(b, "\t\t%s -> %s;\n", node("t", t.ID), node("t", on))
		}
		if t.Lock != 0 {
			fmt.Fprintf(b, "\t\t%s -> %s;\n", node("t", t.ID), node("k", t.Lock))
		}
	}
	for _, k := range l.Locks {
		label := k.Kind
		if k.HolderEnded {
			label += "\nheld by " + k.HolderName + ", which has ended"
		}
		fmt.Fprintf(b, "\t\t%s [shape=ellipse, label=%s];\n", node("k", k.ID), dotString(label))
		if k.Holder != 0 && !k.HolderEnded {
			fmt.Fprintf(b, "\t\t%s -> %s [label=\"held by\"];\n", node("k", k.ID), node("t", k.Holder))
		}
		for _, holder := range k.Holders {
			fmt.Fprintf(b, "\t\t%s -> %s [label=\"held by\"];\n", node("k", k.ID), node("t", holder))
		}
	}
	for i := range l.Groups {
		g := &l.Groups[i]
		if n := left[g.ID]; n > 0 {
			does := g.doing(verb(n, "waits", "wait"), verb(n, "is ready", "are ready"), verb(n, "has not begun", "have not begun"))
			fmt.Fprintf(b, "\t\t%s [style=rounded, label=%s];\n", node("g", g.ID), dotString(plural(n, "task")+"\n"+does))
		}
	}
	b.WriteString("\t}\n")
}

// dotString quotes s for Graphviz.
func dotString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(s) + `"`
}
