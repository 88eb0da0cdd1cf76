package layout

import (
	"debug/dwarf"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"fmt"
	"strings"
)

// debugInfo is what a program's debug information says about package runtime.
type debugInfo struct {
	structs   map[string]*dwarf.StructType // by type name without the package
	constants map[string]int64             // those the tables repeat
}

// readDebugInfo reads runtime.g, runtime.m, runtime.moduledata and the constants from an
// executable that was linked without -s or -w.
func readDebugInfo(file string) (*debugInfo, error) {
	data, err := openDebugInfo(file)
	if err != nil {
		return nil, fmt.Errorf("the probe program has no readable debug information: %w", err)
	}

	wanted := make(map[string]bool)
	for _, g := range groups {
		for _, v := range g.values {
			wanted["runtime."+v.symbol] = true
		}
	}
	info := &debugInfo{
		structs:   make(map[string]*dwarf.StructType),
		constants: make(map[string]int64),
	}
	r := data.Reader()
	for {
		e, err := r.Next()
		if err != nil {
			return nil, fmt.Errorf("reading the probe program's debug information: %w", err)
		}
		if e == nil {
			return info, nil
		}
		name, _ := e.Val(dwarf.AttrName).(string)
		switch {
		case e.Tag == dwarf.TagStructType && (name == "runtime.g" || name == "runtime.m" || name == "runtime.moduledata"):
			t, err := data.Type(e.Offset)
			if err != nil {
				return nil, fmt.Errorf("reading type %s: %w", name, err)
			}
			st, ok := t.(*dwarf.StructType)
			if !ok {
				return nil, fmt.Errorf("type %s is not a struct", name)
			}
			info.structs[strings.TrimPrefix(name, "runtime.")] = st
		case e.Tag == dwarf.TagConstant && wanted[name]:
			n, ok := e.Val(dwarf.AttrConstValue).(int64)
			if !ok {
				return nil, fmt.Errorf("constant %s has no integer value", name)
			}
			info.constants[strings.TrimPrefix(name, "runtime.")] = n
		}
		// All we want stands at the top of a compile unit.
		if e.Tag != dwarf.TagCompileUnit {
			r.SkipChildren()
		}
	}
}

// openDebugInfo opens an executable of any system.
func openDebugInfo(file string) (*dwarf.Data, error) {
	if f, err := macho.Open(file); err == nil {
		defer f.Close()
		return f.DWARF()
	}
	if f, err := pe.Open(file); err == nil {
		defer f.Close()
		return f.DWARF()
	}
	f, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.DWARF()
}

// constant returns the value of a runtime constant.
func (d *debugInfo) constant(symbol string) (int64, error) {
	n, ok := d.constants[symbol]
	if !ok {
		return 0, fmt.Errorf("this Go release has no constant runtime.%s", symbol)
	}
	return n, nil
}

// find follows a path such as "g.sched.sp" and returns the offset from the
// start of the outermost struct, and the type of the last member.
func (d *debugInfo) find(path string) (int64, dwarf.Type, error) {
	parts := strings.Split(path, ".")
	st := d.structs[parts[0]]
	if st == nil {
		return 0, nil, fmt.Errorf("this Go release has no struct runtime.%s", parts[0])
	}
	var typ dwarf.Type = st
	var offset int64
	for i, part := range parts[1:] {
		st, ok := underlying(typ).(*dwarf.StructType)
		if !ok {
			return 0, nil, fmt.Errorf("runtime.%s is %s in this Go release, not a struct",
				strings.Join(parts[:i+1], "."), typ)
		}
		member := findMember(st, part)
		if member == nil {
			return 0, nil, &missingError{path}
		}
		offset += member.ByteOffset
		typ = member.Type
	}
	return offset, typ, nil
}

// offset returns the offset of a field, after checking that its size is the
// one the assembly was written for.
func (d *debugInfo) offset(path string, size int64) (int64, error) {
	off, typ, err := d.find(path)
	if err != nil {
		return 0, err
	}
	if got := typ.Size(); got != size {
		return 0, fmt.Errorf("field runtime.%s is %d bytes (%s) in this Go release, not %d",
			path, got, typ, size)
	}
	return off, nil
}

// checkTraceWords makes sure that the trace gate's field still is three
// 32-bit words: the size alone would not show a regrouping.
func (d *debugInfo) checkTraceWords() error {
	const path = "g.trace.traceSchedResourceState.statusTraced"
	_, typ, err := d.find(path)
	if err != nil {
		return err
	}
	a, ok := underlying(typ).(*dwarf.ArrayType)
	if !ok || a.Count != 3 || a.Type.Size() != 4 {
		return fmt.Errorf("field runtime.%s is %s in this Go release, not three 32-bit words", path, typ)
	}
	return nil
}

// A missingError says that a release lacks a field.
type missingError struct{ path string }

func (e *missingError) Error() string {
	return fmt.Sprintf("this Go release has no field runtime.%s", e.path)
}

func findMember(st *dwarf.StructType, name string) *dwarf.StructField {
	for _, f := range st.Field {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// underlying strips the names from a type.
func underlying(t dwarf.Type) dwarf.Type {
	for {
		td, ok := t.(*dwarf.TypedefType)
		if !ok {
			return t
		}
		t = td.Type
	}
}
