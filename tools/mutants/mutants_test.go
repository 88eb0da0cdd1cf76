package main

import (
	"go/format"
	"slices"
	"strings"
	"testing"
)

// Every mutant has a line in the list, and no line is about one that there is no
// more.
func TestListIsComplete(t *testing.T) {
	all, _, err := breed()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readKnown(all); err != nil {
		t.Error(err)
	}
}

const assembly = `
#define STORES(slow) \
	MOVQ R12, m(DX); \
	JNE  slow; \
	MOVQ AX, a(DX)

#define GATES \
	MOVQ gTrace(R14), R9; \
	ORQ  gBubble(R14), R9

TEXT ·someText(SB), NOSPLIT|NOFRAME, $0-0
	GATES
	JNZ out // a gate
	STORES(out)
	LEAQ x(SB), R11
	MOVQ R11, b(DX)
	MOVQ BX, c(DX)
out:
	MOVQ c(DX), R10
	XCHGQ SP, R10
	MOVQ SP, d(DX)
	RET
`

func TestAssemblyMutants(t *testing.T) {
	var got []string
	for _, m := range assemblyMutants("x.s", assembly) {
		got = append(got, strings.TrimPrefix(m.id, "someText "))
	}
	want := []string{
		"gate MOVQ gTrace(R14), R9", "gate ORQ gBubble(R14), R9", "gate ORQ gBubble(R14), R9; JNZ out", "gate ORQ gBubble(R14), R9; JNE out",
		"swap MOVQ AX, a(DX) / MOVQ R11, b(DX)", "swap MOVQ R11, b(DX) / MOVQ BX, c(DX)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// A store that needs a register which is loaded in between is not moved before
	// that: the other one is moved behind it.
	m := assemblyMutants("x.s", assembly)[4]
	var code []string
	for _, in := range m.code[5:8] {
		code = append(code, in.String())
	}
	if text := strings.Join(code, "; "); text != "LEAQ x(SB), R11; MOVQ R11, b(DX); MOVQ AX, a(DX)" {
		t.Errorf("got %s", text)
	}
}

func TestGoMutants(t *testing.T) {
	n := 0
	text, mutants, err := goMutants("x.go", `package x

func f() {
	if a && b || c {
		p.x = 1
		p.set(2)
		p.y++
	}
	switch {
	case d:
	}
}
`, func() int { n++; return n })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mutants {
		got = append(got, strings.TrimPrefix(m.id, "x.go f "))
	}
	want := []string{
		"gate a && b || c", "gate a && b || c without a && b", "gate a && b || c without c", "gate a && b without a", "gate a && b without b", "gate d",
		"swap p.set(2) / p.y++", "swap p.x = 1 / p.set(2)",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := format.Source([]byte(text)); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
}
