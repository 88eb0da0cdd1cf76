// Package layout reads the layout of the Go runtime's own structures out of
// a program's debug information and writes it down as Go constants.
//
// It serves two callers: the layoutgen command, which writes the tables in
// internal/rt, and the test there, which writes them again and compares.
package layout

// Releases are the Go releases that have a table, oldest first. The build
// lines of all tables follow from this list, so a new release is added here.
var Releases = []string{"go1.25", "go1.26", "go1.27"}

// Arches are the architectures that have a table.
var Arches = []string{"amd64", "arm64"}

// A field is a constant that holds the byte offset of a runtime field.
type field struct {
	name string // of the constant
	path string // struct type, then members, separated by dots
	size int64  // in bytes; the assembly's load and store widths rely on it
	doc  string // ends the constant's line
}

// A value is a constant that repeats one of the runtime's own constants.
type value struct {
	name   string
	symbol string // without the package name
	doc    string
}

// A group is a run of constants under one comment.
type group struct {
	doc    string
	fields []field
	values []value
	size   string // name of the constant for the size of runtime.g, if wanted here
	dit    bool   // whether HasDIT and GDIT belong here
}

const word = 8 // every architecture with a table has 64-bit words

var groups = []group{
	{
		doc: "The stack's bounds, of type stack. The start-up check holds the stack\npointer against them.",
		fields: []field{
			{"GStackLo", "g.stack.lo", word, "lowest address of the stack"},
			{"GStackHi", "g.stack.hi", word, "first address above the stack"},
			{"GStackGuard", "g.stackguard0", word, "a call that needs more stack than down to here asks the runtime; above every stack while the goroutine is asked to yield"},
		},
	},
	{
		doc: "The thread that runs the goroutine, nil while it is parked. The switch\nmoves it from one goroutine to the other.",
		fields: []field{
			{"GM", "g.m", word, "*m"},
		},
	},
	{
		doc: "Where a parked goroutine continues: the gobuf in g.sched. The switch fills\nin pc, sp and bp of the goroutine it leaves and loads those of the one it\nresumes; ctxt and lr must be left as the scheduler's own gogo expects them.",
		fields: []field{
			{"GSchedSP", "g.sched.sp", word, "stack pointer"},
			{"GSchedPC", "g.sched.pc", word, "program counter"},
			{"GSchedCtxt", "g.sched.ctxt", word, "closure context, a pointer the collector follows"},
			{"GSchedLR", "g.sched.lr", word, "link register, where the architecture has one"},
			{"GSchedBP", "g.sched.bp", word, "frame pointer"},
		},
	},
	{
		doc: "What the scheduler, the collector and tracebacks read. The switch changes\nstatus, wait reason and time, and resumes nothing that is not waiting; the\nstart-up check compares the goroutine's id with what runtime.Stack prints.",
		fields: []field{
			{"GStatus", "g.atomicstatus", 4, "uint32, one of the Status values below"},
			{"GGoid", "g.goid", 8, "uint64, the goroutine's id"},
			{"GWaitSince", "g.waitsince", 8, "int64, when the collector first saw that the goroutine waits; 0 while it runs"},
			{"GWaitReason", "g.waitreason", 1, "uint8, valid while waiting"},
			{"GGCScanDone", "g.gcscandone", 1, "bool, stack scanned in this cycle; owned by the holder of StatusScan"},
		},
	},
	{
		doc: "What a look from another process needs besides, see sight.go: where a\ngoroutine is that is in a system call, and of the module's data where its code\nbegins and what the functions' tables of inlined calls are relative to.",
		fields: []field{
			{"GSyscallSP", "g.syscallsp", word, "stack pointer of who has made the system call"},
			{"GSyscallPC", "g.syscallpc", word, "program counter of who has made the system call"},
			{"GSyscallBP", "g.syscallbp", word, "frame pointer of who has made the system call"},
			{"DataText", "moduledata.text", word, "address of the code"},
			{"DataGofunc", "moduledata.gofunc", word, "address that funcdata is relative to"},
		},
		values: []value{
			{"StatusSyscall", "_Gsyscall", ""},
		},
	},
	{
		doc: "The switch's gates: a goroutine on which one of these is set takes the slow\npath, because some part of the runtime must see the switch.",
		fields: []field{
			{"GLockedM", "g.lockedm", word, "*m, the thread the goroutine is locked to"},
			{"GProfiled", "g.goroutineProfiled", 4, "uint32, not 0 while a goroutine profile runs"},
			{"GBubble", "g.bubble", word, "pointer, the testing/synctest bubble"},
			{"GTrace", "g.trace.traceSchedResourceState.statusTraced", 12, "[3]uint32, not all 0 once an execution trace has seen the goroutine"},
			{"GTraceSeq", "g.trace.traceSchedResourceState.seq", 16, "[2]uint64, counts what a trace has told of the goroutine; see trace.go"},
		},
	},
	{
		doc: "Profiler labels. A new goroutine inherits them and the profiler reads them;\na carrier that is used again needs those of its new creator.",
		fields: []field{
			{"GLabels", "g.labels", word, "pointer"},
		},
	},
	{
		doc: "Data-independent timing: a mode of the thread that each goroutine asks for,\nso goroutines that differ in it take the slow path (arm64). Where HasDIT is\n0, GDIT is 0 as well and names the lowest byte of g.stack.lo, which is 0 in\nevery goroutine: a comparison of two goroutines there finds them alike.",
		dit: true,
	},
	{
		doc: "The thread's side, in runtime.m. The switch sets curg, tests lockedInt and,\nfor a goroutine locked by its user, hands lockedg on; the start-up check\ncompares curg and the lock fields with the goroutine's. Nothing writes g0,\nlocks or lockedExt. These hold on linux alone, where the switch is built: the\nthread of another system has other fields before them.",
		fields: []field{
			{"MG0", "m.g0", word, "*g, with the thread's own stack"},
			{"MCurg", "m.curg", word, "*g, the goroutine that runs"},
			{"MLocks", "m.locks", 4, "int32, not 0 while the thread must not be preempted"},
			{"MLockedG", "m.lockedg", word, "*g, the goroutine locked to the thread"},
			{"MLockedExt", "m.lockedExt", 4, "uint32, LockOSThread calls by the user"},
			{"MLockedInt", "m.lockedInt", 4, "uint32, lockOSThread calls by the runtime, as in a cgo callback"},
		},
	},
	{
		doc:  "Size of runtime.g: no field above reaches beyond it.",
		size: "GSize",
	},
	{
		doc: "Values of g.atomicstatus. The switch changes between the first two; the\nthird tells that a carrier is gone, and the last is a bit added to another\nstatus by whoever scans the stack.",
		values: []value{
			{"StatusRunning", "_Grunning", ""},
			{"StatusWaiting", "_Gwaiting", ""},
			{"StatusDead", "_Gdead", ""},
			{"StatusScan", "_Gscan", ""},
		},
	},
	{
		doc: "Value of g.waitreason for a coroutine that waits for its turn. The switch\nwrites it, so that tracebacks say what a suspended greenlet is.",
		values: []value{
			{"WaitCoroutine", "waitReasonCoroutine", ""},
		},
	},
}

// ditPath is the one field that a supported release may lack.
const ditPath = "g.ditWanted"
