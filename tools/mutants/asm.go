package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The mutants of the assembly. Every entry is written out without macros, so that
// a gate that stands in a macro is a gate of each entry that uses it, and a mutant
// is a copy of the entry's text with one thing changed.

// An instruction of an entry. A label is one without an operation.
type instruction struct {
	label string
	op    string
	args  []string
	line  int    // where it stands in the source
	macro string // the innermost macro that it comes from, or ""
	id    int    // its number in the entry
}

func (in instruction) String() string {
	if in.label != "" {
		return in.label + ":"
	}
	return strings.TrimSpace(in.op + " " + strings.Join(in.args, ", "))
}

type entry struct {
	name string
	code []instruction
}

type macro struct {
	params []string
	body   []sourceLine
}

// A sourceLine is a statement of the source, without its comment.
type sourceLine struct {
	text string
	line int
}

var (
	defines  = regexp.MustCompile(`^#define\s+(\w+)(?:\(([^)]*)\))?\s*(.*)$`)
	begins   = regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	labelled = regexp.MustCompile(`^(\w+):\s*(.*)$`)
	calls    = regexp.MustCompile(`^(\w+)(?:\((.*)\))?$`)
	register = regexp.MustCompile(`\b(?:AX|BX|CX|DX|SI|DI|BP|SP|R\d+)\b`)
)

// parseAssembly finds the entries of an assembly file.
func parseAssembly(source string) []entry {
	macros := make(map[string]macro)
	var entries []entry
	var open string // the macro whose definition goes on
	for i, text := range strings.Split(source, "\n") {
		text, _, _ = strings.Cut(text, "//")
		text = strings.TrimSpace(text)
		goesOn := strings.HasSuffix(text, `\`)
		text = strings.TrimSpace(strings.TrimSuffix(text, `\`))
		if m := defines.FindStringSubmatch(text); m != nil {
			open = m[1]
			macros[open] = macro{params: fields(m[2])}
			text = m[3]
		}
		switch {
		case open != "":
			m := macros[open]
			for part := range strings.SplitSeq(text, ";") {
				m.body = append(m.body, sourceLine{strings.TrimSpace(part), i + 1})
			}
			macros[open] = m
			if !goesOn {
				open = ""
			}
		case begins.MatchString(text):
			entries = append(entries, entry{name: begins.FindStringSubmatch(text)[1]})
		case strings.HasPrefix(text, "DATA "), strings.HasPrefix(text, "GLOBL "):
		case len(entries) > 0:
			e := &entries[len(entries)-1]
			e.code = append(e.code, expand(macros, sourceLine{text, i + 1}, "")...)
		}
	}
	for _, e := range entries {
		for i := range e.code {
			e.code[i].id = i
		}
	}
	return entries
}

// expand is what a statement stands for.
func expand(macros map[string]macro, s sourceLine, inside string) (code []instruction) {
	if m := labelled.FindStringSubmatch(s.text); m != nil {
		return append([]instruction{{label: m[1], line: s.line, macro: inside}}, expand(macros, sourceLine{m[2], s.line}, inside)...)
	}
	if s.text == "" {
		return nil
	}
	if call := calls.FindStringSubmatch(s.text); call != nil {
		if m, is := macros[call[1]]; is {
			args := fields(call[2])
			for _, b := range m.body {
				for i, param := range m.params {
					b.text = regexp.MustCompile(`\b`+param+`\b`).ReplaceAllString(b.text, args[i])
				}
				code = append(code, expand(macros, b, call[1])...)
			}
			return code
		}
	}
	op, args, _ := strings.Cut(s.text, " ")
	return []instruction{{op: op, args: fields(args), line: s.line, macro: inside}}
}

// fields splits at commas.
func fields(s string) (all []string) {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	for f := range strings.SplitSeq(s, ",") {
		all = append(all, strings.TrimSpace(f))
	}
	return all
}

func (in instruction) dest() string {
	if len(in.args) == 0 {
		return ""
	}
	return in.args[len(in.args)-1]
}

// jumps reports whether it is a conditional jump.
func (in instruction) jumps() bool { return strings.HasPrefix(in.op, "J") && in.op != "JMP" }

// stores reports whether the order of it and other stores can be seen from
// outside: it writes memory, or a register that an unwinder begins with.
func (in instruction) stores() bool {
	switch {
	case in.op == "XCHGQ", in.op == "CMPXCHGL":
		return true
	case !strings.HasPrefix(in.op, "MOV"):
		return false
	}
	return strings.Contains(in.dest(), "(") || in.dest() == "BP"
}

// reads and writes are the registers.
func (in instruction) reads() map[string]bool {
	all := make(map[string]bool)
	for i, arg := range in.args {
		overwritten := i == len(in.args)-1 && !strings.Contains(arg, "(") && (strings.HasPrefix(in.op, "MOV") || strings.HasPrefix(in.op, "LEA"))
		if !overwritten {
			for _, r := range register.FindAllString(arg, -1) {
				all[r] = true
			}
		}
	}
	if in.op == "CMPXCHGL" {
		all["AX"] = true
	}
	return all
}

func (in instruction) writes() map[string]bool {
	all := make(map[string]bool)
	switch {
	case in.op == "XCHGQ":
		all[in.args[0]], all[in.args[1]] = true, true
	case in.op == "CMPXCHGL":
		all["AX"] = true
	case strings.HasPrefix(in.op, "CMP"), strings.HasPrefix(in.op, "TEST"):
	case in.dest() != "" && !strings.Contains(in.dest(), "("):
		all[in.dest()] = true
	}
	return all
}

// A step is what is moved as a whole: an instruction, or a compare-and-swap with
// what belongs to it, its operands, its jump and its loop.
type step struct {
	code  []instruction
	name  string
	store bool
	fixed bool // a label or a jump: nothing is moved past it
}

func union(code []instruction, of func(instruction) map[string]bool) map[string]bool {
	all := make(map[string]bool)
	for _, in := range code {
		maps.Copy(all, of(in))
	}
	return all
}

func meet(a, b map[string]bool) bool {
	for x := range a {
		if b[x] {
			return true
		}
	}
	return false
}

// steps groups an entry's code.
func steps(code []instruction) (all []step) {
	for i := 0; i < len(code); i++ {
		in := code[i]
		if in.op != "CMPXCHGL" {
			all = append(all, step{[]instruction{in}, in.String(), in.stores(), in.label != "" || strings.HasPrefix(in.op, "J")})
			continue
		}
		// Its operands come before it.
		begin := len(all)
		for begin > 0 && (all[begin-1].name == "LOCK" || strings.HasPrefix(all[begin-1].code[0].op, "MOVL") && !all[begin-1].store) {
			begin--
		}
		if begin > 0 && in.macro == "RELEASE" {
			begin-- // the label of its loop
		}
		end := i + 1
		for code[end-1].op != "JNE" && code[end-1].op != "JEQ" {
			end++
		}
		if in.macro == "RELEASE" {
			for code[end-1].label == "" {
				end++
			}
		}
		var unit []instruction
		for _, s := range all[begin:] {
			unit = append(unit, s.code...)
		}
		unit = append(unit, code[i:end]...)
		all = append(all[:begin], step{unit, in.String(), true, false})
		i = end - 1
	}
	return all
}

// swapped exchanges the store i and the next one, j: one of them is moved past
// the other and past what is between. It reports false where registers forbid it.
func swapped(all []step, i, j int) ([]step, bool) {
	first, second, between := all[i], all[j], []instruction(nil)
	for _, s := range all[i+1 : j] {
		if s.fixed {
			return nil, false
		}
		between = append(between, s.code...)
	}
	independent := func(moved, passed []instruction) bool {
		reads, writes := union(moved, instruction.reads), union(moved, instruction.writes)
		return !meet(reads, union(passed, instruction.writes)) && !meet(writes, union(passed, instruction.reads)) &&
			!meet(writes, union(passed, instruction.writes))
	}
	out := slices.Clone(all)
	switch {
	case independent(second.code, append(slices.Clone(first.code), between...)):
		return slices.Insert(slices.Delete(out, j, j+1), i, second), true
	case independent(first.code, append(slices.Clone(between), second.code...)):
		return slices.Delete(slices.Insert(out, j+1, first), i, i+1), true
	}
	return nil, false
}

func flat(all []step) (code []instruction) {
	for _, s := range all {
		code = append(code, s.code...)
	}
	return code
}

// short is a name without what is the same in all of them.
func short(s string) string {
	return strings.NewReplacer("const_", "", "pair_", "pair.", "hub_", "hub.", "Greenlet_", "Greenlet.").Replace(s)
}

// under is the last label before an instruction, with a colon.
func under(code []instruction, in instruction) string {
	label := ""
	for _, c := range code {
		if c.id == in.id {
			return label
		}
		if c.label != "" {
			label = c.label + ": "
		}
	}
	return ""
}

// assemblyMutants makes the mutants of a file.
func assemblyMutants(file, source string) (all []*mutant) {
	lines := strings.Split(source, "\n")
	for _, e := range parseAssembly(source) {
		seen := make(map[string]int)
		add := func(in instruction, what string, code []instruction, drops bool) {
			id := fmt.Sprintf("%s %s%s", e.name, under(e.code, in), short(what))
			seen[id]++
			if n := seen[id]; n > 1 {
				id += fmt.Sprintf(" #%d", n)
			}
			m := &mutant{id: id, file: file, line: in.line, entry: e.name, code: code}
			if drops {
				text := strings.Replace(lines[in.line-1], in.op, "NOP //", 1)
				m.source = strings.Join(slices.Concat(lines[:in.line-1], []string{text}, lines[in.line:]), "\n")
			}
			all = append(all, m)
		}
		for i, in := range e.code {
			without := func(by ...instruction) []instruction {
				return slices.Replace(slices.Clone(e.code), i, i+1, by...)
			}
			switch {
			case in.jumps(), in.op == "CMOVQNE":
				if e.code[i].op == "JEQ" && in.macro == "RELEASE" {
					continue // the loop's end, no gate
				}
				test := i - 1 // what has set the flags
				for strings.HasPrefix(e.code[test].op, "MOV") || e.code[test].jumps() {
					test--
				}
				add(in, fmt.Sprintf("gate %s; %s", e.code[test], in), without(), true)
			case in.macro == "GATES" && strings.HasPrefix(in.op, "MOV"):
				add(in, "gate "+in.String(), without(instruction{op: "XORL", args: []string{"R9", "R9"}}), true)
			case strings.HasPrefix(in.op, "OR") && in.dest() == "R9":
				what := in.String()
				if in.macro == "ALSO" {
					what = "ORL " + e.code[i-1].args[0] + ", R9"
				}
				add(in, "gate "+what, without(), true)
			}
		}
		all2 := steps(e.code)
		last := -1
		for j, s := range all2 {
			if !s.store {
				continue
			}
			if last >= 0 {
				if code, can := swapped(all2, last, j); can {
					add(all2[last].code[0], fmt.Sprintf("swap %s / %s", all2[last].name, s.name), flat(code), false)
				}
			}
			last = j
		}
	}
	return all
}

// mutatedAssembly is the source with a copy of an entry for each of its mutants
// and a table of where they are.
func mutatedAssembly(source string, mutants []*mutant) string {
	var b strings.Builder
	// The words with the entries' addresses will be written.
	b.WriteString(regexp.MustCompile(`(GLOBL ·\w+PC\(SB\), )RODATA\|`).ReplaceAllString(source, "$1"))
	for _, m := range mutants {
		if m.entry == "" {
			continue
		}
		fmt.Fprintf(&b, "\nTEXT ·m%d·%s(SB), NOSPLIT|NOFRAME, $0-0\n", m.n, m.entry)
		for _, in := range m.code {
			fmt.Fprintf(&b, "\t%s\n", in)
		}
		fmt.Fprintf(&b, "DATA ·mutantCode+%d(SB)/8, $·m%d·%s(SB)\n", 8*m.n, m.n, m.entry)
	}
	fmt.Fprintf(&b, "GLOBL ·mutantCode(SB), NOPTR, $%d\n", 8*(len(mutants)+1))
	return b.String()
}
