package asyncio_test

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestParity holds PARITY.md to the names of CPython's asyncio, which are in
// testdata, and to those of the package.
func TestParity(t *testing.T) {
	table, err := os.ReadFile("PARITY.md")
	require.NoError(t, err)
	python := pythonNames(t)
	for _, offence := range parityOffences(string(table), python, exportsOf(t, ".", "../sched")) {
		t.Error(offence)
	}
	for _, offence := range changeOffences(string(table)) {
		t.Error(offence)
	}
}

// A table that is wrong is found out, in every way in which one can be.
func TestParityFails(t *testing.T) {
	small := newExports()
	small.file("", parse(t, `package asyncio
		type base struct{ hidden int }
		func (b *base) Done() bool { return true }
		type Future[T any] struct{ base; Value T; hidden int }
		func NewFuture[T any]() *Future[T] { return nil }
		func (f *Future[T]) Error() string { return "" }
		const First = 1`))
	python := map[string]string{"Future": "", "Future.done": "", "FIRST": "3.14", "run": ""}
	const good = "| `Future` | `Future`, `NewFuture` | |\n" +
		"| `Future.done` | `Future.Done` | | 3.15 |\n" +
		"| `FIRST` | `First` | | 3.14 |\n" +
		"| `run` | none | no need |\n" +
		"## Additions\n" +
		"| `Future.Value` | a field |\n"
	if bad := parityOffences(good, python, small); len(bad) > 0 {
		t.Errorf("the good table: %q", bad)
	}
	for what, change := range map[string][2]string{
		"a Python name is missing":      {"| `run` | none | no need |\n", ""},
		"a Python name is unknown":      {"`run`", "`walk`"},
		"a Python name comes twice":     {"| `run` |", "| `Future` | planned | |\n| `run` |"},
		"a Go name does not exist":      {"`First`", "`Last`"},
		"a method does not exist":       {"`Future.Done`", "`Future.Undone`"},
		"an addition does not exist":    {"`Future.Value`", "`Future.Values`"},
		"none without a reason":         {"no need", ""},
		"nothing said":                  {"`First`", ""},
		"a function is not listed":      {", `NewFuture`", ""},
		"a field is not listed":         {"| `Future.Value` | a field |\n", ""},
		"an addition without a purpose": {"a field", ""},
		"a new name is taken for old":   {"| 3.14 |", "|"},
		"a new name is of later":        {"| 3.14 |", "| 3.15 |"},
		"since no version":              {"3.15", "now"},
		"since a version that is old":   {"3.15", "3.12"},
	} {
		if len(parityOffences(strings.Replace(good, change[0], change[1], 1), python, small)) == 0 {
			t.Errorf("goes unnoticed: %s", what)
		}
	}
}

// Of what has changed, too.
func TestChangesFail(t *testing.T) {
	const good = "| 3.14 | it is quicker to tell | the same | TestParity |\n| 3.15 | threads | none: no threads | |\n"
	if bad := changeOffences(good); len(bad) > 0 {
		t.Errorf("the good table: %q", bad)
	}
	for what, change := range map[string][2]string{
		"a version that is old":    {"3.14", "3.13"},
		"nothing said of Python":   {"threads", ""},
		"nothing said of Go":       {"the same", ""},
		"none without a reason":    {"none: no threads", "none"},
		"a test that is not one":   {"TestParity", "by hand"},
		"versions are in disorder": {"3.14", "3.16"},
	} {
		if len(changeOffences(strings.Replace(good, change[0], change[1], 1))) == 0 {
			t.Errorf("goes unnoticed: %s", what)
		}
	}
	if len(changeOffences("no table")) == 0 {
		t.Error("that there is no table goes unnoticed")
	}
}

// laterThan313 is a version that a row of since may name.
var laterThan313 = regexp.MustCompile(`^3\.(1[4-9]|[2-9]\d)$`)

// changeOffences looks at the table of changes without a name. Its last column
// cites tests, and a law of the module holds that they exist.
func changeOffences(table string) (offences []string) {
	offend := func(format string, args ...any) { offences = append(offences, fmt.Sprintf(format, args...)) }
	last := ""
	for _, line := range strings.Split(table, "\n") {
		if !strings.HasPrefix(line, "| 3.") {
			continue
		}
		row := cellsOf(line, 4)
		switch since, python, here, heldBy := row[0], row[1], row[2], row[3]; {
		case !laterThan313.MatchString(since):
			offend("%q: the version is not later than 3.13", line)
		case since < last:
			offend("%q: a change of %s after those of %s", line, since, last)
		case python == "" || here == "" || here == "none":
			offend("%q: not a word of what has changed, or why not here", line)
		case heldBy != "" && !strings.HasPrefix(heldBy, "Test"):
			offend("%q: held by no test", line)
		}
		last = row[0]
	}
	if last == "" {
		offend("there is no table of changes")
	}
	return offences
}

// pythonNames reads the list of CPython's names, and since which version there is
// each, if that is later than 3.13.
func pythonNames(t *testing.T) map[string]string {
	names := make(map[string]string)
	since := ""
	f, err := os.Open(filepath.Join("testdata", "names.txt"))
	require.NoError(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if heading, is := strings.CutPrefix(line, "# "); is {
			if since = ""; laterThan313.MatchString(heading) {
				since = heading
			}
		} else if line != "" && line[0] != '#' {
			names[line] = since
		}
	}
	return names
}

var inTicks = regexp.MustCompile("`([^`]+)`")

func parityOffences(table string, python map[string]string, have *exports) (offences []string) {
	offend := func(format string, args ...any) { offences = append(offences, fmt.Sprintf(format, args...)) }
	rows := make(map[string]bool)
	listed := make(map[string]bool)
	list := func(in, cell string) {
		for _, m := range inTicks.FindAllStringSubmatch(cell, -1) {
			name := m[1]
			if of, all := strings.CutSuffix(name, ".*"); all {
				for _, where := range have.members(of) {
					listed[where] = true
				}
				name = of
			}
			if where := have.declared(name); where != "" {
				listed[where] = true
			} else {
				offend("%s: the package has no %s", in, name)
			}
		}
	}

	table, additions, _ := strings.Cut(table, "\n## Additions\n")
	for _, row := range tableRows(table, 4) {
		name := strings.Trim(row[0], "`")
		brought, known := python[name]
		switch since := row[3]; {
		case rows[name]:
			offend("%s comes twice", name)
		case !known:
			offend("%s is no name of Python's", name)
		case since != "" && !laterThan313.MatchString(since):
			offend("%s: %q is no version later than 3.13", name, since)
		case brought != "" && since != brought:
			offend("%s is there since %s, not %q", name, brought, since)
		case row[1] == "none" && row[2] == "":
			offend("%s: none, without a reason", name)
		case row[1] != "none" && row[1] != "planned" && !inTicks.MatchString(row[1]):
			offend("%s: nothing is said about it", name)
		}
		rows[name] = true
		list(name, row[1])
	}
	for name := range python {
		if !rows[name] {
			offend("%s has no row", name)
		}
	}
	for _, row := range tableRows(additions, 2) {
		if row[1] == "" {
			offend("%s: an addition, without a word what for", row[0])
		}
		list("additions", row[0])
	}
	for where, name := range have.all() {
		if !listed[where] {
			offend("%s is in the package, and neither in a row nor among the additions", name)
		}
	}
	slices.Sort(offences)
	return offences
}

// tableRows returns the cells of the rows that begin with a name.
func tableRows(text string, columns int) (rows [][]string) {
	for _, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		rows = append(rows, cellsOf(line, columns))
	}
	return rows
}

// cellsOf returns the cells of a row.
func cellsOf(line string, columns int) []string {
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i, c := range cells {
		cells[i] = strings.TrimSpace(c)
	}
	for len(cells) < columns {
		cells = append(cells, "")
	}
	return cells
}

// exports are the names that a package exports, and where each is declared: a
// method may be that of a type which is embedded.
type exports struct {
	names map[string]bool            // of functions, variables, constants and types
	types map[string]map[string]bool // the methods and fields that each type declares
	inner map[string][]string        // the types that each type embeds, or stands for
}

func newExports() *exports {
	return &exports{
		names: make(map[string]bool),
		types: make(map[string]map[string]bool),
		inner: make(map[string][]string),
	}
}

// exportsOf reads the packages in folders: of the first one what it exports, of
// the others what types of the first one stand for.
func exportsOf(t *testing.T, dirs ...string) *exports {
	e := newExports()
	for i, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal("no files in ", dir, err)
		}
		prefix := ""
		if i > 0 {
			prefix = filepath.Base(dir) + "."
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			e.file(prefix, parse(t, string(text)))
		}
	}
	return e
}

func parse(t *testing.T, text string) *ast.File {
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	require.NoError(t, err)
	return f
}

// file adds what f declares; prefix tells names of other packages apart.
func (e *exports) file(prefix string, f *ast.File) {
	name := func(id *ast.Ident) {
		if id.IsExported() && prefix == "" {
			e.names[id.Name] = true
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				name(d.Name)
			} else {
				e.member(prefix+typeName(d.Recv.List[0].Type), d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						name(id)
					}
				case *ast.TypeSpec:
					name(spec.Name)
					e.typ(prefix, spec)
				}
			}
		}
	}
}

func (e *exports) typ(prefix string, spec *ast.TypeSpec) {
	of := prefix + spec.Name.Name
	var fields *ast.FieldList
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		fields = typ.Fields
	case *ast.InterfaceType:
		fields = typ.Methods
	default:
		if spec.Assign.IsValid() {
			e.embed(of, prefix, typ)
		}
		return
	}
	for _, field := range fields.List {
		for _, id := range field.Names {
			e.member(of, id)
		}
		if len(field.Names) == 0 {
			e.embed(of, prefix, field.Type)
		}
	}
}

func (e *exports) member(of string, id *ast.Ident) {
	if !id.IsExported() {
		return
	}
	if e.types[of] == nil {
		e.types[of] = make(map[string]bool)
	}
	e.types[of][id.Name] = true
}

func (e *exports) embed(in, prefix string, typ ast.Expr) {
	name := typeName(typ)
	if !strings.Contains(name, ".") {
		name = prefix + name
	}
	e.inner[in] = append(e.inner[in], name)
}

// typeName is the name of a type without its parameters.
func typeName(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.Ident:
		return typ.Name
	case *ast.StarExpr:
		return typeName(typ.X)
	case *ast.IndexExpr:
		return typeName(typ.X)
	case *ast.IndexListExpr:
		return typeName(typ.X)
	case *ast.SelectorExpr:
		return typeName(typ.X) + "." + typ.Sel.Name
	}
	return "?"
}

// declared returns where a name of the package is declared, or nothing if there
// is no such name.
func (e *exports) declared(name string) string {
	of, member, is := strings.Cut(name, ".")
	switch {
	case !is && e.names[name]:
		return name
	case is && e.names[of]:
		return e.members(of)[member]
	}
	return ""
}

// members returns the methods and fields of a type, and where each is declared.
func (e *exports) members(of string) map[string]string {
	all := make(map[string]string)
	for _, inner := range e.inner[of] {
		for m, where := range e.members(inner) {
			all[m] = where
		}
	}
	for m := range e.types[of] {
		all[m] = of + "." + m
	}
	return all
}

// customary are methods that need no word: everybody knows what they are for.
var customary = []string{"Error", "Is", "As", "Unwrap", "PyName", "String"}

// all returns where everything is declared, and the name of each.
func (e *exports) all() map[string]string {
	all := make(map[string]string)
	for name := range e.names {
		all[name] = name
		for m, where := range e.members(name) {
			if !slices.Contains(customary, m) {
				all[where] = name + "." + m
			}
		}
	}
	return all
}
