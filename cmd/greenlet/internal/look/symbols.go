package look

import (
	"bytes"
	"sort"
	"strings"
)

// Symbols finds functions and lines in the table that a Go program has for its own
// tracebacks: section .gopclntab, whose form is in runtime/symtab.go and
// internal/abi/symtab.go of Go 1.20 and later. debug/gosym knows it, too, but not the
// calls that the compiler has inlined.
type symbols struct {
	pcln     []byte
	quantum  uint64
	funcs    int
	names    []byte
	units    []byte
	files    []byte
	pcdata   []byte
	functab  []byte
	text     uint64 // where the code begins
	funcdata uint64 // what offsets of funcdata are from; 0: not known
	mem      *view  // for the tables of inlined calls
}

const (
	pclnMagic   = "\xf1\xff\xff\xff\x00\x00"
	funcSize    = 44 // of runtime._func, before the offsets of pcdata and funcdata
	inlinedSize = 16 // of runtime.inlinedCall

	pcdataInlTree   = 2
	funcdataInlTree = 3
	inlinedMost     = 64 // calls at one place
)

// newSymbols takes the bytes of the table. It returns nil if they are none.
func newSymbols(pcln []byte) *symbols {
	if !bytes.HasPrefix(pcln, []byte(pclnMagic)) || len(pcln) < 72 || pcln[7] != 8 {
		return nil
	}
	from := func(at uint64) []byte {
		off := wordIn(pcln, at)
		if off > uint64(len(pcln)) {
			return nil
		}
		return pcln[off:]
	}
	s := &symbols{
		pcln: pcln, quantum: uint64(pcln[6]), text: wordIn(pcln, 24),
		names: from(32), units: from(40), files: from(48), pcdata: from(56), functab: from(64),
	}
	if n := wordIn(pcln, 8); n < uint64(len(s.functab)/8) {
		s.funcs = int(n)
	}
	return s
}

// cstring returns the text that ends with a zero.
func cstring(b []byte, at uint32) string {
	if uint64(at) >= uint64(len(b)) {
		return ""
	}
	b = b[at:]
	if len(b) > textMost {
		b = b[:textMost]
	}
	text, _, ended := bytes.Cut(b, []byte{0})
	if !ended {
		return ""
	}
	return string(text)
}

// A function is one of the table.
type function struct {
	s     *symbols
	entry uint64
	info  []byte // runtime._func and what follows
}

func (s *symbols) find(pc uint64) (function, bool) {
	if pc < s.text || s.funcs == 0 || pc-s.text > 1<<32-1 {
		return function{}, false
	}
	off := uint32(pc - s.text)
	entry := func(i int) uint32 { return halfIn(s.functab, uint64(i)*8) }
	i := sort.Search(s.funcs, func(i int) bool { return entry(i) > off }) - 1
	if i < 0 || off >= entry(s.funcs) { // after the last one its end
		return function{}, false
	}
	at := halfIn(s.functab, uint64(i)*8+4)
	if uint64(at)+funcSize > uint64(len(s.functab)) {
		return function{}, false
	}
	return function{s, s.text + uint64(entry(i)), s.functab[at:]}, true
}

// value returns what a table of values by program counter has for pc: -1 if nothing.
func (f function) value(table uint32, pc uint64) int32 {
	if table == 0 || uint64(table) >= uint64(len(f.s.pcdata)) {
		return -1
	}
	b := f.s.pcdata[table:]
	value, at := int32(-1), f.entry
	for first := true; ; first = false {
		delta, ok := varint(&b)
		if !ok || delta == 0 && !first {
			return -1
		}
		value += int32(delta>>1) ^ -int32(delta&1)
		step, ok := varint(&b)
		if !ok {
			return -1
		}
		at += uint64(step) * f.s.quantum
		if pc < at {
			return value
		}
	}
}

func varint(b *[]byte) (v uint32, ok bool) {
	for i, c := range *b {
		if i == 5 {
			break
		}
		v |= uint32(c&0x7f) << (7 * i)
		if c < 0x80 {
			*b = (*b)[i+1:]
			return v, true
		}
	}
	return 0, false
}

func (f function) name() string { return plainName(cstring(f.s.names, halfIn(f.info, 4))) }

// plainName is a name as the runtime prints it: without the shapes of type arguments.
func plainName(name string) string {
	from, to := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if from < 0 || to < from {
		return name
	}
	return name[:from] + "[...]" + name[to+1:]
}

// place returns the file and line of pc.
func (f function) place(pc uint64) (file string, line int) {
	n := f.value(halfIn(f.info, 20), pc)
	if n >= 0 {
		at := halfIn(f.s.units, (uint64(halfIn(f.info, 32))+uint64(n))*4)
		file = cstring(f.s.files, at)
	}
	return file, int(f.value(halfIn(f.info, 24), pc))
}

// calls returns the calls at pc: several, the innermost first, where some are inlined.
func (s *symbols) calls(pc uint64) (all []Frame) {
	f, ok := s.find(pc)
	if !ok {
		return nil
	}
	npcdata, nfuncdata := halfIn(f.info, 28), uint32(byteIn(f.info, 43))
	if s.funcdata != 0 && npcdata > pcdataInlTree && nfuncdata > funcdataInlTree {
		table := halfIn(f.info, funcSize+4*pcdataInlTree)
		tree := halfIn(f.info, funcSize+4*(uint64(npcdata)+funcdataInlTree))
		for range inlinedMost {
			i := f.value(table, pc)
			if i < 0 || tree == ^uint32(0) {
				break
			}
			call := s.mem.bytes(s.funcdata+uint64(tree)+uint64(i)*inlinedSize, inlinedSize)
			name := plainName(cstring(s.names, halfIn(call, 4)))
			parent := f.entry + uint64(halfIn(call, 8))
			if name == "" || parent == pc {
				break
			}
			file, line := f.place(pc)
			all = append(all, Frame{Func: name, File: file, Line: line})
			pc = parent
		}
	}
	file, line := f.place(pc)
	return append(all, Frame{Func: f.name(), File: file, Line: line})
}
