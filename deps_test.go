package greenlet_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// The laws of this tree: what a review would otherwise have to look for each
// time. A law that is in the way is discussed, not widened to fix a build.
//
// Each law comes with small trees that break it, so that a law which cannot
// fail is a failing test.

// A law names what in a tree breaks it.
type law struct {
	name   string
	check  func(tree) []string
	broken []fstest.MapFS
}

func TestLaws(t *testing.T) {
	here, err := readTree(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range slices.Concat(dependencyLaws, sourceLaws, []law{citedLaw}) {
		t.Run(l.name, func(t *testing.T) {
			for _, offence := range l.check(here) {
				t.Error(offence)
			}
			for i, files := range l.broken {
				bad, err := readTree(files)
				if err != nil {
					t.Fatal(err)
				}
				if len(l.check(bad)) == 0 {
					t.Errorf("broken tree %d goes unnoticed", i)
				}
			}
		})
	}
}

var dependencyLaws = []law{
	{"imports go down", importsGoDown, []fstest.MapFS{
		oneFile("stack/pool.go", `import "github.com/go-greenlet/greenlet"`),
		oneFile("internal/rt/g.go", `import "github.com/go-greenlet/greenlet/stack"`),
		oneFile("hub_test.go", `import "github.com/go-greenlet/greenlet/sched"`),
		oneFile("examples/basic/main.go", `import "github.com/go-greenlet/greenlet/bench"`),
		oneFile("manager/manager.go", ``),
		oneFile("hub.go", `import "golang.org/x/sys/unix"`),
		oneFile("hub.go", `import "github.com/stretchr/testify/require"`),
	}},
	{"floors import what is below", floorsImportBelow, []fstest.MapFS{
		oneFile("asyncio/internal/fd/gate.go", `import "github.com/go-greenlet/greenlet"`),
		oneFile("asyncio/internal/fd/gate.go", `import "github.com/go-greenlet/greenlet/asyncio"`),
		oneFile("asyncio/internal/poll/poll.go", ``),
	}},
	{"unsafe is fenced in", unsafeIsFencedIn, []fstest.MapFS{
		oneFile("hub.go", `import "unsafe"`),
		oneFile("hub_test.go", `import _ "unsafe"`),
	}},
	{"linkname has one file", linknameHasOneFile, []fstest.MapFS{
		oneFile("internal/rt/park.go", "//go:linkname park runtime.park_m\nfunc park()"),
	}},
	{"no machine's paths", noMachinePaths, []fstest.MapFS{
		{"README.md": {Data: []byte("run it in /" + "root/go")}},
		oneFile("hub.go", `const home = "/`+`home/me"`),
	}},
}

// rank orders the folders: a package imports its own folder and those of a
// lower rank.
var rank = map[string]int{
	"internal":     0,
	"stack":        1,
	".":            2, // package greenlet
	"seqs":         3,
	"greenlettest": 3,
	"sched":        4,
	"asyncio":      5,
	"asyncvet":     6,
	"cmd":          6,
	"examples":     6,
	"bench":        6,
	"tools":        6,
}

const module = "github.com/go-greenlet/greenlet"

// mayImport lists what the folders below the programs may import from outside
// the module and the standard library.
var mayImport = map[string][]string{
	"internal": {"golang.org/x/sys"},
	"sched":    {"golang.org/x/sys"},
	"asyncio":  {"golang.org/x/sys"},
}

// testsMayImport lists what all tests may import, too.
var testsMayImport = []string{"github.com/stretchr/testify"}

func importsGoDown(t tree) (offences []string) {
	for _, f := range t.goFiles() {
		from := topFolder(f.path)
		fromRank, known := rank[from]
		if !known {
			offences = append(offences, fmt.Sprintf("%s: folder %s has no rank", f.path, from))
			continue
		}
		// A test from outside its package may use greenlets as users do.
		if strings.HasSuffix(f.ast.Name.Name, "_test") {
			fromRank = max(fromRank, rank["."]+1)
		}
		for _, imported := range f.imports() {
			inside, ours := strings.CutPrefix(imported+"/", module+"/")
			if ours {
				to := topFolder(inside)
				if toRank, known := rank[to]; to != from && (!known || toRank >= fromRank) {
					offences = append(offences, fmt.Sprintf("%s imports upwards: %s", f.path, imported))
				}
				continue
			}
			if strings.HasSuffix(f.path, "_test.go") && hasPrefix(imported, testsMayImport) {
				continue
			}
			domain, _, _ := strings.Cut(imported, "/")
			if strings.Contains(domain, ".") && fromRank < rank["examples"] && !hasPrefix(imported, mayImport[from]) {
				offences = append(offences, fmt.Sprintf("%s imports from outside: %s", f.path, imported))
			}
		}
	}
	return offences
}

// floors lists what the floors inside a folder may import of the module: what they
// must not know is above them.
var floors = map[string][]string{
	"asyncio/internal/fd":        {"sched", "internal/sys"},
	"asyncio/internal/known":     {},
	"asyncio/internal/printable": {},
}

func floorsImportBelow(t tree) (offences []string) {
	for _, f := range t.goFiles() {
		dir := path.Dir(f.path)
		below, known := floors[dir]
		if !known {
			if strings.Contains(dir, "/internal/") && topFolder(dir) == "asyncio" {
				offences = append(offences, fmt.Sprintf("%s: floor %s has no list of what it may import", f.path, dir))
			}
			continue
		}
		if f.isTest() {
			continue
		}
		for _, imported := range f.imports() {
			if inside, ours := strings.CutPrefix(imported+"/", module+"/"); ours && !hasPrefix(strings.TrimSuffix(inside, "/"), below) {
				offences = append(offences, fmt.Sprintf("%s knows what is above its floor: %s", f.path, imported))
			}
		}
	}
	return offences
}

func unsafeIsFencedIn(t tree) (offences []string) {
	for _, f := range t.goFiles() {
		dir, name := path.Split(f.path)
		if dir == "internal/rt/" || dir == "internal/sys/" || dir == "stack/" || dir == "" && strings.HasPrefix(name, "switch") {
			continue
		}
		for _, imported := range f.imports() {
			if imported == "unsafe" {
				offences = append(offences, f.path+" imports unsafe")
			}
		}
	}
	return offences
}

func linknameHasOneFile(t tree) (offences []string) {
	for _, f := range t.goFiles() {
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//go:linkname ") && f.path != "internal/rt/linkname.go" {
					offences = append(offences, fmt.Sprintf("%s: %s", f.path, c.Text))
				}
			}
		}
	}
	return offences
}

// The last word of each is apart so that this file is no offence itself.
var machinePath = regexp.MustCompile(`(^|[^\w.*)])/(` + `work|root|home|farm` + `)/`)

func noMachinePaths(t tree) (offences []string) {
	for _, f := range t {
		for i, line := range strings.Split(f.text, "\n") {
			if machinePath.MatchString(line) {
				offences = append(offences, fmt.Sprintf("%s:%d: a path of one machine: %s", f.path, i+1, line))
			}
		}
	}
	return offences
}

// A tree is the files of a module, nested modules included.
type tree []*file

type file struct {
	path string
	text string
	ast  *ast.File // of a Go file
}

var fset = token.NewFileSet()

func readTree(fsys fs.FS) (tree, error) {
	var t tree
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == ".git" {
				return fs.SkipDir
			}
			return err
		}
		if d.Name() == ".git" { // in a worktree it is a file
			return nil
		}
		data, err := fs.ReadFile(fsys, path)
		if err != nil {
			return err
		}
		f := &file{path: path, text: string(data)}
		if strings.HasSuffix(path, ".go") {
			if f.ast, err = parser.ParseFile(fset, path, data, parser.ParseComments|parser.SkipObjectResolution); err != nil {
				return err
			}
		}
		t = append(t, f)
		return nil
	})
	return t, err
}

func (t tree) goFiles() (files []*file) {
	for _, f := range t {
		if f.ast != nil {
			files = append(files, f)
		}
	}
	return files
}

func (f *file) imports() (paths []string) {
	for _, spec := range f.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

func (f *file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// topFolder returns the first folder of a path in the module.
func topFolder(name string) string {
	if top, _, nested := strings.Cut(name, "/"); nested {
		return top
	}
	return "."
}

func hasPrefix(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name+"/", p+"/") {
			return true
		}
	}
	return false
}

// oneFile is a tree of one Go file.
func oneFile(name, text string) fstest.MapFS {
	return fstest.MapFS{name: {Data: []byte("package p\n" + text + "\n")}}
}
