package rt

import "unsafe"

// The command greenlet looks at a program from outside: it reads the memory of the
// process, with nothing prepared in it. What it must know for that is in the sight
// table: where the lists of loops and of trees begin, at which offsets the fields lie
// that it follows, and what the layout table says of the runtime. It finds the table
// in the program's file by its first bytes, also where the symbols and the debug
// information were left out, and asks for each entry by its name. So a newer program
// may have more of them, and one that lacks an entry is told less of.
//
// The packages fill it in when they are initialized; after that nobody writes it, and
// the process itself never reads it.

// A sightTable begins with 16 bytes that no other data begins with.
type sightTable struct {
	magic   [16]byte
	version uint64 // of this struct: 1
	count   uint64 // of the entries
	entries [sightMax]sightEntry
}

type sightEntry struct {
	name  string
	value uintptr
}

const sightMax = 160

var sight = sightTable{
	magic:   [16]byte{0xd6, 'g', 'r', 'e', 'e', 'n', 'l', 'e', 't', 0x1b, 's', 'i', 'g', 'h', 't', 0x9c},
	version: 1,
}

// Tell adds an entry: an address, an offset or a number. It is for the initialization
// of packages.
func Tell(name string, value uintptr) {
	sight.entries[sight.count] = sightEntry{name, value}
	sight.count++
}

// Address returns where v is. It is for variables of packages, which do not move.
func Address[T any](v *T) uintptr { return uintptr(unsafe.Pointer(v)) }

// Offset returns where in the struct of a field is.
func Offset[S, F any](of *S, field *F) uintptr {
	return uintptr(unsafe.Pointer(field)) - uintptr(unsafe.Pointer(of))
}

// Size returns how many bytes v has.
func Size[T any](v *T) uintptr { return unsafe.Sizeof(*v) }

// Word returns the first word of v: of an interface with methods that of its table,
// which tells what type is in it.
func Word[T any](v *T) uintptr { return *(*uintptr)(unsafe.Pointer(v)) }

// BeginsWithText reports whether the struct that err, a pointer, points to begins with
// what Error returns, as that of errors.New does, and returns the first word of err: what
// is in an error cannot be asked for from outside, but it can be read.
func BeginsWithText(err error) (of uintptr, ok bool) {
	words := *(*[2]unsafe.Pointer)(unsafe.Pointer(&err))
	return uintptr(words[0]), *(*string)(words[1]) == err.Error()
}

func init() {
	if !Known {
		return
	}
	for _, e := range [...]sightEntry{
		{"g.stack.lo", GStackLo},
		{"g.stack.hi", GStackHi},
		{"g.sched.sp", GSchedSP},
		{"g.sched.pc", GSchedPC},
		{"g.sched.lr", GSchedLR},
		{"g.sched.bp", GSchedBP},
		{"g.syscallsp", GSyscallSP},
		{"g.syscallpc", GSyscallPC},
		{"g.syscallbp", GSyscallBP},
		{"g.atomicstatus", GStatus},
		{"g.goid", GGoid},
		{"g.size", GSize},
		{"g.running", StatusRunning},
		{"g.syscall", StatusSyscall},
		{"g.waiting", StatusWaiting},
		{"g.scan", StatusScan},
		{"moduledata.text", DataText},
		{"moduledata.gofunc", DataGofunc},
	} {
		Tell(e.name, e.value)
	}
	tellParked()
}
