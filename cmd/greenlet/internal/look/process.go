package look

import "fmt"

// A Process is a process that can be looked at, again and again.
type Process struct {
	pid     int
	program *Program
	mem     Memory
	bias    uint64 // by how much the file was moved when it was loaded
	symbols *symbols
	frames  map[uint64][]Frame // of a return address
	past    map[uint64]*past   // of the loops that the last look has seen, by address
}

func newProcess(pid int, program *Program, mem Memory, bias uint64) *Process {
	return &Process{pid: pid, program: program, mem: mem, bias: bias, frames: make(map[uint64][]Frame)}
}

// A table is the entries of the sight table.
type table map[string]uint64

const (
	tableVersion = 1
	entriesMost  = 1024
)

func (p *Process) readTable(v *view) (table, error) {
	at := p.program.table + p.bias
	version, count := v.word(at+16), v.word(at+24)
	switch {
	case version != tableVersion:
		return nil, fmt.Errorf("the sight table has version %d; this command knows %d", version, tableVersion)
	case count > entriesMost:
		return nil, fmt.Errorf("the sight table is damaged")
	}
	t := make(table)
	for i := range count {
		entry := at + 32 + i*24
		if name := v.text(entry); name != "" {
			t[name] = v.word(entry + 16)
		}
	}
	return t, nil
}

// has reports whether all of these entries are there.
func (t table) has(names ...string) bool {
	for _, name := range names {
		if _, ok := t[name]; !ok {
			return false
		}
	}
	return true
}

// findSymbols prepares the names of functions. Where the code begins the module's
// data says, which is known by its first word, the address of the functions' table.
func (p *Process) findSymbols(v *view, t table) {
	if p.symbols != nil || p.program.pcln == nil {
		return
	}
	s := newSymbols(p.program.pcln)
	if s == nil {
		return
	}
	s.mem = newView(p.mem)
	want := p.program.pclnAt + p.bias
	for _, part := range p.program.writable {
		for at := part[0] + p.bias; at+8 <= part[1]+p.bias; {
			block, ok := v.part(at)
			if !ok {
				at += pageSize - at%pageSize
				continue
			}
			n := min(uint64(len(block)), part[1]+p.bias-at) &^ 7
			for off := uint64(0); off+8 <= n; off += 8 {
				if wordIn(block, off) != want {
					continue
				}
				data := at + off
				text := v.word(data + t["moduledata.text"])
				if t.has("moduledata.text", "moduledata.gofunc") && text != 0 && text != want && text < want+1<<40 {
					s.text, s.funcdata = text, v.word(data+t["moduledata.gofunc"])
					p.symbols = s
					return
				}
			}
			if n == 0 {
				break
			}
			at += n
		}
	}
}

// calls returns the calls that end in a return address, the innermost first.
func (p *Process) calls(ret uint64) []Frame {
	if p.symbols == nil || ret == 0 {
		return nil
	}
	frames, known := p.frames[ret]
	if !known {
		if len(p.frames) > 1<<16 {
			clear(p.frames)
		}
		frames = p.symbols.calls(ret - 1)
		p.frames[ret] = frames
	}
	return frames
}
