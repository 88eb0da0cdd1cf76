package main

// A figure is something that the project has set itself to reach, and how it
// is read from the measurements: as a ratio, or as it stands.
type figure struct {
	what  string
	over  key // over/under is the ratio; without over, under itself counts
	under key
	asked float64
	most  bool    // asked is the most that is allowed, not the least
	aim   float64 // what would be better still; 0 for none
}

var ours = rival("greenlet")

func rival(by string) key         { return ns("Switch", "sites=different", by) }
func ns(what, how, by string) key { return key{what, how, by, "ns/switch"} }
func start(made, by string) key   { return key{"Start", "new=" + made, by, "ns/life"} }
func wave(by string) key          { return key{"Wave", "carriers=cold", by, "ns/life"} }
func produced(by string) key      { return key{"Producer", "", by, "items/s"} }
func memory(n, by string) key     { return key{"Memory", "n=" + n, by, "B/each"} }
func calls(in string) key         { return key{"Current", "in=" + in, "greenlet", "ns/call"} }
func next(value, by string) key   { return key{"Next", "value=" + value, by, "ns/step"} }
func step(face string) key        { return key{"Step", "face=" + face, "greenlet", "ns/step"} }
func three(by string) key         { return key{"Three", "face=Pull", by, "ns/life"} }
func fringe(by string) key        { return key{"Fringe", "", by, "ns/leaf"} }
func tokenizer(by string) key     { return key{"Tokenizer", "", by, "ns/token"} }
func simulated(n, by string) key {
	return key{"Simulation", "n=" + n, by, "ns/event"}
}

func hop(by string) key    { return key{"Hop", "n=1000", by, "ns/hop"} }
func spawn(by string) key  { return key{"Spawn", "", by, "ns/task"} }
func gather(by string) key { return key{"Gather", "", by, "ns/task"} }
func soon(by string) key   { return key{"CallSoon", "", by, "ns/callback"} }
func timers(by string) key { return key{"Timers", "", by, "ns/timer"} }
func cycle(by string) key  { return key{"Cycle", "n=10000", by, "ns/cycle"} }
func queue(by string) key  { return key{"Queue", "", by, "ns/item"} }
func outstanding(by string) key {
	return key{"Outstanding", "n=1000000", by, "ns/fired"}
}
func trip(how, by string) key {
	return key{"PingPong", "how=" + how, by, "ns/trip"}
}

func allocations(k key) key {
	k.unit = "allocs/op"
	return k
}

var figures = []figure{
	{what: "inlined `Switch`, pointer value, different call sites, against `iter.Pull`",
		over: rival("pull"), under: ours, asked: 5.5, aim: 7},
	{what: "the same against an unbuffered channel",
		over: rival("chan0"), under: ours, asked: 20},
	{what: "the same against Boost.Context `jump_fcontext`",
		over: rival("boost"), under: ours, asked: 1, aim: 2},
	{what: "through a method that is not inlined on each side, against plain `iter.Pull`",
		over: rival("pull"), under: ns("Wrapped", "", "greenlet"), asked: 2.5},
	{what: "while the collector marks, against `iter.Pull` in the same storm",
		over: ns("Marking", "", "pull"), under: ns("Marking", "", "greenlet"), asked: 3},
	{what: "start, run, finish, warm, `New` not counted, against `go` + channel",
		over: start("inside", "go+chan"), under: start("outside", "greenlet"), asked: 10},
	{what: "the same, with neither `New` nor `make(chan)` counted",
		over: start("outside", "go+chan"), under: start("outside", "greenlet"), asked: 10},
	{what: "the same, with both counted",
		over: start("inside", "go+chan"), under: start("inside", "greenlet"), asked: 10},
	{what: "allocations per switch",
		under: allocations(ours), asked: 0, most: true},
	{what: "`Current()` in a main greenlet, in switches",
		over: calls("main"), under: ours, asked: 1, most: true},
	{what: "`Current()` in another greenlet, in switches",
		over: calls("greenlet"), under: ours, asked: 1, most: true},
	{what: "a switch in a tree locked to its thread, in unlocked ones",
		over: ns("Locked", "", "greenlet"), under: ours, asked: 1, most: true},
	{what: "bytes per suspended greenlet, at 1M",
		under: memory("1000000", "greenlet"), asked: 2900, most: true},
	{what: "producer-consumer of 1M ints, against `iter.Pull`",
		over: produced("greenlet"), under: produced("pull"), asked: 4},
	{what: "the same against an unbuffered channel",
		over: produced("greenlet"), under: produced("chan0"), asked: 8},
	{what: "the same against a channel with a buffer of 128",
		over: produced("greenlet"), under: produced("chan128"), asked: 2},
	{what: "create, first switch, finish, cold, in goroutines created, parked, ended",
		over: wave("greenlet"), under: wave("goroutine"), asked: 1.5, most: true},
	{what: "the same in goroutines created and parked, their end not counted",
		over: wave("greenlet"), under: wave("goroutine-parked"), asked: 1.5, most: true},
	{what: "the same in goroutines each of which has run before the next is created",
		over: wave("greenlet"), under: wave("goroutine-handed"), asked: 1.5, most: true},

	{what: "`Pull`'s next against `iter.Pull`'s, int",
		over: next("int", "pull"), under: next("int", "greenlet"), asked: 3},
	{what: "the same with a struct of 64 bytes",
		over: next("64B", "pull"), under: next("64B", "greenlet"), asked: 3},
	{what: "`Coro.Resume` against `iter.Pull`'s next",
		over: next("int", "pull"), under: step("Resume"), asked: 3},
	{what: "`Generator.Next` against `iter.Pull`'s next",
		over: next("int", "pull"), under: step("Next"), asked: 3},
	{what: "allocations per `Resume`",
		under: allocations(step("Resume")), asked: 0, most: true},
	{what: "create, 3 values, finish, against `iter.Pull`",
		over: three("pull"), under: three("greenlet"), asked: 3},
	{what: "the same by `Coro`, against `iter.Pull`",
		over: three("pull"), under: key{"Three", "face=Coro", "greenlet", "ns/life"}, asked: 1.6},
	{what: "same fringe, against `iter.Pull`",
		over: fringe("pull"), under: fringe("greenlet"), asked: 2},
	{what: "tokenizer, against `iter.Pull`",
		over: tokenizer("pull"), under: tokenizer("greenlet"), asked: 2},
	{what: "simulation of 10 processes, against `iter.Pull`",
		over: simulated("10", "pull"), under: simulated("10", "greenlet"), asked: 3},
	{what: "simulation of 1,000 processes, against `iter.Pull`",
		over: simulated("1000", "pull"), under: simulated("1000", "greenlet"), asked: 3},
	{what: "simulation of 100,000 processes, against `iter.Pull`",
		over: simulated("100000", "pull"), under: simulated("100000", "greenlet"), asked: 1.5},
	{what: "simulation of 10 processes, against channels",
		over: simulated("10", "chan0-direct"), under: simulated("10", "greenlet"), asked: 3},
	{what: "simulation of 1,000 processes, against channels",
		over: simulated("1000", "chan0-direct"), under: simulated("1000", "greenlet"), asked: 3},
	{what: "simulation of 100,000 processes, against channels",
		over: simulated("100000", "chan0-direct"), under: simulated("100000", "greenlet"), asked: 1.5},

	{what: "hop among 1,000 ready tasks, against asyncio",
		over: hop("asyncio"), under: hop("greenlet"), asked: 30},
	{what: "the same against uvloop",
		over: hop("uvloop"), under: hop("greenlet"), asked: 20},
	{what: "the same against goroutines with `Gosched`",
		over: hop("gosched"), under: hop("greenlet"), asked: 2.5},
	{what: "allocations per hop",
		under: allocations(hop("greenlet")), asked: 0, most: true},
	{what: "a trivial task made and awaited, against asyncio",
		over: spawn("asyncio"), under: spawn("greenlet"), asked: 20},
	{what: "the same against uvloop",
		over: spawn("uvloop"), under: spawn("greenlet"), asked: 11},
	{what: "the same against `go` + `WaitGroup`",
		over: spawn("goroutine"), under: spawn("greenlet"), asked: 1.4},
	{what: "allocations per task",
		under: allocations(spawn("greenlet")), asked: 3, most: true},
	{what: "gather of 10,000 trivial coroutines, against asyncio",
		over: gather("asyncio"), under: gather("greenlet"), asked: 18},
	{what: "the same against goroutines",
		over: gather("goroutine"), under: gather("greenlet"), asked: 1.1},
	{what: "callbacks in batches of 1,000, against asyncio",
		over: soon("asyncio"), under: soon("greenlet"), asked: 18},
	{what: "the same against uvloop",
		over: soon("uvloop"), under: soon("greenlet"), asked: 8},
	{what: "a timer set and cancelled among a million, against asyncio",
		over: timers("asyncio"), under: timers("greenlet"), asked: 18},
	{what: "the same against `time.AfterFunc` + `Stop`",
		over: timers("goroutine"), under: timers("greenlet"), asked: 2.5},
	{what: "a timer fired, a million outstanding, against `time.AfterFunc`",
		over: outstanding("goroutine"), under: outstanding("greenlet"), asked: 3},
	{what: "a value through a queue of 128, against asyncio",
		over: queue("asyncio"), under: queue("greenlet"), asked: 20},
	{what: "the same against a buffered channel",
		over: queue("chan128"), under: queue("greenlet"), asked: 0.8},
	{what: "ping-pong with two events, against asyncio",
		over: trip("event", "asyncio"), under: trip("event", "greenlet"), asked: 40},
	{what: "the same against unbuffered channels",
		over: trip("event", "chan0"), under: trip("event", "greenlet"), asked: 2},
	{what: "ping-pong with two queues of 1, against asyncio",
		over: trip("queue", "asyncio"), under: trip("queue", "greenlet"), asked: 40},
	{what: "the same against unbuffered channels",
		over: trip("queue", "chan0"), under: trip("queue", "greenlet"), asked: 2},
	{what: "a cycle of the collector, 10,000 greenlets waiting, in those with `iter.Pull`",
		over: cycle("greenlet"), under: cycle("pull"), asked: 1, most: true},
	{what: "bytes per sleeping task, at 1M",
		under: memory("1000000", "task"), asked: 3276, most: true},
}

// got returns what was measured, and whether that is what was asked.
func (f figure) got(m *measurements) (s summary, met, ok bool) {
	if f.over == (key{}) {
		s, ok = m.of(f.under)
	} else {
		s, ok = m.ratio(f.over, f.under)
	}
	if f.most {
		return s, s.Center <= f.asked, ok
	}
	return s, s.Center >= f.asked, ok
}
