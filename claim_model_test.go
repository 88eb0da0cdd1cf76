package greenlet_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The claim of a coroutine (claim.go), as a model whose states are all visited:
// a coroutine K that floats, two trees that call it and switch to it by its
// handle, the sweep, and the collector, which stops K for a scan. A step is what
// happens at once for other threads: one load, one store or one exchange. Every
// step names the line of code that it stands for.
//
// K may be resumed only if we have parked it and let it go; while it runs, or
// waits for anything else, its word must not be paused; and it runs for the tree
// that it belongs to.

// Where K is, for the runtime.
type kStatus uint8

const (
	kRunning kStatus = iota
	kLeaving         // status waiting, but still with its thread
	kParked          // by us, and let go
	kBlocked         // waits in Go: a channel, a mutex, a sleep
	kStopped         // by the collector, for a scan
)

func (s kStatus) waits() bool    { return s != kRunning }
func (s kStatus) noThread() bool { return s == kParked || s == kBlocked || s == kStopped }

// Where K has parked last: what sched.pc says.
type kPlace uint8

const (
	atSwitch    kPlace = iota // parkedText
	atPause                   // pausedText
	atScheduler               // inside gopark; the handle's gp is none
)

const (
	mRuns uint8 = iota
	mPaused
	mClaimed
)

// A thread runs the greenlets of one tree, or the sweep. When K runs on it, its
// own code waits.
type thread struct {
	at      string // the next step; "" is idle
	was     uint8  // what seize found
	waiting bool   // a greenlet of the tree waits in next
	ops     uint8  // calls and switches still to be made
}

type world struct {
	word       uint8
	yielded    bool
	phub, chub uint8 // pair.hub, and that of carrier and handle: 1, 2, or 0 for nowhere
	status     kStatus
	place      kPlace
	on         uint8 // the thread that K runs on, from 1; 0: none
	at         string
	scans      uint8 // stops still to come
	blocks     uint8
	threads    [3]thread // of the trees 1 and 2, and the sweep
}

// A variant is the protocol with something changed.
type variant struct {
	name         string
	wordEarly    bool // the word is set before the park
	wordAtOnce   bool // by LETGO, but before RELEASE
	trustWaiting bool // who has claimed looks whether K waits without a thread
	claimToRuns  bool // there is no claimed: a claim makes it run
	noHandle     bool // a switch by the handle does not claim
	treeFirst    bool // enterText reads the tree before the place
	moveLast     bool // the word says runs before K has been moved
	finds        string
}

var variants = []variant{
	{name: "the protocol"},
	{name: "before, called by two", wordEarly: true, trustWaiting: true, claimToRuns: true, finds: "resumed while it was stopped"},
	{name: "before, switched to by its handle", wordAtOnce: true, trustWaiting: true, claimToRuns: true, noHandle: true, finds: "resumed while it was blocked"},
	{name: "the word is set before the park, and trusted", wordEarly: true, finds: "resumed while it was running"},
	{name: "the word is set before K is let go", wordAtOnce: true, finds: "resumed while it was leaving"},
	{name: "a switch by the handle does not claim", noHandle: true, finds: "resumed while it was running"},
	{name: "there is no claimed", claimToRuns: true, finds: "resumed while it was running"},
	{name: "enterText reads the tree first", treeFirst: true, finds: "for tree"},
	{name: "runs before it is moved", moveLast: true, finds: "resumed while it was running"},
}

// code is the line that a step stands for: file, and what it says.
var code = map[string][2]string{
	"callText: tree":           {"switch_amd64.s", "MOVQ pair_hub(DI), R8"},
	"callText: claim":          {"switch_amd64.s", "CMPXCHGL R9, pair_paused(DI)"},
	"callText: tree again":     {"switch_amd64.s", "CMPQ     R8, pair_hub(DI)"},
	"callText: status":         {"switch_amd64.s", "PROCEED(marking, again, done, refused, unclaim)"},
	"proceed: status":          {"switch_amd64.s", "PROCEED(marking, again, done, refused, slow)"},
	"proceed: in Go":           {"pair.go", "return nil, f.p.run(self(), f.g, nil)"},
	"callText: unclaim":        {"switch_amd64.s", "MOVL $const_paused, pair_paused(DI)"},
	"callText: runs":           {"switch_amd64.s", "MOVQ $const_runs, pair_paused(DI)"},
	"callText: not yielded":    {"switch_asm.go", "_ = -(unsafe.Offsetof(pair{}.yielded) - unsafe.Offsetof(pair{}.paused) - 4)"},
	"callText: enter":          {"switch_amd64.s", "MOVL $const_statusRunning, const_gStatus(DX)"},
	"claim: take":              {"pair.go", "for !p.take() {"},
	"claim: unclaim":           {"claim.go", "func (p *pair) set(word uint32)"},
	"claim: move pair":         {"float.go", "p.hub = h"},
	"claim: move carrier":      {"float.go", "p.c.hub = h"},
	"run: not yielded":         {"pair.go", "p.yielded, p.how = false, &errAway"},
	"run: runs":                {"pair.go", "p.set(runs)"},
	"run: resume":              {"pair.go", "switch c.short(g, thrown) {"},
	"enterText: place":         {"switch_amd64.s", "CMPQ R11, const_gSchedPC(DX)"},
	"enterText: tree":          {"switch_amd64.s", "MOVQ Greenlet_hub(AX), R8"},
	"enterText: status":        {"switch_amd64.s", "CMPL const_gStatus(DX), $const_statusWaiting"},
	"enterText: enter":         {"switch_amd64.s", "MOVL $const_statusRunning, const_gStatus(DX)"},
	"seize: read":              {"claim.go", "was = atomic.LoadUint32(&p.paused)"},
	"seize: take":              {"claim.go", "case was == paused && !p.take():"},
	"seize: tree":              {"claim.go", "if c.hub == h {"},
	"seize: give back":         {"claim.go", "p.set(paused)"},
	"wakes: tree":              {"claim.go", "c.pair.hub = h"},
	"wakes: runs":              {"claim.go", "c.pair.set(runs)"},
	"mail: resume":             {"switch.go", "return c.post(next.c, &l, parked)"},
	"sweep: take":              {"float.go", "case !p.take():"},
	"sweep: nowhere":           {"float.go", "p.hub, p.consumer, p.by = &nowhere, nil, 0"},
	"sweep: give back":         {"float.go", "p.set(paused)"},
	"reap: move":               {"float.go", "p.move(h, g)"},
	"reap: runs":               {"float.go", "p.set(runs)"},
	"reap: kill":               {"float.go", "c.killAbandoned(g)"},
	"next: yielded":            {"pull.go", "if !k.yielded {"},
	"body":                     {"pull.go", "return func(v V) bool {"},
	"yield: value":             {"pull.go", "k.value = v"},
	"backText: yielded, place": {"switch_amd64.s", "MOVB $1, pair_yielded(AX)"},
	"backText: waiting":        {"switch_amd64.s", "MOVL $const_statusWaiting, const_gStatus(R14)"},
	"backText: let go":         {"switch_amd64.s", "MOVQ $0, const_gM(R14)"},
	"backText: paused":         {"switch_amd64.s", "MOVL $const_paused, pair_paused(CX)"},
	"backSlow: yielded":        {"pair.go", "p.yielded, p.how = true, &errNone"},
	"swapText: place":          {"switch_amd64.s", "CMOVQNE R9, R11"},
	"swapText: waiting":        {"switch_amd64.s", "MOVL $const_statusWaiting, const_gStatus(R14)"},
	"swapText: let go":         {"switch_amd64.s", "MOVQ $0, const_gM(R14)"},
	"swapText: paused":         {"switch_amd64.s", "MOVL  $const_paused, (BX)"},
	"gopark: waiting":          {"internal/rt/park.go", "gopark(pass, unsafe.Pointer(p), WaitCoroutine, traceBlockCoroutine, 3)"},
	"gopark: let go":           {"internal/rt/park.go", "gopark(pass, unsafe.Pointer(p), WaitCoroutine, traceBlockCoroutine, 3)"},
	"pass: paused":             {"internal/rt/trace.go", "atomic.StoreUint32(p.parked, 1)"},
	"switch: place":            {"switch_amd64.s", "MOVQ R11, const_gSchedPC(R14)"},
	"switch: waiting":          {"switch_amd64.s", "MOVL $const_statusWaiting, const_gStatus(R14); \\"},
	"switch: let go":           {"switch_amd64.s", "MOVQ $0, const_gM(R14)"},
	"yield: value is there":    {"pull.go", "back(&k.pair)"},
	"early: backText paused":   {}, // of variants alone
	"early: backSlow paused":   {},
	"trust: look":              {},
}

// TestClaimModel visits every state that the protocol can reach, and finds the
// faults that it had before, and others, when it is changed to have them.
func TestClaimModel(t *testing.T) {
	sources := make(map[string]string)
	for step, line := range code {
		if line[0] == "" {
			continue
		}
		if sources[line[0]] == "" {
			text, err := os.ReadFile(line[0])
			if err != nil {
				t.Fatal(err)
			}
			sources[line[0]] = string(text)
		}
		if !strings.Contains(sources[line[0]], line[1]) {
			t.Errorf("%s has no line %q, which the step %q stands for", line[0], line[1], step)
		}
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			states, fault, trace := v.explore()
			switch {
			case fault == "" && v.finds == "":
				t.Logf("%d states", states)
			case fault == "":
				t.Errorf("no fault found in %d states, expected one with %q", states, v.finds)
			case v.finds == "" || !strings.Contains(fault, v.finds):
				t.Errorf("%s, after\n\t%s", fault, strings.Join(trace, "\n\t"))
			default:
				t.Logf("found as expected: %s, after %d steps", fault, len(trace))
			}
		})
	}
}

// explore goes breadth first through the states, to the first fault.
func (v *variant) explore() (states int, fault string, trace []string) {
	start := world{word: mPaused, phub: 1, chub: 1, status: kParked, place: atPause, at: "body", scans: 1, blocks: 1}
	start.threads[0].ops, start.threads[1].ops, start.threads[2].ops = 2, 2, 1
	if v.finds == "" && (testing.Short() || raceOn) {
		start.threads[1].ops = 1 // a tenth of the states
	}
	type from struct {
		world
		step string
	}
	seen := map[world]from{start: {}}
	queue := []world{start}
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		for _, next := range v.steps(w) {
			next.forget()
			if _, known := seen[next.world]; known {
				continue
			}
			seen[next.world] = from{w, next.step}
			if next.fault == "" && v.finds == "" && next.word == mPaused && next.status != kParked {
				next.fault = "K runs or waits for something else, and its word says paused"
			}
			if next.fault != "" && strings.Contains(next.fault, v.finds) {
				for at := next.world; at != start; at = seen[at].world {
					trace = append([]string{seen[at].step}, trace...)
				}
				return len(seen), next.fault, trace
			}
			if next.fault == "" {
				queue = append(queue, next.world)
			}
		}
	}
	return len(seen), "", nil
}

// forget clears what an idle thread has left: it makes no difference.
func (w *world) forget() {
	for i := range w.threads {
		if th := &w.threads[i]; th.at == "" && !th.waiting {
			*th = thread{ops: th.ops}
		}
	}
}

// abandoned reports whether nobody will call K or switch to it any more.
func (w *world) abandoned() bool {
	for _, th := range w.threads[:2] {
		if th.ops > 0 || th.at != "" || th.waiting {
			return false
		}
	}
	return true
}

// A successor is a state that may come next.
type successor struct {
	world
	step, fault string
}

// steps returns all that can happen in w.
func (v *variant) steps(w world) (all []successor) {
	add := func(step string, change func(n *world) string) {
		n := w
		fault := change(&n)
		all = append(all, successor{n, step, fault})
	}
	if w.on == 3 { // it is ended
		v.coroutine(w, 2, add)
	}
	for i := range w.threads[:2] {
		if int(w.on) == i+1 {
			v.coroutine(w, i, add)
		} else {
			v.caller(w, i, add)
		}
	}
	if w.on != 3 {
		v.sweep(w, add)
	}
	return all
}

type adder func(step string, change func(n *world) string)

// goTo is a step that only decides what comes next.
func goTo(t int, at string) func(n *world) string {
	return func(n *world) string { n.threads[t].at = at; return "" }
}

// resumes is the moment in which the thread t goes to K's stack.
func resumes(n *world, t int, call bool) string {
	th := &n.threads[t]
	th.at = ""
	if call {
		th.waiting = true
	}
	if n.status != kParked {
		return "resumed while it was " + [...]string{"running", "leaving", "parked", "blocked", "stopped"}[n.status]
	}
	n.status, n.on = kRunning, uint8(t+1)
	if int(n.chub) != t+1 {
		return fmt.Sprintf("K runs on thread %d for tree %d", t+1, n.chub)
	}
	return ""
}

// caller is a thread that does not run K.
func (v *variant) caller(w world, t int, add adder) {
	th := w.threads[t]
	tree := uint8(t + 1)
	say := func(at string) string { return fmt.Sprintf("thread %d: %s", t+1, at) }
	step := func(change func(n *world) string) { add(say(th.at), change) }
	refused := goTo(t, "")
	switch th.at {
	case "":
		if th.waiting { // K is away: somebody switches to who waits
			add(say("who waits in next is switched to"), func(n *world) string { n.threads[t].waiting = false; return "" })
		}
		if th.ops == 0 {
			return
		}
		for _, first := range []string{"callText: tree", "enterText: place"} {
			if th.waiting && first == "callText: tree" {
				continue // another greenlet of the tree could, and would be refused
			}
			if v.treeFirst && first == "enterText: place" {
				first = "enterText: tree"
			}
			add(say("begins "+first), func(n *world) string { n.threads[t].ops--; n.threads[t].at = first; return "" })
		}
	case "callText: tree":
		if w.phub == tree && w.place != atScheduler {
			step(goTo(t, "callText: claim"))
		}
		step(goTo(t, "claim: take")) // or another gate is closed
	case "callText: claim":
		step(func(n *world) string {
			if n.word != mPaused {
				n.threads[t].at = "claim: take"
				return ""
			}
			n.word = mClaimed
			if v.claimToRuns {
				n.word = mRuns
			}
			n.threads[t].at = "callText: tree again"
			return ""
		})
	case "callText: tree again":
		if w.phub != tree {
			step(goTo(t, "callText: unclaim"))
		} else {
			step(goTo(t, "callText: status"))
			step(goTo(t, "proceed: status")) // it was reserved, and a value is written
		}
	case "proceed: status":
		if w.status.waits() {
			step(goTo(t, "callText: runs"))
		}
		step(goTo(t, "proceed: in Go")) // or another gate is closed
	case "proceed: in Go":
		step(goTo(t, "run: not yielded"))
	case "callText: status":
		if !w.status.waits() || v.trustWaiting && !w.status.noThread() {
			step(goTo(t, "callText: unclaim"))
		} else {
			step(goTo(t, "callText: runs"))
		}
	case "callText: unclaim":
		step(func(n *world) string { n.word = mPaused; n.threads[t].at = "claim: take"; return "" })
	case "callText: runs":
		step(func(n *world) string { n.word = mRuns; n.threads[t].at = "callText: not yielded"; return "" })
	case "callText: not yielded":
		step(func(n *world) string { n.yielded = false; n.threads[t].at = "callText: enter"; return "" })
	case "callText: enter":
		step(func(n *world) string { return resumes(n, t, true) })

	case "claim: take":
		step(func(n *world) string {
			switch n.word {
			case mRuns:
				n.threads[t].at = ""
			case mPaused:
				n.word = mClaimed
				if v.claimToRuns {
					n.word = mRuns
				}
				n.threads[t].at = "claim: move pair"
				if v.trustWaiting {
					n.threads[t].at = "trust: look"
				}
				if v.moveLast {
					n.threads[t].at = "run: runs"
				}
			}
			return ""
		})
	case "trust: look":
		if w.status.noThread() {
			step(goTo(t, "claim: move pair"))
		} else {
			step(goTo(t, "claim: unclaim"))
		}
	case "claim: unclaim":
		step(func(n *world) string { n.word = mPaused; n.threads[t].at = ""; return "" })
	case "claim: move pair":
		step(func(n *world) string {
			n.phub = tree
			n.threads[t].at = "claim: move carrier"
			return ""
		})
	case "claim: move carrier":
		step(func(n *world) string { n.chub = tree; n.threads[t].at = "run: not yielded"; return "" })
	case "run: not yielded":
		step(func(n *world) string {
			n.yielded = false
			n.threads[t].at = "run: runs"
			if v.moveLast {
				n.threads[t].at = "run: resume"
			}
			return ""
		})
	case "run: runs":
		step(func(n *world) string {
			n.word = mRuns
			n.threads[t].at = "run: resume"
			if v.moveLast {
				n.threads[t].at = "claim: move pair"
			}
			return ""
		})
	case "run: resume":
		step(func(n *world) string { return resumes(n, t, true) })

	case "enterText: place":
		next := "enterText: tree"
		if v.treeFirst {
			next = "enterText: status"
		}
		switch {
		case w.place == atScheduler, w.place == atPause && !v.noHandle:
			step(goTo(t, "seize: read"))
		default:
			step(goTo(t, next))
		}
	case "enterText: tree":
		next := "enterText: status"
		if v.treeFirst {
			next = "enterText: place"
		}
		if w.chub == tree {
			step(goTo(t, next))
		} else {
			step(refused)
		}
	case "enterText: status":
		if w.status.waits() {
			step(goTo(t, "enterText: enter"))
		} else {
			step(goTo(t, "seize: read"))
		}
	case "enterText: enter":
		step(func(n *world) string { return resumes(n, t, false) })
	case "seize: read":
		switch {
		case w.word == mPaused && !v.noHandle:
			step(goTo(t, "seize: take"))
		case w.word != mClaimed:
			step(func(n *world) string { n.threads[t].was = mRuns; n.threads[t].at = "seize: tree"; return "" })
		}
	case "seize: take":
		step(func(n *world) string {
			n.threads[t].at = "seize: read"
			if n.word == mPaused {
				n.word = mClaimed
				if v.claimToRuns {
					n.word = mRuns
				}
				n.threads[t].was, n.threads[t].at = mPaused, "seize: tree"
			}
			return ""
		})
	case "seize: tree":
		switch {
		case w.chub == tree && th.was == mPaused:
			step(goTo(t, "wakes: tree"))
		case w.chub == tree:
			step(goTo(t, "mail: resume"))
		case th.was == mPaused:
			step(goTo(t, "seize: give back"))
		default:
			step(refused)
		}
	case "seize: give back":
		step(func(n *world) string { n.word = mPaused; n.threads[t].at = ""; return "" })
	case "wakes: tree":
		step(func(n *world) string { n.phub = tree; n.threads[t].at = "wakes: runs"; return "" })
	case "wakes: runs":
		step(func(n *world) string { n.word = mRuns; n.threads[t].at = "mail: resume"; return "" })
	case "mail: resume":
		step(func(n *world) string { return resumes(n, t, false) })

	case "next: yielded":
		step(func(n *world) string { n.threads[t] = thread{ops: n.threads[t].ops}; return "" })
	}
}

// leave is the moment in which the thread t goes on with its own code, K being
// parked: with the call that waits, if K has yielded to it.
func leave(n *world, t int, yields bool) {
	n.on, n.at = 0, "body"
	if th := &n.threads[t]; yields && th.waiting {
		th.waiting, th.at = false, "next: yielded"
	}
}

// coroutine is what K does on the thread t.
func (v *variant) coroutine(w world, t int, add adder) {
	step := func(change func(n *world) string) { add("K: "+w.at, change) }
	at := func(next string) func(n *world) string {
		return func(n *world) string { n.at = next; return "" }
	}
	inGo := w.at == "body" || w.at == "yield: value" || strings.HasPrefix(w.at, "backSlow") || w.at == "early: backSlow paused" || w.at == "swap"
	switch w.status {
	case kBlocked, kStopped:
		add("K: goes on", func(n *world) string { n.status = kRunning; return "" })
		return
	case kRunning:
		if inGo && w.scans > 0 {
			add("K: is stopped for a scan", func(n *world) string { n.scans--; n.status = kStopped; return "" })
		}
		if w.at == "body" && w.blocks > 0 {
			add("K: blocks in Go", func(n *world) string { n.blocks--; n.status = kBlocked; return "" })
		}
	}
	paused := func(next string, done bool) func(n *world) string {
		return func(n *world) string {
			n.word = mPaused
			n.at = next
			if done {
				leave(n, t, true)
			}
			return ""
		}
	}
	// The end of a park, in which the word may come too early.
	park := func(name string) {
		switch w.at {
		case name + ": waiting":
			step(func(n *world) string {
				n.status = kLeaving
				n.at = name + ": let go"
				if v.wordAtOnce {
					n.word = mPaused
				}
				return ""
			})
		case name + ": let go":
			step(func(n *world) string {
				n.status = kParked
				n.at = name + ": paused"
				if v.wordEarly || v.wordAtOnce {
					leave(n, t, true)
				}
				return ""
			})
		case name + ": paused":
			step(paused("", true))
		}
	}
	switch w.at {
	case "body":
		add("K: yields", func(n *world) string { n.at = "yield: value"; return "" })
		add("K: switches away", at("switch: place"))
	case "yield: value":
		for _, way := range []string{"backText: yielded, place", "backSlow: yielded"} {
			if v.wordEarly {
				way = "early: " + strings.Fields(way)[0][:8] + " paused"
			}
			step(func(n *world) string { n.at = way; return "" })
		}
	case "early: backText paused":
		step(paused("backText: yielded, place", false))
	case "early: backSlow paused":
		step(paused("backSlow: yielded", false))
	case "backText: yielded, place":
		step(func(n *world) string { n.yielded = true; n.place = atPause; n.at = "backText: waiting"; return "" })
	case "backSlow: yielded":
		step(func(n *world) string { n.yielded = true; n.at = "swap"; return "" })
	case "swap":
		step(at("swapText: place"))
		step(func(n *world) string { n.place = atScheduler; n.at = "gopark: waiting"; return "" })
	case "swapText: place":
		step(func(n *world) string { n.place = atPause; n.at = "swapText: waiting"; return "" })
	case "switch: place":
		step(func(n *world) string { n.place = atSwitch; n.at = "switch: waiting"; return "" })
	case "switch: waiting":
		step(func(n *world) string { n.status = kLeaving; n.at = "switch: let go"; return "" })
	case "switch: let go":
		step(func(n *world) string { n.status = kParked; leave(n, t, false); return "" })
	}
	park("backText")
	park("swapText")
	park("gopark")
}

// sweep looks whether K is abandoned, and ends it then.
func (v *variant) sweep(w world, add adder) {
	th := w.threads[2]
	step := func(change func(n *world) string) { add("sweep: "+th.at, change) }
	switch th.at {
	case "":
		if th.ops > 0 && w.word == mPaused {
			add("sweep: take", func(n *world) string {
				n.threads[2].ops--
				n.word = mClaimed
				if v.claimToRuns {
					n.word = mRuns
				}
				n.threads[2].at = "sweep: nowhere"
				return ""
			})
		}
	case "sweep: nowhere":
		switch {
		case v.trustWaiting && !w.status.noThread():
			step(goTo(2, "sweep: give back"))
		case w.abandoned():
			step(goTo(2, "reap: move"))
		default:
			step(func(n *world) string { n.phub = 0; n.threads[2].at = "sweep: give back"; return "" })
		}
	case "reap: move":
		step(func(n *world) string { n.phub, n.chub = 3, 3; n.threads[2].at = "reap: runs"; return "" })
	case "reap: runs":
		step(func(n *world) string { n.word = mRuns; n.threads[2].at = "reap: kill"; return "" })
	case "reap: kill":
		step(func(n *world) string { return resumes(n, 2, false) })
	case "sweep: give back":
		step(func(n *world) string { n.word = mPaused; n.threads[2].at = ""; return "" })
	}
}
