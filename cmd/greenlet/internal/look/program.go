package look

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Program is the file of a process.
type Program struct {
	Go       string // the release that has built it, "" if that is not known
	table    uint64 // where the sight table is, before the file is loaded
	pcln     []byte
	pclnAt   uint64
	pie      bool
	links    bool        // a return address may be in a register: arm64
	headers  uint64      // where the program headers are when it is loaded
	writable [][2]uint64 // the parts that can be written when it is loaded: from, to
}

// tableMagic is how the sight table begins. In this program it is no part of the
// writable data.
const tableMagic = "\xd6greenlet\x1bsight\x9c"

// ErrNoTable is returned for a program that does not use greenlets, or is too old.
var ErrNoTable = errors.New("no sight table: the program does not use package greenlet, or a release of it without the table")

const segmentMost = 1 << 28 // bytes

// ReadProgram looks at an ELF file.
func ReadProgram(r io.ReaderAt) (*Program, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	p := &Program{pie: f.Type == elf.ET_DYN, links: f.Machine == elf.EM_AARCH64}
	for _, s := range f.Progs {
		if s.Type != elf.PT_LOAD {
			continue
		}
		if s.Off == 0 { // the headers follow the first one
			p.headers = s.Vaddr + 64
		}
		if s.Flags&elf.PF_W == 0 || s.Filesz > segmentMost {
			continue
		}
		p.writable = append(p.writable, [2]uint64{s.Vaddr, s.Vaddr + s.Filesz})
		if p.table == 0 {
			data := make([]byte, s.Filesz)
			if _, err := s.ReadAt(data, 0); err != nil {
				continue
			}
			if i := bytes.Index(data, []byte(tableMagic)); i >= 0 {
				p.table = s.Vaddr + uint64(i)
			}
		}
	}
	switch {
	case f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB || f.Machine != elf.EM_X86_64 && f.Machine != elf.EM_AARCH64:
		if p.table != 0 {
			return nil, fmt.Errorf("programs of %v cannot be read from outside", f.Machine)
		}
		return nil, ErrNoTable
	case p.table == 0:
		return nil, ErrNoTable
	}
	if info, err := buildinfo.Read(r); err == nil {
		p.Go = info.GoVersion
	}
	for _, s := range f.Sections {
		if strings.HasSuffix(s.Name, ".gopclntab") && s.Size < segmentMost {
			if p.pcln, err = s.Data(); err == nil {
				p.pclnAt = s.Addr
			}
		}
	}
	if p.pclnAt == 0 {
		p.findPCLN(f)
	}
	return p, nil
}

// findPCLN finds the table of functions in a file that has no list of sections.
func (p *Program) findPCLN(f *elf.File) {
	for _, s := range f.Progs {
		if s.Type != elf.PT_LOAD || s.Filesz > segmentMost {
			continue
		}
		data := make([]byte, s.Filesz)
		if _, err := s.ReadAt(data, 0); err != nil {
			continue
		}
		for from := 0; ; {
			i := bytes.Index(data[from:], []byte(pclnMagic))
			if i < 0 {
				break
			}
			from += i
			if at := data[from:]; s.Vaddr+uint64(from) != 0 && from%8 == 0 && newSymbols(at) != nil && newSymbols(at).funcs > 0 {
				p.pcln, p.pclnAt = at, s.Vaddr+uint64(from)
				return
			}
			from += len(pclnMagic)
		}
	}
}
