package greenlet

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// WriteProfile writes all suspended greenlets of all goroutines to w, without the
// main ones, by the stacks in which they wait. It is for who looks for greenlets
// that were left behind: they hold their stacks, and what is on them. How debug says
// what is written:
//
//	0  a profile for go tool pprof, whose -diff_base shows what has grown
//	1  text: each stack once, with how many wait in it
//	2  text: each greenlet by itself, with its number
//
// A greenlet has these labels: name, if it has one; goroutine, the number of the
// goroutine that it belongs to, none for a Pull that nobody has called since the last
// cycle of the collector; and abandoned, if no handle of it was left in that cycle,
// so that it ends when its goroutine next switches. Who holds the others is not
// known. Above all it is not known of a greenlet whether only its own stack refers
// to its handle, which keeps it for ever: see the page of caveats.
//
// A greenlet that begins or ends meanwhile may be missing; none is there twice. One
// that waits for something else than a switch, such as a channel, is not suspended.
//
// Any goroutine may call it; it does not switch. The error is that of w. Cost:
// about a microsecond for each greenlet, during which its goroutine can start and
// end no other, and as much memory as the text. With the generic backend the world
// is stopped to print all goroutines' stacks.
func WriteProfile(w io.Writer, debug int) error {
	all := lookAtSuspended()
	b := bufio.NewWriter(w)
	switch debug {
	case 0:
		writePprof(b, grouped(all))
	case 1:
		fmt.Fprintf(b, "greenlet profile: total %d\n", len(all))
		for _, g := range grouped(all) {
			g.write(b)
		}
	default:
		for _, s := range all {
			s.write(b)
		}
	}
	return b.Flush()
}

// A sight is what a look at a suspended greenlet has found.
type sight struct {
	id uint64
	sightLabels
	stack *suspendedStack
}

type sightLabels struct {
	name      string
	owner     uint64 // the number of its tree's first goroutine; 0: none
	abandoned bool
}

// A suspendedStack is the calls in which some greenlets wait.
type suspendedStack struct{ frames []runtime.Frame }

// lookAtSuspended looks at all suspended greenlets, in the order in which they were
// made.
func lookAtSuspended() []sight {
	var l looker
	if !assembly {
		l.lookAtPrinted()
	} else {
		l.look(l.stackOf)
	}
	slices.SortFunc(l.all, func(a, b sight) int { return cmp.Compare(a.id, b.id) })
	return l.all
}

// A looker looks at all suspended greenlets.
type looker struct {
	all   []sight
	pcs   []uintptr
	key   []byte
	known map[string]*suspendedStack // by return addresses; nil if it is no suspended one
}

// atOnce is how many greenlets of a tree are looked at while it can neither start
// nor end one.
const atOnce = 64

// look adds all whose stack stackOf knows.
func (l *looker) look(stackOf func(c *carrier) *suspendedStack) {
	for _, h := range trees() {
		seen := make(map[uint64]bool)
		h.mu.Lock()
		at := len(h.live)
		h.mu.Unlock()
		// From the end: what ends meanwhile is replaced by the last one, so one that
		// was not looked at yet stays below.
		for at > 0 {
			h.mu.Lock()
			at = min(at, len(h.live))
			for end := max(0, at-atOnce); at > end; at-- {
				c := h.live[at-1]
				s := c.seen(h.rootID)
				if seen[s.id] {
					continue
				}
				seen[s.id] = true
				if s.stack = stackOf(c); s.stack != nil {
					l.all = append(l.all, s)
				}
			}
			h.mu.Unlock()
		}
	}
	floating.mu.Lock()
	defer floating.mu.Unlock()
	for _, c := range floating.carriers {
		p := c.afloat()
		if p == nil || !p.take() {
			continue
		}
		owner := uint64(0)
		if p.hub != &nowhere {
			owner = p.hub.rootID
		}
		s := p.c.seen(owner)
		if s.stack = stackOf(p.c); s.stack != nil {
			l.all = append(l.all, s)
		}
		p.set(paused)
	}
}

// seen is what is known of c's greenlet without its stack.
func (c *carrier) seen(owner uint64) sight {
	s := sight{sightLabels: sightLabels{owner: owner}}
	name := (*string)(nil)
	if g := c.handle; g != nil {
		s.id, name = g.id, g.name
	} else {
		s.id, name = c.old.id, c.old.name
		s.abandoned = c.old.weak.Value() == nil
	}
	if name != nil {
		s.name = *name
	}
	return s
}

// stackOf returns where c's greenlet waits, or nil if it is not suspended.
func (l *looker) stackOf(c *carrier) *suspendedStack {
	if l.pcs == nil {
		l.pcs = make([]uintptr, 64)
	}
	n := rt.Callers(c.g, l.pcs)
	for n == len(l.pcs) && n < maxFrames {
		l.pcs = make([]uintptr, 2*n)
		n = rt.Callers(c.g, l.pcs)
	}
	if n == 0 {
		return nil
	}
	l.key = l.key[:0]
	for _, pc := range l.pcs[:n] {
		l.key = binary.NativeEndian.AppendUint64(l.key, uint64(pc))
	}
	if s, ok := l.known[string(l.key)]; ok {
		return s
	}
	var frames []runtime.Frame
	for it := runtime.CallersFrames(l.pcs[:n]); ; {
		f, more := it.Next()
		if f.PC != 0 {
			frames = append(frames, f)
		}
		if !more {
			break
		}
	}
	return l.learn(string(l.key), frames)
}

// learn remembers the frames of a goroutine, those of the switch and of the runtime
// included, by key.
func (l *looker) learn(key string, frames []runtime.Frame) (s *suspendedStack) {
	if l.known == nil {
		l.known = make(map[string]*suspendedStack)
	}
	if waitsInSwitch(frames) {
		// A stack has several places to park in.
		var places strings.Builder
		frames = trimFrames(frames)
		for _, f := range frames {
			fmt.Fprintf(&places, "%s %s:%d\n", f.Function, f.File, f.Line)
		}
		if s = l.known[places.String()]; s == nil {
			s = &suspendedStack{frames}
			l.known[places.String()] = s
		}
	}
	l.known[key] = s
	return s
}

// waitsInSwitch reports whether the frames are those of a goroutine that waits in
// a switch, rather than in a call of the runtime that the user has made.
func waitsInSwitch(frames []runtime.Frame) bool {
	for _, f := range frames {
		if !isRuntimes(f.Function) {
			return strings.HasPrefix(f.Function, packagePath+".")
		}
	}
	return false
}

// lookAtPrinted is look for the generic backend, by what runtime.Stack prints. What
// was on the same goroutine before and after that was there meanwhile.
func (l *looker) lookAtPrinted() {
	none := new(suspendedStack)
	before := make(map[uint64]uint64) // the number of the greenlet by that of the goroutine
	var first looker
	first.look(func(c *carrier) *suspendedStack {
		before[c.number] = c.seen(0).id
		return none
	})
	blocks := make(map[uint64]string)
	for block := range strings.SplitSeq(printedGoroutines(), "\n\n") {
		var goid uint64
		if _, err := fmt.Sscanf(block, "goroutine %d ", &goid); err == nil && before[goid] != 0 {
			blocks[goid] = block
		}
	}
	l.look(func(c *carrier) *suspendedStack {
		block := blocks[c.number]
		if before[c.number] != c.seen(0).id || block == "" {
			return nil
		}
		frames := parseFrames(block)
		key := fmt.Sprint(frames)
		if s, ok := l.known[key]; ok {
			return s
		}
		return l.learn(key, frames)
	})
}

// A sightGroup is suspended greenlets with the same stack and labels.
type sightGroup struct {
	sightLabels
	stack *suspendedStack
	count int
}

// grouped returns the groups, the largest first.
func grouped(all []sight) []*sightGroup {
	type key struct {
		sightLabels
		stack *suspendedStack
	}
	groups := make(map[key]*sightGroup)
	var list []*sightGroup
	for _, s := range all {
		k := key{s.sightLabels, s.stack}
		g := groups[k]
		if g == nil {
			g = &sightGroup{s.sightLabels, s.stack, 0}
			groups[k] = g
			list = append(list, g)
		}
		g.count++
	}
	slices.SortStableFunc(list, func(a, b *sightGroup) int { return b.count - a.count })
	return list
}

func (g *sightGroup) write(w io.Writer) {
	fmt.Fprintf(w, "%d @", g.count)
	for _, f := range g.stack.frames {
		if f.PC != 0 {
			fmt.Fprintf(w, " %#x", f.PC)
		}
	}
	fmt.Fprint(w, "\n# labels: {")
	if g.name != "" {
		fmt.Fprintf(w, "\"name\":%q, ", g.name)
	}
	if g.abandoned {
		fmt.Fprint(w, `"abandoned":"true", `)
	}
	fmt.Fprintf(w, "\"goroutine\":\"%d\"}\n", g.owner)
	for _, f := range g.stack.frames {
		fmt.Fprintf(w, "#\t%s\t%s:%d\n", f.Function, f.File, f.Line)
	}
	fmt.Fprintln(w)
}

func (s *sight) write(w io.Writer) {
	fmt.Fprintf(w, "greenlet %d", s.id)
	if s.name != "" {
		fmt.Fprintf(w, " %q", s.name)
	}
	what := "suspended"
	if s.abandoned {
		what = "abandoned"
	}
	fmt.Fprintf(w, " [%s, of goroutine %d]:\n", what, s.owner)
	for _, f := range s.stack.frames {
		fmt.Fprintf(w, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
	fmt.Fprintln(w)
}
