package greenlet_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"
)

var sourceLaws = []law{
	{"examples show their output", examplesShowOutput, []fstest.MapFS{
		oneFile("example_test.go", "func ExampleNew() { println() }"),
	}},
	{"exported names have docs", exportedNamesHaveDocs, []fstest.MapFS{
		oneFile("hub.go", "func Spin() {}"),
		oneFile("hub.go", "// T is documented.\ntype T int\nfunc (*T) Spin() {}"),
		oneFile("hub.go", "type T int"),
		oneFile("hub.go", "// T is documented.\ntype T struct { N int }"),
		oneFile("stack/pool.go", "const (\nA = 1 // documented\nB = 2\n)"),
		oneFile("stack/pool.go", "var V, W int"),
	}},
	{"aliases name their methods", aliasesNameTheirMethods, []fstest.MapFS{
		aliasOf("func (h *Handle) Cancel() {}", "Handle"),
		aliasOf("func (h *Handle[T]) Cancel() {}", "Handle", "T[int]"),
		aliasOf("type Timer struct{ *Handle }\nfunc (h *Handle) Cancel() {}", "Timer"),
		aliasOf("", "Handle", "Cancel()"),
		oneFile("asyncio/loop.go", "// T is a type.\ntype T = t\ntype t int\nfunc (t) Cancel() {}"),
		oneFile("asyncio/loop.go", `import "net"`+"\n// Conn is net's.\ntype Conn = net.Conn"),
	}},
	{"functions that leave by a jump are not inlined", jumpsAreNotInlined, []fstest.MapFS{
		oneFile("sched/task.go", "func f() error { return rt.ReturnError(nil) }"),
		oneFile("sched/task.go", "//go:noinline\nfunc f() error { defer g(); return rt.ReturnError(nil) }"),
		oneFile("sched/task.go", "//go:noinline\nfunc f() error { return func() error { return rt.ReturnError(nil) }() }"),
	}},
	{"tests of asyncio have a group", asyncioTestsAreGrouped, []fstest.MapFS{
		oneFile("asyncio/misc_test.go", ""),
		oneFile("asyncio/looping_test.go", ""),
		oneFile("asyncio/queue_lock_test.go", ""),
	}},
	{"tests that are cited exist", citedTestsExist, []fstest.MapFS{
		oneFile("switch.go", "// I1 Kept by slow. Tested by TestNothing."),
	}},
	{"ends are told from failures in one place", endsAreToldInOnePlace, []fstest.MapFS{
		oneFile("coro.go", "func f() { if errors.Is(err, Exit) { } }"),
		oneFile("asyncio/task.go", "func f() bool { return errors.Is(err, greenlet.ErrStop) }"),
		oneFile("asyncio/task.go", "func f() bool { return errors.Is(err, context.Canceled) }"),
		oneFile("asyncio/task.go", "func f() bool { var exit *SystemExit; return errors.As(err, &exit) }"),
		oneFile("asyncio/task.go", "func f() bool { _, ok := errors.AsType[*CancelledError](err); return ok }"),
	}},
	{"the assembly has one build line", oneBuildLine, []fstest.MapFS{
		buildLines("linux && gc", "", ""),
		buildLines("", "linux && gc", ""),
		buildLines("", "", "!(linux && gc)"),
		buildLines("", "", ""+theBuildLine),
	}},
	{"assembly holds no numbers", assemblyHoldsNoNumbers, []fstest.MapFS{
		asmFile("MOVQ 48(R14), R12"),
		asmFile("MOVQ 8(SI), DI"),
		asmFile("MOVQ (8)(SI), DI"),
		asmFile("MOVQ (2*8)(SI), DI"),
		asmFile("MOVQ const_gM+16(R14), R12"),
		asmFile("MOVL runtime·writeBarrier+4(SB), R9"),
		asmFile("MOVQ 16(SP), R9"),
		asmFile("MOVQ 0(R13)(R9*8), R9"),
		asmFile("CMPL R9, $4"),
		asmFile("MOVD $0x1000, R8"),
		asmFile("MOVB const_waitCoroutine, 176(R14) // not an offset(R14)"),
	}},
}

// An Example without an Output comment is compiled and never run.
func examplesShowOutput(t tree) (offences []string) {
	for _, f := range t.goFiles() {
		if !f.isTest() {
			continue
		}
		for _, example := range doc.Examples(f.ast) {
			if example.Output == "" && !example.EmptyOutput {
				offences = append(offences, fmt.Sprintf("%s: Example%s has no Output comment, so it never runs", f.path, example.Name))
			}
		}
	}
	return offences
}

// jumpsAreNotInlined holds the users of rt.ReturnError to what it asks: if they
// were inlined, or inside another function, they would leave one that still has
// things to do.
func jumpsAreNotInlined(t tree) (offences []string) {
	for _, f := range t.goFiles() {
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			var jumps, defers, closure bool
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					jumps = jumps || n.Sel.Name == "ReturnError"
				case *ast.DeferStmt:
					defers = true
				case *ast.FuncLit:
					closure = true
				}
				return true
			})
			if jumps && f.path != "switch_asm.go" && (defers || closure || fn.Doc == nil || !strings.HasSuffix(fn.Doc.List[len(fn.Doc.List)-1].Text, "//go:noinline")) {
				offences = append(offences, fmt.Sprintf("%s: %s leaves by rt.ReturnError: it must be //go:noinline, with no deferred call and no closure", f.path, fn.Name.Name))
			}
		}
	}
	return offences
}

// endErrors are those that say that something has ended or is to end, and types of
// such errors.
var endErrors = []string{"Exit", "ErrStop", "ErrStopEscaped", "ErrStopIteration", "ErrStopAsyncIteration", "ErrGeneratorExit",
	"ErrCancelled", "Canceled", "DeadlineExceeded", "ErrKeyboardInterrupt", "SystemExit", "CancelledError"}

// asyncioGroups are the groups of asyncio's test files: what each begins with, and
// what is tested there.
var asyncioGroups = map[string]string{
	"loop":        "loops, runs and runners, callbacks, debug mode, signals, interrupts, readers",
	"task":        "tasks and coroutines: cancel, kill, names, labels",
	"wait":        "what waits for several: Gather, Wait, AsCompleted, Shield, giving up, cancels that nobody hears",
	"taskgroup":   "TaskGroup",
	"timeout":     "Timeout and WaitFor",
	"sync":        "locks and what is like them, queues, pools",
	"asyncgen":    "async generators and iterators, context variables",
	"context":     "context managers and exit stacks",
	"errors":      "classes of errors, groups of exceptions",
	"thread":      "threads, executors, futures of other threads, channels",
	"subprocess":  "child processes",
	"process":     "pools of processes",
	"supervisor":  "RunProcesses",
	"workers":     "RunWorkers",
	"stream":      "StreamReader and StreamWriter",
	"server":      "servers",
	"transport":   "transports and protocols",
	"tls":         "TLS",
	"conn":        "net.Conn, net.Listener, Dial",
	"datagram":    "datagrams",
	"pipe":        "pipes",
	"sock":        "Socket",
	"sendfile":    "SendFile",
	"resolve":     "names and addresses",
	"network":     "the same tests over another network: portable, in memory, simulated",
	"sight":       "snapshots, call graphs, warnings, lost errors",
	"conformance": "what plays the programs that CPython ran",
	"parity":      "the table of Python's names",
	"helpers":     "what several groups use, TestMain",
	"export":      "what tests see of the package's inside",
	"first":       "the example of the package",
}

func asyncioTestsAreGrouped(t tree) (offences []string) {
	for _, f := range t.goFiles() {
		if path.Dir(f.path) != "asyncio" || !f.isTest() {
			continue
		}
		group, _, _ := strings.Cut(path.Base(f.path), "_")
		if _, known := asyncioGroups[group]; !known {
			offences = append(offences, f.path+" begins with no group of asyncioGroups in rules_test.go")
		}
	}
	return offences
}

// endsAreToldInOnePlace holds the code to package internal/alone: errors.Is and
// errors.As see an end also where a failure was joined with it, which is lost then.
func endsAreToldInOnePlace(t tree) (offences []string) {
	for _, f := range t.goFiles() {
		switch topFolder(f.path) {
		case ".", "stack", "seqs", "greenlettest", "sched", "asyncio":
		default:
			continue
		}
		if f.isTest() {
			continue
		}
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			types := make(map[string]string) // of the function's variables
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					for _, name := range n.Names {
						types[name.Name] = lastName(n.Type)
					}
				case *ast.CallExpr:
					of := n.Fun
					index, generic := of.(*ast.IndexExpr)
					if generic {
						of = index.X
					}
					sel, ok := of.(*ast.SelectorExpr)
					if !ok || lastName(sel.X) != "errors" {
						break
					}
					var what string
					switch {
					case sel.Sel.Name == "Is" && len(n.Args) == 2:
						what = lastName(n.Args[1])
					case sel.Sel.Name == "As" && len(n.Args) == 2:
						what = types[lastName(n.Args[1])]
					case sel.Sel.Name == "AsType" && generic:
						what = lastName(index.Index)
					}
					if slices.Contains(endErrors, what) {
						offences = append(offences, fmt.Sprintf("%s: errors.%s finds %s also where it was joined with a failure; package alone tells them apart", f.path, sel.Sel.Name, what))
					}
				}
				return true
			})
		}
	}
	return offences
}

// lastName is the name that an expression ends with: of x, p.x, *x and &x.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.StarExpr:
		return lastName(e.X)
	case *ast.UnaryExpr:
		return lastName(e.X)
	}
	return ""
}

var (
	citation = regexp.MustCompile(`\bTest[A-Z]\w*`)
	testFunc = regexp.MustCompile(`(?m)^func (Test\w+)`)
)

// citedTestsExist holds the invariants, and whatever else cites a test as its
// witness, to tests that there are.
func citedTestsExist(t tree) (offences []string) {
	exists := make(map[string]bool)
	for _, f := range t {
		if f.isTest() {
			for _, m := range testFunc.FindAllStringSubmatch(f.text, -1) {
				exists[m[1]] = true
			}
		}
	}
	for _, f := range t {
		if f.isTest() || !slices.Contains([]string{".go", ".s", ".md"}, path.Ext(f.path)) {
			continue
		}
		for _, name := range citation.FindAllString(f.text, -1) {
			if !exists[name] {
				offences = append(offences, fmt.Sprintf("%s cites %s, which is no test", f.path, name))
			}
		}
	}
	return offences
}

// exportedNamesHaveDocs looks at what users import.
func exportedNamesHaveDocs(t tree) (offences []string) {
	for _, f := range t.goFiles() {
		switch topFolder(f.path) {
		case ".", "stack", "seqs", "greenlettest", "sched", "asyncio":
		default:
			continue
		}
		if f.isTest() || f.ast.Name.Name == "main" {
			continue
		}
		for _, name := range undocumented(f.ast) {
			offences = append(offences, fmt.Sprintf("%s: %s has no doc comment", f.path, name))
		}
	}
	return offences
}

func undocumented(f *ast.File) (names []string) {
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || receiver(d).IsExported()) {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if d.Doc == nil && s.Doc == nil && s.Name.IsExported() {
						names = append(names, s.Name.Name)
					}
					if st, ok := s.Type.(*ast.StructType); ok && s.Name.IsExported() {
						names = append(names, undocumentedFields(s.Name.Name, st)...)
					}
				case *ast.ValueSpec:
					alone := len(d.Specs) == 1 && d.Doc != nil
					if !alone && s.Doc == nil && s.Comment == nil {
						names = append(names, exported(s.Names)...)
					}
				}
			}
		}
	}
	return names
}

// undocumentedFields returns the exported fields without a comment. One above
// several lines of fields is for all of them.
func undocumentedFields(of string, st *ast.StructType) (names []string) {
	line := func(n ast.Node) int { return fset.Position(n.Pos()).Line }
	covered := 0 // the last line that a comment above speaks for
	for _, field := range st.Fields.List {
		if field.Doc != nil || line(field) == covered+1 {
			covered = line(field)
			continue
		}
		if field.Comment == nil {
			for _, name := range exported(field.Names) {
				names = append(names, of+"."+name)
			}
		}
	}
	return names
}

func receiver(d *ast.FuncDecl) (name *ast.Ident) {
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == nil {
			name = id
		}
		return true
	})
	return name
}

func exported(ids []*ast.Ident) (names []string) {
	for _, id := range ids {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	return names
}

// aliasesNameTheirMethods: documentation shows no methods of an alias for a type of
// another package, or for one that is not exported. So its comment has them, each in a line
// of its own that is indented. Nor does it show those of types from outside the module,
// whose methods this law does not know: an exported alias has none such.
func aliasesNameTheirMethods(t tree) (offences []string) {
	types := t.types()
	for _, f := range t.goFiles() {
		if f.isTest() || f.ast.Name.Name == "main" {
			continue
		}
		for _, decl := range f.ast.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range d.Specs {
				s, ok := spec.(*ast.TypeSpec)
				if !ok || !s.Assign.IsValid() || !s.Name.IsExported() {
					continue
				}
				of, known := f.named(s.Type)
				if !known {
					offences = append(offences, fmt.Sprintf("%s: %s is a type from outside the module, whose methods nobody sees here", f.path, s.Name.Name))
				}
				if path.Dir(of) == path.Dir(f.path) && ast.IsExported(path.Base(of)) {
					continue // they are shown there
				}
				comment := s.Doc
				if comment == nil {
					comment = d.Doc
				}
				var named []string
				for _, line := range regexp.MustCompile(`(?m)^\t(\w+)\(`).FindAllStringSubmatch(comment.Text(), -1) {
					named = append(named, line[1])
				}
				slices.Sort(named)
				if has := types.methods(of); !slices.Equal(named, has) {
					offences = append(offences, fmt.Sprintf("%s: the comment of %s names the methods %q, the type has %q", f.path, s.Name.Name, named, has))
				}
			}
		}
	}
	return offences
}

// named returns which type e names, as its folder and its name, or "" if it names none;
// known is false if it is one from outside the module.
func (f *file) named(e ast.Expr) (of string, known bool) {
	switch e := e.(type) {
	case *ast.Ident:
		return path.Join(path.Dir(f.path), e.Name), true
	case *ast.StarExpr:
		return f.named(e.X)
	case *ast.IndexExpr:
		return f.named(e.X)
	case *ast.IndexListExpr:
		return f.named(e.X)
	case *ast.SelectorExpr:
		for _, spec := range f.ast.Imports {
			pkg := strings.Trim(spec.Path.Value, `"`)
			name := path.Base(pkg)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			if id, ok := e.X.(*ast.Ident); ok && id.Name == name && hasPrefix(pkg, []string{module}) {
				return path.Join(strings.TrimPrefix(pkg+"/", module+"/"), e.Sel.Name), true
			}
		}
		return "", false
	}
	return "", true
}

// declaredTypes are, by folder and name, the exported methods of types and the types that they
// embed.
type declaredTypes map[string]*struct{ methods, embeds []string }

func (t tree) types() declaredTypes {
	all := make(declaredTypes)
	at := func(f *file, name string) *struct{ methods, embeds []string } {
		key := path.Join(path.Dir(f.path), name)
		if all[key] == nil {
			all[key] = new(struct{ methods, embeds []string })
		}
		return all[key]
	}
	for _, f := range t.goFiles() {
		if f.isTest() {
			continue
		}
		for _, decl := range f.ast.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && d.Name.IsExported() {
					of := at(f, receiver(d).Name)
					of.methods = append(of.methods, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					s, _ := spec.(*ast.TypeSpec)
					if s == nil {
						continue
					}
					if st, ok := s.Type.(*ast.StructType); ok {
						for _, field := range st.Fields.List {
							if embedded, _ := f.named(field.Type); len(field.Names) == 0 {
								of := at(f, s.Name.Name)
								of.embeds = append(of.embeds, embedded)
							}
						}
					}
				}
			}
		}
	}
	return all
}

// methods returns the names of the exported methods that a type has, sorted.
func (all declaredTypes) methods(of string) (names []string) {
	if t := all[of]; t != nil {
		names = slices.Clone(t.methods)
		for _, embedded := range t.embeds {
			names = append(names, all.methods(embedded)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// aliasOf is a tree in which asyncio has an alias for a type of sched, with a comment that
// names methods.
func aliasOf(declarations, name string, methods ...string) fstest.MapFS {
	text := `import "github.com/go-greenlet/greenlet/sched"` + "\n// " + name + " is sched's.\n"
	for _, m := range methods {
		text += "//\n//\t" + m + "\n"
	}
	tree := oneFile("asyncio/loop.go", text+"type "+name+" = sched."+name)
	tree["sched/handle.go"] = &fstest.MapFile{Data: []byte("package sched\ntype Handle int\n" + declarations)}
	return tree
}

// theBuildLine says where the assembly switch is built in. Files for one
// architecture say that by their names.
const (
	theBuildLine = "linux && !android && (amd64 || arm64) && theRest"
	builtIn      = "internal/rt/switch_built.go"
)

var goBuild = regexp.MustCompile(`(?m)^//go:build (.*)$`)

// oneBuildLine holds the constraint of every file of the assembly switch, and
// of its replacements, against the one in switch_built.go.
func oneBuildLine(t tree) (offences []string) {
	var all string
	for _, f := range t {
		if f.path == builtIn {
			all = buildLine(f)
		}
	}
	if !strings.HasPrefix(all, "linux && !android && (amd64 || arm64) && ") {
		return []string{builtIn + " does not have the build line that is expected"}
	}
	one := strings.Replace(all, "(amd64 || arm64) && ", "", 1)
	for _, f := range t {
		dir, name := path.Split(f.path)
		if dir != "" && dir != "internal/rt/" || f.isTest() || !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".s") {
			continue
		}
		// What reads a goroutine is built wider than what switches.
		if dir != "" && (strings.HasPrefix(name, "layout_") || strings.HasPrefix(name, "getg") || strings.HasPrefix(name, "number")) {
			continue
		}
		stem := strings.TrimSuffix(name, path.Ext(name))
		got := buildLine(f)
		var want []string
		switch {
		case strings.HasSuffix(stem, "_amd64"), strings.HasSuffix(stem, "_arm64"):
			want = []string{one, all}
		case strings.HasSuffix(stem, "_none"):
			want = []string{"!(" + all + ")"}
			// Of what only one architecture has.
			for _, arch := range []string{"amd64", "arm64"} {
				want = append(want, "!("+strings.Replace(all, "(amd64 || arm64)", arch, 1)+")")
			}
		case got == "", strings.HasSuffix(got, "greenlet_invariants"):
			continue
		default:
			want = []string{all}
		}
		if !slices.Contains(want, got) {
			offences = append(offences, fmt.Sprintf("%s: build line is %q, want %q", f.path, got, want[0]))
		}
	}
	return offences
}

func buildLine(f *file) string {
	if m := goBuild.FindStringSubmatch(f.text); m != nil {
		return m[1]
	}
	return ""
}

var (
	register = `(AX|BX|CX|DX|SI|DI|BP|SP|SB|FP|PC|TLS|g|ZR|RSP|[RXVF]\d+)`
	memory   = regexp.MustCompile(`(\([^()]*[+*-][^()]*\)|\(\d\w*\)|[^\s,;()]*)\(` + register + `\)(\([^()]*\))?`)
	number   = regexp.MustCompile(`\$-?\(?\d\w*`)

	fieldOffset = regexp.MustCompile(`^(-?const_[a-zA-Z]\w*|\(const_[a-zA-Z]\w*\+[48]\)|[a-zA-Z]+_[a-zA-Z]+)?$`)
	stackOffset = regexp.MustCompile(`^[08]?$`)
	argument    = regexp.MustCompile(`^[a-z]+\+\d+$`)
	symbol      = regexp.MustCompile(`^\$?(runtime)?·[a-zA-Z_]\w*(\+0)?$|^\$·(parked|paused)Text\+[14]$|^·(parked|paused)Text\+1$`)
	freeNumber  = regexp.MustCompile(`^\$[018]$`)

	// Lines in which a number is no operand: directives, and instructions that
	// are spelt as bytes.
	directive = regexp.MustCompile(`^\s*(TEXT|GLOBL|DATA|BYTE|WORD|#define \w+ WORD|PCALIGN)\b`)
)

// assemblyHoldsNoNumbers makes sure that where the runtime keeps something is
// said by a constant of the layout table or by a Go struct, never in digits.
func assemblyHoldsNoNumbers(t tree) (offences []string) {
	for _, f := range t {
		if path.Ext(f.path) != ".s" {
			continue
		}
		for i, line := range strings.Split(f.text, "\n") {
			code, _, _ := strings.Cut(line, "//")
			complain := func(what string) {
				offences = append(offences, fmt.Sprintf("%s:%d: %s: %s", f.path, i+1, what, strings.TrimSpace(line)))
			}
			for _, m := range memory.FindAllStringSubmatch(code, -1) {
				offset, base, index := m[1], m[2], m[3]
				var allowed bool
				switch base {
				case "SB":
					allowed = symbol.MatchString(offset)
				case "FP": // vet compares it with the Go declaration
					allowed = argument.MatchString(offset)
				case "SP", "RSP", "BP", "R29":
					allowed = stackOffset.MatchString(offset)
				default:
					allowed = fieldOffset.MatchString(offset) || index == "(TLS*1)" && offset == "0"
				}
				if !allowed {
					complain("offset in digits")
				}
				// Thread-local storage is the one thing that is indexed.
				if index != "" && index != "(TLS*1)" && index != "(R27)" {
					complain("index in digits")
				}
			}
			if directive.MatchString(code) {
				continue
			}
			for _, n := range number.FindAllString(code, -1) {
				if !freeNumber.MatchString(n) {
					complain("number")
				}
			}
		}
	}
	return offences
}

// buildLines is a tree in which three files of the assembly switch have the
// given build lines, or the right ones.
func buildLines(goFile, asmFile, none string) fstest.MapFS {
	or := func(line, right string) *fstest.MapFile {
		if line == "" {
			line = right
		}
		return &fstest.MapFile{Data: []byte("//go:build " + line + "\n\npackage p\n")}
	}
	return fstest.MapFS{
		builtIn:          or("", theBuildLine),
		"switch_asm.go":  or(goFile, theBuildLine),
		"switch_amd64.s": or(asmFile, strings.Replace(theBuildLine, "(amd64 || arm64) && ", "", 1)),
		"switch_none.go": or(none, "!("+theBuildLine+")"),
	}
}

func asmFile(line string) fstest.MapFS {
	return fstest.MapFS{"switch_amd64.s": {Data: []byte("TEXT ·f(SB), NOSPLIT, $0-0\n\t" + line + "\n")}}
}
