package layout

import (
	"debug/dwarf"
	"testing"
)

// fakeInfo describes a runtime whose g has the given members.
func fakeInfo(members ...*dwarf.StructField) *debugInfo {
	g := &dwarf.StructType{StructName: "runtime.g", Kind: "struct", Field: members}
	return &debugInfo{structs: map[string]*dwarf.StructType{"g": g}}
}

func integer(name string, size int64) *dwarf.UintType {
	return &dwarf.UintType{BasicType: dwarf.BasicType{CommonType: dwarf.CommonType{ByteSize: size, Name: name}}}
}

func TestOffset(t *testing.T) {
	sched := &dwarf.StructType{StructName: "runtime.gobuf", Kind: "struct", Field: []*dwarf.StructField{
		{Name: "sp", Type: integer("uintptr", 8), ByteOffset: 16},
	}}
	info := fakeInfo(
		&dwarf.StructField{Name: "goid", Type: integer("uint64", 8), ByteOffset: 8},
		&dwarf.StructField{Name: "sched", Type: &dwarf.TypedefType{Type: sched}, ByteOffset: 32},
	)
	if off, err := info.offset("g.sched.sp", 8); err != nil || off != 48 {
		t.Errorf("g.sched.sp: got %d, %v, want 48", off, err)
	}
	for _, c := range []struct {
		path string
		size int64
		want string
	}{
		{"g.sched.bp", 8, "this Go release has no field runtime.g.sched.bp"},
		{"g.ditWanted", 1, "this Go release has no field runtime.g.ditWanted"},
		{"m.curg", 8, "this Go release has no struct runtime.m"},
		{"g.goid.sp", 8, "runtime.g.goid is uint64 in this Go release, not a struct"},
		{"g.goid", 4, "field runtime.g.goid is 8 bytes (uint64) in this Go release, not 4"},
	} {
		if _, err := info.offset(c.path, c.size); err == nil || err.Error() != c.want {
			t.Errorf("%s: got error %v, want %s", c.path, err, c.want)
		}
	}
	if _, err := info.constant("_Gwaiting"); err == nil {
		t.Error("a constant that is not there was found")
	}
}

func TestTraceWords(t *testing.T) {
	with := func(a *dwarf.ArrayType) *debugInfo {
		state := &dwarf.StructType{Kind: "struct", Field: []*dwarf.StructField{{Name: "statusTraced", Type: a}}}
		trace := &dwarf.StructType{Kind: "struct", Field: []*dwarf.StructField{{Name: "traceSchedResourceState", Type: state}}}
		return fakeInfo(&dwarf.StructField{Name: "trace", Type: trace})
	}
	if err := with(&dwarf.ArrayType{Type: integer("uint32", 4), Count: 3}).checkTraceWords(); err != nil {
		t.Error(err)
	}
	for _, a := range []*dwarf.ArrayType{
		{Type: integer("uint32", 4), Count: 2},
		{Type: integer("uint16", 2), Count: 6},
	} {
		if err := with(a).checkTraceWords(); err == nil {
			t.Errorf("%d words of %d bytes were accepted", a.Count, a.Type.Size())
		}
	}
}
