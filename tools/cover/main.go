// Command cover says which statements of the module its tests run, in all builds
// together: with the assembly, with the generic switch chosen at start, with
// -tags purego and with -tags portable. It prints a table by package and, of the
// packages in which every statement must be run or have a reason, those that have
// neither. The reasons are in known.txt, the table is in coverage.txt.
//
//	make cover               compares; some minutes
//	make cover COVER=-write  writes both files, keeping the reasons
//
// What runs by chance only, as the collector or another processor would have it,
// has a line of known.txt, too, which is no error when it was run.
package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/cover"
)

const module = "github.com/go-greenlet/greenlet"

// whole are the packages of which every statement is looked at.
var whole = []string{"", "stack", "sched"}

// A run is one way to build and run the tests of some packages.
type run struct {
	flags    string
	env      string
	packages string
}

var runs = []run{
	{"", "", ". ./stack ./seqs ./sched ./asyncio/..."},
	{"", "GREENLET_BACKEND=generic", ". ./stack ./sched"},
	{"-tags=purego", "", ". ./stack ./sched"},
	{"-tags=portable", "", "./asyncio/... ./sched"},
}

const listed = ". ./stack ./seqs ./sched ./internal/... ./asyncio/..."

func main() {
	write := flag.Bool("write", false, "write coverage.txt and known.txt")
	flag.Parse()
	if err := look(*write); err != nil {
		fmt.Fprintln(os.Stderr, "cover:", err)
		os.Exit(1)
	}
}

func look(write bool) error {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	all, err := covered(root)
	if err != nil {
		return err
	}
	text := table(all)
	fmt.Print(text)
	known, err := readKnown()
	if err != nil {
		return err
	}
	missed := make(map[string]bool)
	for _, b := range all {
		if b.times == 0 && slices.Contains(whole, b.folder()) {
			id, err := b.id(root)
			if err != nil {
				return err
			}
			missed[id] = true
		}
	}
	if write {
		return writeAll(text, missed, known)
	}
	failed := false
	for _, id := range slices.Sorted(maps.Keys(missed)) {
		if _, is := known[id]; !is {
			fmt.Printf("no test runs it, and there is no reason: %s\n", id)
			failed = true
		}
	}
	if failed {
		return fmt.Errorf("write a test, or a reason in known.txt: see -write")
	}
	return nil
}

// A block is a run of statements in all profiles together.
type block struct {
	file       string // in the module
	line, col  int
	statements int
	times      int
}

func (b *block) folder() string {
	return strings.TrimSuffix(strings.TrimPrefix(path.Dir(b.file), "."), "/")
}

// covered runs the tests, and returns the blocks of all packages.
func covered(root string) ([]*block, error) {
	dir, err := os.MkdirTemp("", "cover")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	blocks := make(map[string]*block)
	for i, r := range runs {
		fmt.Fprintf(os.Stderr, "run %d of %d: %s %s %s\n", i+1, len(runs), r.env, r.flags, r.packages)
		profile := filepath.Join(dir, fmt.Sprint(i))
		args := []string{"test", "-count=1", "-timeout=20m", "-coverpkg=" + strings.ReplaceAll(listed, " ", ","), "-coverprofile=" + profile}
		args = append(append(args, strings.Fields(r.flags)...), strings.Fields(r.packages)...)
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env, cmd.Stderr = root, append(os.Environ(), r.env), os.Stderr
		if out, err := cmd.Output(); err != nil {
			return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
		found, err := cover.ParseProfiles(profile)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			file := strings.TrimPrefix(p.FileName, module+"/")
			for _, b := range p.Blocks {
				key := fmt.Sprintf("%s:%d.%d", file, b.StartLine, b.StartCol)
				if blocks[key] == nil {
					blocks[key] = &block{file: file, line: b.StartLine, col: b.StartCol, statements: b.NumStmt}
				}
				blocks[key].times += b.Count
			}
		}
	}
	return slices.SortedFunc(maps.Values(blocks), func(a, b *block) int {
		return cmp.Or(cmp.Compare(a.file, b.file), a.line-b.line, a.col-b.col)
	}), nil
}

// table is how much of each package is run.
func table(all []*block) string {
	statements, run := make(map[string]int), make(map[string]int)
	for _, b := range all {
		statements[b.folder()] += b.statements
		if b.times > 0 {
			run[b.folder()] += b.statements
		}
	}
	var out strings.Builder
	for _, folder := range slices.Sorted(maps.Keys(statements)) {
		n, of := run[folder], statements[folder]
		fmt.Fprintf(&out, "%-28s %5.1f %%\n", cmp.Or(folder, "(root)"), 100*float64(n)/float64(of))
	}
	return out.String()
}

// id names a block by its file, its function and its first line, which stay when
// lines above it come and go.
func (b *block) id(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, b.file))
	if err != nil {
		return "", err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, b.file, text, 0)
	if err != nil {
		return "", err
	}
	in := ""
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && set.Position(fn.Pos()).Line <= b.line && b.line <= set.Position(fn.End()).Line {
			in = fn.Name.Name
		}
	}
	line := strings.TrimSpace(strings.Split(string(text), "\n")[b.line-1])
	return b.file + " " + in + ": " + line, nil
}

const (
	knownFile = "known.txt"
	tableFile = "coverage.txt"
	knownHead = `# Statements that no test runs, and why: the file, the function, the line with which
# the statements begin, a tab, and the reason.
`
)

func readKnown() (map[string]string, error) {
	known := make(map[string]string)
	text, err := os.ReadFile(knownFile)
	if os.IsNotExist(err) {
		return known, nil
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, ok := strings.Cut(line, "\t")
		if !ok || reason == "" {
			return nil, fmt.Errorf("%s: no reason: %s", knownFile, line)
		}
		known[id] = reason
	}
	return known, err
}

// writeAll writes the table and the list. Reasons are kept, also of what was run
// this time and may not be the next.
func writeAll(table string, missed map[string]bool, known map[string]string) error {
	for id := range missed {
		if known[id] == "" {
			known[id] = "?"
		}
	}
	var b bytes.Buffer
	b.WriteString(knownHead)
	for _, id := range slices.Sorted(maps.Keys(known)) {
		fmt.Fprintf(&b, "%s\t%s\n", id, known[id])
	}
	if err := os.WriteFile(knownFile, b.Bytes(), 0o666); err != nil {
		return err
	}
	return os.WriteFile(tableFile, []byte(table), 0o666)
}
