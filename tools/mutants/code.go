package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// The mutants of Go code. All of a file's are in one text: each is a condition on
// which mutant the program is to be.

// An edit replaces a part of a file.
type edit struct {
	begin, end int
	text       string
}

type goFile struct {
	name    string
	source  string
	tokens  *token.File
	edits   []edit
	mutants []*mutant
	number  func() int
	word    string // tells which mutant it is to be
	swaps   bool

	function string
	seen     map[string]int
}

// apply is the file's text from begin to end, with all edits so far.
func (f *goFile) apply(begin, end int) string {
	slices.SortFunc(f.edits, func(a, b edit) int { return cmp.Compare(a.begin, b.begin) })
	var b strings.Builder
	at := begin
	for _, e := range f.edits {
		if e.begin >= begin && e.end <= end {
			b.WriteString(f.source[at:e.begin] + e.text)
			at = e.end
		}
	}
	return b.String() + f.source[at:end]
}

// replace adds an edit, in place of those inside it.
func (f *goFile) replace(n ast.Node, text string) {
	begin, end := f.span(n)
	f.edits = slices.DeleteFunc(f.edits, func(e edit) bool { return e.begin >= begin && e.end <= end })
	f.edits = append(f.edits, edit{begin, end, text})
}

func (f *goFile) span(n ast.Node) (begin, end int) {
	return f.tokens.Offset(n.Pos()), f.tokens.Offset(n.End())
}

func (f *goFile) text(n ast.Node) string {
	begin, end := f.span(n)
	return f.source[begin:end]
}

// add makes a mutant; drop is the part of the source that is what it does not do.
func (f *goFile) add(n ast.Node, what, instead string) int {
	id := f.function + " " + strings.Join(strings.Fields(what), " ")
	f.seen[id]++
	if k := f.seen[id]; k > 1 {
		id += fmt.Sprintf(" #%d", k)
	}
	begin, end := f.span(n)
	m := &mutant{n: f.number(), id: id, file: f.name, line: f.tokens.Line(n.Pos()), goCode: true}
	if instead != "" {
		m.source = f.source[:begin] + instead + f.source[end:]
	}
	f.mutants = append(f.mutants, m)
	return m.n
}

// goMutants makes the mutants of a file: every condition of an if, a for and a case is
// dropped, and every part of one; and neighbouring statements are swapped.
func goMutants(name, source string, number func() int) (mutated string, mutants []*mutant, err error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		return "", nil, err
	}
	f := &goFile{name: name, source: source, tokens: set.File(tree.Pos()), number: number, word: "mutant", seen: make(map[string]int)}
	if tree.Name.Name == "rt" {
		f.word = "Mutant"
	}
	for _, d := range tree.Decls {
		fn, is := d.(*ast.FuncDecl)
		if !is || fn.Body == nil || !protocol(name, fn.Name.Name) {
			continue
		}
		f.function = name + " " + fn.Name.Name
		f.walk(fn.Body)
	}
	return f.apply(0, len(source)), f.mutants, nil
}

// protocol reports whether a function is a part of the protocol of the switch and
// of claims.
func protocol(file, function string) bool {
	if only := parts[file]; only != nil {
		return slices.Contains(only, function)
	}
	return true
}

// parts are the functions that matter of files of which not all do.
var parts = map[string][]string{
	"carrier.go": {"entry", "leavesShort", "leave", "depart", "route", "post", "send", "address", "expected", "sinks", "landed", "enroll", "arrive"},
	"pull.go":    {"Pull", "stepper", "run", "over", "yield", "step", "stop"},
}

// walk goes through a statement, what is inside first.
func (f *goFile) walk(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			f.gate(n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				f.gate(n.Cond)
			}
		case *ast.SwitchStmt:
			if n.Tag == nil {
				for _, c := range n.Body.List {
					for _, cond := range c.(*ast.CaseClause).List {
						f.gate(cond)
					}
				}
			}
		case *ast.ReturnStmt:
			for _, r := range n.Results {
				if b, is := r.(*ast.BinaryExpr); is && (b.Op == token.LAND || b.Op == token.LOR) {
					f.replace(r, f.parts(r))
				}
			}
		}
		return true
	})
	var lists []([]ast.Stmt)
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			lists = append(lists, n.List)
		case *ast.CaseClause:
			lists = append(lists, n.Body)
		}
		return true
	})
	slices.Reverse(lists) // the inner ones first
	for _, list := range lists {
		f.order(list)
	}
}

// gate drops a condition, or parts of it.
func (f *goFile) gate(cond ast.Expr) {
	n := f.add(cond, "gate "+f.text(cond), "false")
	f.replace(cond, fmt.Sprintf("(%s != %d && (%s))", f.word, n, f.parts(cond)))
}

// parts drops the operands of && and ||.
func (f *goFile) parts(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return "(" + f.parts(e.X) + ")"
	case *ast.BinaryExpr:
		if e.Op != token.LAND && e.Op != token.LOR {
			break
		}
		side := func(x ast.Expr) string {
			if b, is := x.(*ast.BinaryExpr); is && b.Op == e.Op {
				return f.parts(x)
			}
			what := fmt.Sprintf("gate %s without %s", f.text(e), f.text(x))
			if e.Op == token.LAND {
				return fmt.Sprintf("(%s == %d || (%s))", f.word, f.add(x, what, "true"), f.parts(x))
			}
			return fmt.Sprintf("(%s != %d && (%s))", f.word, f.add(x, what, "false"), f.parts(x))
		}
		return side(e.X) + " " + e.Op.String() + " " + side(e.Y)
	}
	return f.text(e)
}

// publishes is what others wait for or look at: of two stores one must be such for
// their order to matter.
var publishes = regexp.MustCompile(`\bset\(|\batomic\.|\.Store\(|\bgoready\(|\.hub = |\bhub = |\.running = |<-|\bdonate\(|\bwake\(|\bkillAbandoned\(`)

// order swaps the neighbours of a list.
func (f *goFile) order(list []ast.Stmt) {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = f.apply(f.span(s))
	}
	numbers := make([]int, len(list)) // of the mutant that swaps i and i+1
	for i := range len(list) - 1 {
		if f.movable(list[i]) && f.movable(list[i+1]) && publishes.MatchString(f.text(list[i])+f.text(list[i+1])) {
			numbers[i] = f.add(list[i], fmt.Sprintf("swap %s / %s", f.text(list[i]), f.text(list[i+1])), "")
		}
	}
	for i, s := range list {
		text := texts[i]
		if i > 0 && numbers[i-1] != 0 {
			text = fmt.Sprintf("if %s != %d { %s }", f.word, numbers[i-1], text)
		}
		if numbers[i] != 0 {
			text = fmt.Sprintf("if %s == %d { %s }; %s", f.word, numbers[i], texts[i+1], text)
		}
		if text != texts[i] {
			f.replace(s, text)
		}
	}
}

// movable reports whether s is a store, or something that may be one for others.
func (f *goFile) movable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok != token.ASSIGN {
			return false
		}
	case *ast.ExprStmt, *ast.IncDecStmt:
	case *ast.IfStmt:
		if s.Init != nil || s.Else != nil {
			return false
		}
	default:
		return false
	}
	ok := true
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.ReturnStmt, *ast.BranchStmt, *ast.GoStmt, *ast.SwitchStmt, *ast.ForStmt:
			ok = false
		case *ast.CallExpr:
			switch fn := n.Fun.(type) {
			case *ast.Ident:
				ok = ok && fn.Name != "panic"
			case *ast.SelectorExpr:
				switch fn.Sel.Name {
				case "Lock", "Unlock", "KeepAlive", "Gosched", "Goexit":
					ok = false
				}
			}
		}
		return ok
	})
	return ok
}
