package rules

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/tools/go/analysis"
)

var (
	withFiles bool
	strict    bool
	withDeps  bool
)

// page describes the rules, each below a heading that begins with its ID.
const page = "https://github.com/go-greenlet/greenlet/blob/main/docs/asyncvet.md"

// Analyzer reports what the rules of All find. Its flags: files adds GL109; strict
// has GL201 also outside of loops; deps follows calls into other modules, and
// reports much that is brief. It keeps facts, so it must see the packages that a
// package imports, first.
var Analyzer = &analysis.Analyzer{
	Name: "asyncvet",
	Doc: "find what programs of package asyncio do wrong\n\n" +
		"It looks for calls that block the loop, locks held across a wait, errors and tasks that are dropped,\n" +
		"and waits where no task is. A line is exempt with a comment //asyncvet:ignore RULE REASON.",
	URL:       page,
	Run:       run,
	FactTypes: []analysis.Fact{(*blocks)(nil), (*needsTask)(nil)},
}

func init() {
	Analyzer.Flags.BoolVar(&withFiles, "files", false, "report reads and writes of files, too (GL109)")
	Analyzer.Flags.BoolVar(&strict, "strict", false, "report dropped errors of waits outside of loops, too (GL201)")
	Analyzer.Flags.BoolVar(&withDeps, "deps", false, "follow calls into other modules, too")
}

// blocks is the fact that a function blocks its goroutine.
type blocks struct {
	Rule, What, Instead string
	Where               string // file:line
	Module              string
}

// needsTask is the fact that a function calls what only a task may call.
type needsTask struct {
	What string // what it calls
}

func (*blocks) AFact()              {}
func (*needsTask) AFact()           {}
func (b *blocks) String() string    { return fmt.Sprintf("blocks: %s %s", b.Rule, b.What) }
func (n *needsTask) String() string { return "needs a task: " + n.What }

// A checker looks at one package.
type checker struct {
	*analysis.Pass
	units   []*unit
	byFunc  map[*types.Func]*unit
	byLit   map[*ast.FuncLit]*unit
	vars    variables
	given   []given
	ignores ignores
	told    map[token.Pos]bool
	served  map[types.Object]bool // handlers that package httpd is given
	virtual map[*ast.FuncLit]bool // bodies of tests on virtual time
}

// given is a function that another one was given to run.
type given struct {
	pos   token.Pos
	fn    *types.Func // of another package
	unit  *unit       // of this one
	place place
	by    string
}

func run(pass *analysis.Pass) (any, error) {
	if !worthALook(pass) {
		return nil, nil
	}
	c := &checker{
		Pass:    pass,
		byFunc:  make(map[*types.Func]*unit),
		byLit:   make(map[*ast.FuncLit]*unit),
		vars:    findVariables(pass),
		told:    make(map[token.Pos]bool),
		served:  make(map[types.Object]bool),
		virtual: make(map[*ast.FuncLit]bool),
	}
	c.ignores = findIgnores(pass)
	c.findUnits()
	for _, u := range c.units {
		c.findServed(u)
	}
	for _, u := range c.units {
		c.collect(u)
	}
	c.collectOutside()
	c.findProtocols()
	c.settle()
	c.export()
	for _, u := range c.units {
		c.judge(u)
	}
	c.judgeGiven()
	c.judgeGivenPlace()
	c.judgeIgnores()
	return nil, nil
}

// worthALook reports whether pass is of code that could run on a loop, and that its
// reader can change: not of the standard library, nor of a module that was
// downloaded, but with -deps. In this library's own core what blocks and waits is
// what waits are made of.
//
// It does not ask which module is the main one, because go vet keeps what it has
// found of a package, whoever imports it next.
func worthALook(pass *analysis.Pass) bool {
	path := strings.TrimSuffix(pass.Pkg.Path(), "_test")
	switch m := pass.Module; {
	case len(pass.Files) == 0, m == nil && isStandard(path), m != nil && (m.Path == "" || m.Path == "std"):
		return false
	}
	if file := pass.Fset.Position(pass.Files[0].Pos()).Filename; !withDeps && downloaded.MatchString(file) {
		return false
	}
	rest, ours := strings.CutPrefix(path+"/", library+"/")
	if !ours {
		return true
	}
	folder, _, _ := strings.Cut(rest, "/")
	switch folder {
	case "examples", "bench", "tools", "asyncvet":
		return true
	}
	return rest == "asyncio/httpd/"
}

// downloaded matches the files of the module cache, and of vendor folders.
var downloaded = regexp.MustCompile(`@v\d|[/\\]vendor[/\\]`)

// isStandard reports whether the package at path is of the standard library, for
// drivers that do not say.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && first != "main" && first != "command-line-arguments"
}

// report tells of a fault at pos, once, unless the line is exempt from the rule.
func (c *checker) report(pos token.Pos, rule, format string, args ...any) {
	if c.told[pos] || c.ignores.cover(c.Fset, pos, rule) {
		return
	}
	c.told[pos] = true
	c.Pass.Report(analysis.Diagnostic{
		Pos:      pos,
		Category: rule,
		Message:  rule + ": " + fmt.Sprintf(format, args...),
		URL:      page + "#" + strings.ToLower(rule),
	})
}

// where is where pos is, for people.
func (c *checker) where(pos token.Pos) string {
	at := c.Fset.Position(pos)
	return fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Line)
}
