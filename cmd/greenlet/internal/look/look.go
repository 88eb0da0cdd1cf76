package look

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of what is believed.
const (
	loopsMost  = 1 << 12
	tasksMost  = 1 << 22
	treesMost  = 1 << 20
	waitsMost  = 1 << 16 // waiters of one future
	formerMost = 1 << 10 // tasks that had locks and have ended
	deepMost   = 16      // from a waiter to the task that goes on by it
)

// began is what the times of looks are counted from.
var began = time.Now()

// patience is how long a loop may stay where it is before it counts as blocked.
var patience = 10 * time.Millisecond

// A looker takes one snapshot.
type looker struct {
	p       *Process
	v       *view
	t       table
	s       *Snapshot
	parked  uint64
	paused  uint64
	root    string
	rooted  bool
	traces  map[string]*trace
	frames  map[Frame]int
	og      *gOffsets
	g       [2][]byte
	stack   []byte
	pcs     []uint64
	key     []byte
	workers map[uint64]bool // goroutines that are shown as tasks
	now     time.Duration   // when the look began, on a clock of its own
}

// Look takes a snapshot. The process is not stopped. The error is fs.ErrNotExist if
// it has ended, before or meanwhile.
func (p *Process) Look() (*Snapshot, error) {
	l := &looker{
		p: p, v: newView(p.mem), traces: make(map[string]*trace), frames: make(map[Frame]int), workers: make(map[uint64]bool),
		s: &Snapshot{V: 1, Time: time.Now().UTC().Truncate(time.Microsecond), PID: p.pid, Go: p.program.Go, Loops: []*Loop{}, Frames: []Frame{}},
	}
	if err := p.hasTable(); err != nil {
		return nil, err
	}
	l.now = time.Since(began)
	damaged := l.all()
	if err := p.hasTable(); err != nil { // it has ended meanwhile: what could not be read was taken for zeros
		return nil, err
	}
	if damaged != nil {
		return nil, damaged
	}
	return l.s, nil
}

// Alive returns an error if the process has ended, or runs another program.
func (p *Process) Alive() error { return p.hasTable() }

// hasTable returns nil if the process is there, with its table.
func (p *Process) hasTable() error {
	var magic [len(tableMagic)]byte
	if err := p.mem.ReadAt(magic[:], p.program.table+p.bias); err != nil {
		return plain(err)
	}
	if string(magic[:]) != tableMagic {
		return ErrNoTable
	}
	return nil
}

// all looks at all there is.
func (l *looker) all() (err error) {
	if l.t, err = l.p.readTable(l.v); err != nil {
		return err
	}
	l.p.findSymbols(l.v, l.t)
	l.s.Backend = l.v.text(l.t["backend"])
	l.parked, l.paused = l.v.word(l.t["rt.ParkedPC"]), l.v.word(l.t["rt.PausedPC"])
	if l.t["rt.ParkedPC"] == 0 {
		l.parked, l.paused = 0, 0
	}
	l.loops()
	l.greenlets()
	return nil
}

// follow returns the addresses of a list, and whether it could be followed to its
// end: not if it is longer than most, or comes back to itself.
func (l *looker) follow(first, next uint64, most int) (all []uint64, whole bool) {
	seen := make(map[uint64]bool)
	for at := first; at != 0; at = l.v.word(at + next) {
		if len(all) == most || seen[at] {
			return all, false
		}
		seen[at] = true
		all = append(all, at)
	}
	return all, true
}

func (l *looker) loops() {
	if !l.t.has("sched.loops", "sched.Loop.nextRunning", "sched.Loop.first", "sched.Task.next") {
		return
	}
	asyncio := make(map[uint64]uint64) // of asyncio by the loop of sched
	if l.t.has("asyncio.loops", "asyncio.Loop.nextRunning", "asyncio.Loop.s") {
		all, _ := l.follow(l.v.word(l.t["asyncio.loops"]), l.t["asyncio.Loop.nextRunning"], loopsMost)
		for _, a := range all {
			asyncio[l.v.word(a+l.t["asyncio.Loop.s"])] = a
		}
	}
	all, whole := l.follow(l.v.word(l.t["sched.loops"]), l.t["sched.Loop.nextRunning"], loopsMost)
	l.s.Partial = l.s.Partial || !whole
	slices.Reverse(all) // the first one that ran comes first
	var busy, looked []*loopLook
	for i, at := range all {
		k := l.loop(at, asyncio[at])
		if k.doubtful() {
			k = l.sure(k)
		}
		if k.ID == 0 {
			k.ID = uint64(i + 1)
		}
		if k.Name == "" {
			k.Name = strconv.FormatUint(k.ID, 10)
		}
		if k.State == Running {
			busy = append(busy, k)
		}
		looked = append(looked, k)
		l.s.Loops = append(l.s.Loops, k.Loop)
	}
	l.blocked(busy)
	l.warnings(looked)
	slices.SortFunc(l.s.Loops, func(a, b *Loop) int { return cmp.Compare(a.ID, b.ID) })
}

// A loopLook is a loop that is being looked at.
type loopLook struct {
	*Loop
	at, asyncio uint64
	current     uint64
	tasks       map[uint64]*Task // by address
	list        []uint64
	groups      map[groupKey]*Group
	same        map[string]*Group // by what is shown of them
	locks       map[uint64]*Lock

	must      map[uint64][]uint64 // without whom each task cannot go on, by their IDs
	forgotten map[uint64]bool     // locks whose holder has ended, by address
	stalled   time.Duration       // how long nothing has been there that could wake it
	ready     uint64              // how many
}

type groupKey struct {
	state string
	trace *trace
}

// loop looks at a loop and its tasks. asyncio is 0 for one of package sched alone.
func (l *looker) loop(at, asyncio uint64) *loopLook {
	k := &loopLook{
		Loop: &Loop{State: Running}, at: at, asyncio: asyncio,
		tasks: make(map[uint64]*Task), groups: make(map[groupKey]*Group), same: make(map[string]*Group), locks: make(map[uint64]*Lock),
		must: make(map[uint64][]uint64), forgotten: make(map[uint64]bool),
	}
	if asyncio != 0 && l.t.has("asyncio.Loop.id", "asyncio.Loop.name") {
		k.ID = l.v.word(asyncio + l.t["asyncio.Loop.id"])
		k.Name = strings.ToValidUTF8(l.v.text(asyncio+l.t["asyncio.Loop.name"]), "\ufffd")
	}
	k.Turns = l.v.word(at + l.t["sched.Loop.turns"])
	k.current = l.v.word(at + l.t["sched.Loop.current"])
	k.counts(l)
	if byteIn(l.v.bytes(at+l.t["sched.Loop.waits"], 1), 0) != 0 {
		k.State = Idle
		k.standsStill(l)
	}
	whole := false
	for range 5 { // the list may change meanwhile, and end where it did not
		k.list, whole = l.follow(l.v.word(at+l.t["sched.Loop.first"]), l.t["sched.Task.next"], tasksMost)
		if live := l.v.word(at + l.t["sched.Loop.live"]); whole && uint64(len(k.list)) == live {
			break
		}
		whole = false
		l.v.forget()
	}
	seen := make(map[uint64]bool, len(k.list))
	k.list = slices.DeleteFunc(k.list, func(at uint64) bool {
		// One that has ended since then may be something else, or nothing, by now.
		id := uint64(uint32(l.v.word(at + l.t["sched.Task.number"])))
		gone := id == 0 || seen[id] || asyncio != 0 && l.t.has("asyncio.core.loop") &&
			l.v.word(at+l.t["asyncio.task.core"]+l.t["asyncio.core.loop"]) != asyncio
		whole = whole && !gone
		seen[id] = true
		return gone
	})
	l.s.Partial = l.s.Partial || !whole
	k.Count = len(k.list)
	for _, t := range k.list {
		k.Tasks = append(k.Tasks, l.task(k, t))
	}
	if asyncio != 0 {
		for _, t := range k.list {
			l.awaited(k, t)
		}
	}
	l.nameHolders(k, whole)
	l.lostErrors(k)
	k.findCycles()
	slices.SortFunc(k.Groups, func(a, b *Group) int { return cmp.Or(b.Count-a.Count, a.ID-b.ID) })
	return k
}

// task looks at a task: what it does, and where it waits.
func (l *looker) task(k *loopLook, at uint64) *Task {
	size := l.t["sched.Task.size"]
	if k.asyncio != 0 {
		size = l.t["asyncio.task.size"]
	}
	b := l.v.bytes(at, int(min(size, pageSize)))
	t := &Task{ID: uint64(halfIn(b, l.t["sched.Task.number"])), State: Waiting}
	k.tasks[at] = t
	t.Name = "task " + strconv.FormatUint(t.ID, 10)
	if k.asyncio != 0 {
		t.Name = l.taskName(t.ID, wordIn(b, l.t["asyncio.task.name"]), wordIn(b, l.t["asyncio.task.number"]))
		t.Cancels = max(0, int(int32(halfIn(b, l.t["asyncio.task.cancels"]))))
	}
	g := wordIn(b, l.t["sched.Task.g"])
	switch {
	case at == k.current:
		t.State = Running
	case g == 0:
		t.State = Created
	case byteIn(b, l.t["sched.Task.queued"]) != 0:
		t.State = Ready
	}
	tr := &trace{}
	if t.State == Waiting || t.State == Ready {
		tr = l.greenletTrace(g)
	}
	k.group(l, t, tr)
	if k.asyncio != 0 {
		l.lock(k, t, wordIn(b, l.t["asyncio.task.at"]))
	}
	return t
}

// greenletTrace returns the calls of a greenlet, by its handle.
func (l *looker) greenletTrace(handle uint64) *trace {
	c := l.v.word(handle + l.t["Greenlet.c"])
	if c == 0 || !l.t.has("Greenlet.c", "carrier.g") {
		return &trace{}
	}
	rg := l.v.word(c + l.t["carrier.g"])
	l.workers[rg] = true
	found, ok := l.goroutine(rg)
	if !ok {
		return &trace{}
	}
	tr := l.trace(found.pcs)
	if !tr.suspended {
		return &trace{} // it goes on right now
	}
	return tr
}

// group puts t into the group of those that do the same.
func (k *loopLook) group(l *looker, t *Task, tr *trace) {
	if len(tr.frames) == 0 {
		tr = nil
	}
	key := groupKey{t.State, tr}
	g := k.groups[key]
	if g == nil {
		var stack []int
		if tr != nil {
			stack = l.numbers(waitingCalls(tr.frames))
		}
		same := fmt.Sprint(t.State, stack) // a call may have several places to park in
		if g = k.same[same]; g == nil {
			g = &Group{ID: len(k.Groups) + 1, State: t.State, Stack: stack}
			k.same[same] = g
			k.Groups = append(k.Groups, g)
		}
		k.groups[key] = g
	}
	g.Count++
	t.Group = g.ID
}

// numbers returns the numbers of frames in the snapshot's list.
func (l *looker) numbers(frames []Frame) (ids []int) {
	for _, f := range frames {
		f.Func, f.File = strings.ToValidUTF8(f.Func, "\ufffd"), strings.ToValidUTF8(f.File, "\ufffd")
		id := l.frames[f]
		if id == 0 {
			id = len(l.s.Frames) + 1
			l.frames[f] = id
			numbered := f
			numbered.ID = id
			l.s.Frames = append(l.s.Frames, numbered)
		}
		ids = append(ids, id)
	}
	return ids
}

// lock notes that t waits for the lock at at.
func (l *looker) lock(k *loopLook, t *Task, at uint64) {
	if at == 0 || !l.t.has("asyncio.task.at", "asyncio.holding.by", "asyncio.holding.kind") {
		return
	}
	lock := k.locks[at]
	if lock == nil {
		lock = &Lock{ID: len(k.Locks) + 1}
		switch uint64(byteIn(l.v.bytes(at+l.t["asyncio.holding.kind"], 1), 0)) {
		case l.t["asyncio.holdsLock"]:
			lock.Kind = kindLock
		case l.t["asyncio.holdsSemaphore"]:
			lock.Kind = kindSemaphore
		default:
			return // of several
		}
		if !l.t.has("asyncio.holding.handed") || byteIn(l.v.bytes(at+l.t["asyncio.holding.handed"], 1), 0) == 0 { // else others release it
			lock.Holder = uint64(uint32(l.v.word(at + l.t["asyncio.holding.by"])))
		}
		lock.passes = uint64(uint32(l.v.word(at + l.t["asyncio.holding.passes"])))
		lock.own = l.t.has("asyncio.holding.own") && byteIn(l.v.bytes(at+l.t["asyncio.holding.own"], 1), 0) != 0
		k.locks[at] = lock
		k.Locks = append(k.Locks, lock)
	}
	lock.Waiters = append(lock.Waiters, t.ID)
	t.Lock = lock.ID
}

// nameHolders says who the holders are, and who of them has ended.
func (l *looker) nameHolders(k *loopLook, whole bool) {
	if len(k.Locks) == 0 {
		return
	}
	named := make(map[uint64]string)
	for _, t := range k.Tasks {
		named[t.ID] = t.Name
	}
	for at, lock := range k.locks {
		if lock.Holder == 0 {
			continue
		}
		lock.HolderName = named[lock.Holder]
		if _, alive := named[lock.Holder]; alive {
			continue
		}
		if whole { // else it may be one that was not seen
			lock.HolderEnded = true
			k.forgotten[at] = true
		}
		lock.HolderName = cmp.Or(l.former(k, lock.Holder), "task "+strconv.FormatUint(lock.Holder, 10))
	}
}

// former returns the name of a task that had a lock and has ended, or "".
func (l *looker) former(k *loopLook, task uint64) string {
	if !l.t.has("asyncio.Loop.holders", "asyncio.former.size") {
		return ""
	}
	list := k.asyncio + l.t["asyncio.Loop.holders"]
	first, n := l.v.word(list), l.v.word(list+8)
	for i := range min(n, formerMost) {
		b := l.v.bytes(first+i*l.t["asyncio.former.size"], int(min(l.t["asyncio.former.size"], pageSize)))
		if uint64(halfIn(b, l.t["asyncio.former.task"])) == task {
			return l.taskName(task, wordIn(b, l.t["asyncio.former.name"]), wordIn(b, l.t["asyncio.former.number"]))
		}
	}
	return ""
}

// taskName is the name of the task of asyncio with that ID, by the address of its name, or
// by number. One of which there is nothing to see is "task" and the ID.
func (l *looker) taskName(id, at, number uint64) string {
	if at == 0 {
		return "Task-" + strconv.FormatUint(number, 10)
	}
	name := strings.ToValidUTF8(l.v.text(at), "\ufffd")
	if strings.TrimSpace(name) == "" {
		return "task " + strconv.FormatUint(id, 10)
	}
	return name
}

// awaited notes the tasks that wait for the one at at.
func (l *looker) awaited(k *loopLook, at uint64) {
	t := k.tasks[at]
	budget := waitsMost
	l.waiter(k, at+l.t["asyncio.task.core"]+l.t["asyncio.core.waiter"], deepMost, &budget, true, func(by *Task, sure bool) {
		if sure && by.State == Waiting && !slices.Contains(k.must[by.ID], t.ID) {
			k.must[by.ID] = append(k.must[by.ID], t.ID)
		}
		if by != t && !slices.Contains(t.By, by.ID) {
			t.By = append(t.By, by.ID)
			by.Awaits = append(by.Awaits, t.ID)
		}
	})
}

// waiter calls add with the tasks that go on by the waiter at at, an interface. sure tells
// that they cannot go on before.
func (l *looker) waiter(k *loopLook, at uint64, deep int, budget *int, sure bool, add func(t *Task, sure bool)) {
	if deep == 0 || *budget == 0 {
		return
	}
	*budget--
	is, of := l.v.word(at), l.v.word(at+8)
	switch is {
	case 0:
	case l.t["asyncio.is.task"]:
		if t := k.tasks[of]; t != nil {
			add(t, sure)
		}
	case l.t["asyncio.is.member"]:
		tg := l.v.word(of + l.t["asyncio.member.tg"])
		parent := l.v.word(tg + l.t["asyncio.TaskGroup.parent"])
		if t := k.tasks[parent]; t != nil {
			empty := l.v.word(tg + l.t["asyncio.TaskGroup.empty"])
			exits := l.t.has("asyncio.TaskGroup.empty", "asyncio.task.fut") && empty != 0 && l.v.word(parent+l.t["asyncio.task.fut"]+8) == empty
			add(t, sure && exits)
		}
	case l.t["asyncio.is.waitSet"]:
		all := l.t.has("asyncio.AllCompleted", "asyncio.waitSet.when", "asyncio.waitSet.timer") &&
			l.v.word(of+l.t["asyncio.waitSet.when"]) == l.t["asyncio.AllCompleted"] && l.v.word(of+l.t["asyncio.waitSet.timer"]) == 0
		l.future(k, of+l.t["asyncio.waitSet.over"], deep-1, budget, sure && all, add)
	case l.t["asyncio.is.waiters"]:
		entries := of + l.t["asyncio.waiters.entries"]
		first, n, size := l.v.word(entries), l.v.word(entries+8), l.t["asyncio.waiters.entry"]
		for i := range min(n, waitsMost) {
			l.waiter(k, first+i*size+l.t["asyncio.waiters.entry.of"], deep-1, budget, sure, add)
		}
	default: // a future that follows this one, as that of Gather; or a callback
		l.future(k, of, deep-1, budget, sure, add)
	}
}

// future is waiter for those of the future at at, if there is one of the loop.
func (l *looker) future(k *loopLook, at uint64, deep int, budget *int, sure bool, add func(t *Task, sure bool)) {
	if at != 0 && l.v.word(at+l.t["asyncio.core.loop"]) == k.asyncio {
		l.waiter(k, at+l.t["asyncio.core.waiter"], deep, budget, sure, add)
	}
}

// findCycles finds tasks that wait for each other in a circle: over those without whom
// they cannot go on, and the holders of locks. Each task is in one of them at most.
func (k *loopLook) findCycles() {
	byID := make(map[uint64]*Task, len(k.Tasks))
	for _, t := range k.Tasks {
		byID[t.ID] = t
	}
	locks := k.locksByID()
	next := func(t *Task) []uint64 {
		lock := locks[t.Lock]
		switch {
		case lock == nil || lock.Holder == 0 || t.State != Waiting:
		case lock.Holder == t.ID && lock.Kind != kindLock && !lock.own: // it may wait for another to release it
		default:
			return append(slices.Clip(k.must[t.ID]), lock.Holder)
		}
		return k.must[t.ID]
	}
	const (
		open = 1
		done = 2
	)
	state := make(map[*Task]int)
	type step struct {
		t    *Task
		left []uint64
	}
	for _, from := range k.Tasks {
		if state[from] != 0 {
			continue
		}
		state[from] = open
		way := []step{{from, next(from)}}
		for len(way) > 0 {
			top := &way[len(way)-1]
			if len(top.left) == 0 {
				state[top.t] = done
				way = way[:len(way)-1]
				continue
			}
			to := byID[top.left[0]]
			top.left = top.left[1:]
			switch {
			case to == nil:
			case state[to] == 0:
				state[to] = open
				way = append(way, step{to, next(to)})
			case state[to] == open:
				var cycle []uint64
				for i := slices.IndexFunc(way, func(s step) bool { return s.t == to }); i < len(way); i++ {
					cycle = append(cycle, way[i].t.ID)
				}
				k.Cycles = append(k.Cycles, cycle)
			}
		}
	}
}

func (k *loopLook) locksByID() map[int]*Lock {
	locks := make(map[int]*Lock)
	for _, lock := range k.Locks {
		locks[lock.ID] = lock
	}
	return locks
}

// circleNamed is how many tasks of a circle are named.
const circleNamed = 20

// circle says who waits for whom.
func (k *loopLook) circle(cycle []uint64, byID map[uint64]*Task, locks map[int]*Lock) string {
	text := byID[cycle[0]].Name
	for i, id := range cycle {
		if i == circleNamed {
			return text + fmt.Sprintf(", and so on, %d tasks in all", len(cycle))
		}
		if i > 0 {
			text += ", which"
		}
		next := cycle[(i+1)%len(cycle)]
		if lock := locks[byID[id].Lock]; lock != nil && lock.Holder == next {
			text += " waits for the " + strings.ToLower(lock.Kind) + " held by " + byID[next].Name
		} else {
			text += " waits for " + byID[next].Name
		}
	}
	return text
}

// What computes and has no processor just now: the same in all releases of Go.
const statusRunnable, statusPreempted = 1, 9

// blocked finds out which of these loops, which do not wait, stand still, and where.
func (l *looker) blocked(busy []*loopLook) {
	if len(busy) == 0 {
		return
	}
	first := make([][]byte, len(busy))
	for i, k := range busy {
		first[i] = l.progress(k)
	}
	time.Sleep(patience)
	l.v.forget()
	for i, k := range busy {
		if first[i] == nil || !bytes.Equal(first[i], l.progress(k)) {
			continue
		}
		k.State = Blocked
		k.Blocked = &Block{For: l.blockedFor(k).Microseconds()}
		handle := l.v.word(k.at + l.t["sched.Loop.hub"])
		what := "a callback"
		if t := k.tasks[k.current]; t != nil {
			k.Blocked.Task, k.Blocked.Name = t.ID, t.Name
			handle = l.v.word(k.current + l.t["sched.Task.g"])
			what = t.Name
		}
		c := l.v.word(handle + l.t["Greenlet.c"])
		rg := l.v.word(c + l.t["carrier.g"])
		found, ok := l.goroutine(rg)
		if !l.rooted {
			l.root, l.rooted = l.standardRoot(), true
		}
		where := ""
		switch {
		case !ok:
		case found.status == l.t["g.running"]:
			k.Blocked.Busy = true
			where = ": it computes"
			frames := users(l.trace(l.running(rg)).frames)
			for len(frames) > 0 && standard(frames[0], l.root) { // they may be over
				frames = frames[1:]
			}
			k.Blocked.Stack = l.numbers(frames)
			if n := len(frames); n > 0 {
				where += fmt.Sprintf(", below %s at %s:%d", ShortName(frames[n-1].Func), path.Base(frames[n-1].File), frames[n-1].Line)
			}
		default:
			if found.status == statusRunnable || found.status == statusPreempted {
				k.Blocked.Busy = true
				where = ": it computes"
			}
			frames := blockedCalls(l.trace(found.pcs).frames)
			k.Blocked.Stack = l.numbers(frames)
			if f, ok := blockingCall(frames, l.root); ok {
				k.Blocked.At = fmt.Sprintf("%s:%d", path.Base(f.File), f.Line)
				where += " at " + k.Blocked.At
			}
		}
		if d := time.Duration(k.Blocked.For) * time.Microsecond; k.Blocked.Busy && d >= limits.busy {
			k.warn("W7", k.Blocked.Task, "%s has not waited for %s%s", what, roughly(d), where)
		} else {
			k.warn("W6", k.Blocked.Task, "%s blocks the loop%s", what, where)
		}
	}
}

// progress is what changes when a loop goes on. It is nil if the loop waits.
func (l *looker) progress(k *loopLook) []byte {
	v := newView(l.p.mem)
	if byteIn(v.bytes(k.at+l.t["sched.Loop.waits"], 1), 0) != 0 {
		return nil
	}
	b := binary.LittleEndian.AppendUint64(nil, v.word(k.at+l.t["sched.Loop.turns"]))
	return binary.LittleEndian.AppendUint64(b, v.word(k.at+l.t["sched.Loop.current"]))
}

// greenlets looks at the greenlets of all trees, and groups those that are no tasks.
func (l *looker) greenlets() {
	if !l.t.has("trees", "root.next", "root.hub", "hub.live") {
		return
	}
	roots, _ := l.follow(l.v.word(l.t["trees"]), l.t["root.next"], treesMost)
	groups := make(map[string]*Group)
	for _, r := range roots {
		hub := l.v.word(l.v.word(r + l.t["root.hub"])) // a weak pointer
		if hub == 0 {
			continue
		}
		l.s.Greenlets.Trees++
		live := l.v.bytes(hub+l.t["hub.live"], 16)
		first, n := wordIn(live, 0), wordIn(live, 8)
		if n > tasksMost {
			continue
		}
		for i := range n {
			c := l.v.word(first + i*8)
			if c == 0 {
				continue
			}
			l.s.Greenlets.Live++
			g := l.v.word(c + l.t["carrier.g"])
			if l.workers[g] {
				l.s.Greenlets.Suspended++
				continue
			}
			found, ok := l.goroutine(g)
			if !ok {
				continue
			}
			tr := l.trace(found.pcs)
			if !tr.suspended {
				continue
			}
			l.s.Greenlets.Suspended++
			stack := l.numbers(waitingCalls(tr.frames))
			key := fmt.Sprint(stack)
			if groups[key] == nil {
				groups[key] = &Group{ID: len(groups) + 1, State: Waiting, Stack: stack}
				l.s.Greenlets.Groups = append(l.s.Greenlets.Groups, groups[key])
			}
			groups[key].Count++
		}
	}
	slices.SortStableFunc(l.s.Greenlets.Groups, func(a, b *Group) int { return b.Count - a.Count })
}
