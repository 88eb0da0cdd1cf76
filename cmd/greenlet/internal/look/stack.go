package look

import (
	"encoding/binary"
	"path"
	"slices"
	"strings"
)

// What a goroutine does, as runtime.g has it.
type goroutine struct {
	status uint64   // without the scan bit
	pcs    []uint64 // until the next look; none while it runs on a processor
}

const (
	stackMost  = 1 << 26 // bytes
	framesMost = 1 << 12
)

// goroutine looks at the goroutine of g: after its stack was read in one go, it must
// still be where it was before.
func (l *looker) goroutine(g uint64) (goroutine, bool) {
	o := l.offsetsOfG()
	size := o.size
	if g == 0 || size > pageSize || !o.has {
		return goroutine{}, false
	}
	if l.g[0] == nil {
		l.g[0], l.g[1] = make([]byte, size), make([]byte, size)
	}
	before, after := l.g[0], l.g[1]
	if !l.v.fill(before, g) { // which may be older than the rest
		return goroutine{}, false
	}
	for range 3 {
		at := l.position(before)
		if at.sp == 0 {
			if l.p.mem.ReadAt(after, g) != nil {
				return goroutine{}, false
			}
		} else if l.p.mem.ReadBoth(l.room(at), at.from, after, g) != nil {
			return goroutine{status: at.status}, true
		}
		if at == l.position(after) {
			return l.walk(at), true
		}
		before, after = after, before
	}
	return goroutine{status: o.running}, true
}

// A position is where a goroutine is. Its sp is 0 if that is not known: while it runs.
// lr is the link register of a machine that has one.
type position struct{ status, id, pc, lr, sp, bp, from, hi uint64 }

func (l *looker) position(g []byte) position {
	o := l.offsetsOfG()
	at := position{status: uint64(halfIn(g, o.status)) &^ o.scan, id: wordIn(g, o.goid)}
	switch at.status {
	case o.running:
		return at
	case o.syscall:
		at.pc, at.sp, at.bp = wordIn(g, o.syscallPC), wordIn(g, o.syscallSP), wordIn(g, o.syscallBP)
	default:
		at.pc, at.sp, at.bp = wordIn(g, o.pc), wordIn(g, o.sp), wordIn(g, o.bp)
		if l.p.program.links {
			at.lr = wordIn(g, o.lr)
		}
	}
	lo, hi := wordIn(g, o.lo), wordIn(g, o.hi)
	if lo >= hi || hi-lo > stackMost || at.sp < lo || at.sp >= hi {
		at.sp = 0
		return at
	}
	at.from, at.hi = max(lo, at.sp-belowSP), hi
	return at
}

// gOffsets is what the table says of a goroutine, for whom it is asked 200,000 times.
type gOffsets struct {
	has                                                                                                 bool
	size, status, scan, goid, running, syscall, syscallPC, syscallSP, syscallBP, pc, sp, bp, lr, lo, hi uint64
}

func (l *looker) offsetsOfG() *gOffsets {
	if l.og == nil {
		l.og = &gOffsets{
			has:  l.t.has("g.size", "g.atomicstatus", "g.sched.pc", "g.stack.lo"),
			size: l.t["g.size"], status: l.t["g.atomicstatus"], scan: l.t["g.scan"], goid: l.t["g.goid"],
			running: l.t["g.running"], syscall: l.t["g.syscall"],
			syscallPC: l.t["g.syscallpc"], syscallSP: l.t["g.syscallsp"], syscallBP: l.t["g.syscallbp"],
			pc: l.t["g.sched.pc"], sp: l.t["g.sched.sp"], bp: l.t["g.sched.bp"], lr: l.t["g.sched.lr"],
			lo: l.t["g.stack.lo"], hi: l.t["g.stack.hi"],
		}
	}
	return l.og
}

// belowSP is how far below the stack pointer a frame pointer may be: on arm64 a word.
const belowSP = 16

// room returns memory for the stack.
func (l *looker) room(at position) []byte {
	n := int(at.hi - at.from)
	if cap(l.stack) < n {
		l.stack = make([]byte, n)
	}
	l.stack = l.stack[:n]
	return l.stack
}

// walk follows the frame pointers on the stack that was read last.
func (l *looker) walk(at position) goroutine {
	found := goroutine{status: at.status}
	if at.sp == 0 {
		return found
	}
	word := func(addr uint64) uint64 { return wordIn(l.stack, addr-at.from) }
	l.pcs = append(l.pcs[:0], at.pc)
	if at.pc != 0 && (at.pc == l.parked || at.pc == l.paused) { // the switch has no frame
		ret := at.lr
		if !l.p.program.links {
			ret = word(at.sp)
		}
		l.pcs = append(l.pcs, ret)
	}
	for bp := at.bp; bp >= at.from && bp < at.hi && len(l.pcs) < framesMost; {
		ret := word(bp + 8)
		if ret == 0 {
			break
		}
		l.pcs = append(l.pcs, ret)
		up := word(bp)
		if up <= bp {
			break
		}
		bp = up
	}
	found.pcs = l.pcs
	return found
}

// running returns the calls of a goroutine that runs on a processor, as far as its
// stack tells: it has no position that could be read. From the outer end, each frame
// is linked to by the one that it calls, always at the same place. So the chain is
// right down to the function that runs; what follows was called by that before.
func (l *looker) running(g uint64) []uint64 {
	b := make([]byte, min(l.t["g.size"], pageSize))
	if l.p.mem.ReadAt(b, g) != nil {
		return nil
	}
	lo, hi := wordIn(b, l.t["g.stack.lo"]), wordIn(b, l.t["g.stack.hi"])
	if lo >= hi || hi-lo > runningMost || lo%8 != 0 || hi%8 != 0 {
		return nil
	}
	stack := make([]byte, hi-lo)
	if l.p.mem.ReadAt(stack, lo) != nil {
		return nil
	}
	code := func(pc uint64) bool {
		if l.p.symbols == nil {
			return false
		}
		_, ok := l.p.symbols.find(pc - 1)
		return ok
	}
	var pcs []uint64
	link, top := uint64(0), true // what the next frame inwards has for its caller's
	for off := uint64(len(stack)); off >= 16; off -= 8 {
		at := lo + off - 16
		up, ret := wordIn(stack, at-lo), wordIn(stack, at-lo+8)
		if up != link || !code(ret) {
			continue
		}
		if f, ok := l.p.symbols.find(ret - 1); top && (!ok || f.name() != "runtime.goexit") {
			continue
		}
		pcs = append(pcs, ret)
		link, top = at, false
	}
	slices.Reverse(pcs)
	return pcs
}

const runningMost = 1 << 20 // bytes of a stack

// A trace is the calls of a goroutine.
type trace struct {
	frames    []Frame
	suspended bool // it waits in a switch
}

// trace names the calls, each set of return addresses once.
func (l *looker) trace(pcs []uint64) *trace {
	if len(pcs) == 0 || l.p.symbols == nil {
		return &trace{}
	}
	l.key = l.key[:0]
	for _, pc := range pcs {
		l.key = binary.LittleEndian.AppendUint64(l.key, pc)
	}
	if t := l.traces[string(l.key)]; t != nil {
		return t
	}
	t := new(trace)
	for _, pc := range pcs {
		for _, f := range l.p.calls(pc) {
			if f.File != "<autogenerated>" {
				t.frames = append(t.frames, f)
			}
		}
	}
	t.suspended = suspended(t.frames)
	l.traces[string(l.key)] = t
	return t
}

const module = "github.com/go-greenlet/greenlet"

// ours returns what follows the module's path in the name of a function.
func ours(f Frame) (rest string, is bool) { return strings.CutPrefix(f.Func, module) }

func suspended(frames []Frame) bool {
	for _, f := range frames {
		rest, is := ours(f)
		switch {
		case strings.HasPrefix(f.Func, "runtime."), strings.HasPrefix(f.Func, "iter."), is && strings.HasPrefix(rest, "/internal/"):
		default:
			return is && strings.HasPrefix(rest, ".")
		}
	}
	return false
}

// users cuts off, outside, the calls with which a task, a callback or a greenlet
// begins.
func users(frames []Frame) []Frame {
	for i, f := range frames {
		rest, is := ours(f)
		if !is || i == 0 {
			continue
		}
		for _, first := range []string{"/asyncio.(*runner[", "/asyncio.(*Loop).guard", "/sched.(*Loop).work", "/sched.bodyFunc.Run", "/sched.(*Loop).runOnce", ".(*carrier).serve"} {
			if strings.HasPrefix(rest, first) {
				frames = frames[:i]
				if rest, is := ours(frames[i-1]); is && i > 1 && strings.HasSuffix(rest, ".coroutine.func1") {
					frames = frames[:i-1]
				}
				return frames
			}
		}
	}
	for len(frames) > 0 && strings.HasPrefix(frames[len(frames)-1].Func, "runtime.") {
		frames = frames[:len(frames)-1]
	}
	return frames
}

// inModule reports whether f is a function of the module or the runtime, or of package
// iter, by which the generic switch parks.
func inModule(f Frame) bool {
	if strings.HasPrefix(f.Func, "runtime.") || strings.HasPrefix(f.Func, "iter.") {
		return true
	}
	rest, is := ours(f)
	if !is {
		return false
	}
	for _, p := range []string{"/asyncio.", "/sched.", "/internal/", "."} {
		if strings.HasPrefix(rest, p) {
			return true
		}
	}
	return false
}

// waitingCalls is the calls of a suspended task: from the call of the module in which
// it waits to the first one of its own.
func waitingCalls(frames []Frame) []Frame {
	frames = users(frames)
	for i, f := range frames {
		if !inModule(f) {
			return frames[max(0, i-1):]
		}
	}
	return frames[max(0, len(frames)-1):]
}

// blockedCalls is the calls of a goroutine that keeps its loop: of the runtime's own
// only the outermost one, which tells what it waits for.
func blockedCalls(frames []Frame) []Frame {
	frames = users(frames)
	for i, f := range frames {
		if !strings.HasPrefix(f.Func, "runtime.") {
			if i > 0 && frames[i-1].Func != "runtime.gopark" {
				i--
			}
			return frames[i:]
		}
	}
	return frames
}

// blockingCall is the innermost call that is not the standard library's.
func blockingCall(frames []Frame, root string) (Frame, bool) {
	for _, f := range frames {
		if !standard(f, root) && !strings.HasPrefix(f.Func, "runtime.") {
			return f, true
		}
	}
	if len(frames) == 0 {
		return Frame{}, false
	}
	return frames[0], true
}

// standard reports whether f is of the standard library, the sources of which lay in
// root, "" if the program was built without paths.
func standard(f Frame, root string) bool {
	if root != "" {
		return strings.HasPrefix(f.File, root)
	}
	first, _, nested := strings.Cut(f.File, "/")
	return nested && !strings.Contains(first, ".") && !strings.HasPrefix(f.Func, "main.")
}

// standardRoot is where the sources of the standard library lay.
func (l *looker) standardRoot() string {
	if l.p.symbols == nil {
		return ""
	}
	for i := range min(l.p.symbols.funcs, 1<<17) {
		entry := l.p.symbols.text + uint64(halfIn(l.p.symbols.functab, uint64(i)*8))
		f, ok := l.p.symbols.find(entry)
		if ok && f.name() == "runtime.gopark" {
			file, _ := f.place(entry)
			return strings.TrimSuffix(file, "runtime/proc.go")
		}
	}
	return ""
}

// ShortName is the name of a function with the last part of its package's path.
func ShortName(name string) string {
	name = strings.TrimSuffix(name, "-fm") // of a method that is used as a function
	if i := strings.IndexByte(name, '['); i >= 0 {
		return path.Base(name[:i]) + name[i:]
	}
	return path.Base(name)
}
