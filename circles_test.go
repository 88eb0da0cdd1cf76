//go:build linux && amd64

package greenlet_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A circle is files of a package of which each needs, directly or by others, all
// the others: none of them can be read, or moved, alone. Its size says how much
// somebody must know who changes one file.
//
// File A needs file B if A names something that B declares at package level: a
// type, function, variable or constant, a method, or a field of a struct. So a
// method (*Loop).M in m.go needs loop.go; that is no circle before loop.go, or
// something which it needs, names M or what else m.go declares.

// circleLimits is how large the largest circle of a package may be, on linux/amd64
// without tags. A limit that is lower now is lowered here; one that would have to
// be higher is a reason to look for a place below where the files meet.
var circleLimits = map[string]int{
	"asyncio": 10,
	"sched":   8,
}

func TestCircles(t *testing.T) {
	exports := exportData(t)
	for pkg, limit := range circleLimits {
		t.Run(pkg, func(t *testing.T) {
			largest := circles(needs(t, pkg, exports))[0]
			assert.LessOrEqual(t, len(largest), limit, "the largest circle is %v", largest)
		})
	}
}

func TestCirclesOfKnownGraphs(t *testing.T) {
	found := circles(map[string]map[string]bool{
		"a": {"b": true},
		"b": {"c": true, "e": true},
		"c": {"a": true, "d": true},
		"d": {"f": true},
		"e": {"b": true},
		"f": {"d": true},
		"g": {"a": true, "d": true},
	})
	assert.Equal(t, [][]string{{"a", "b", "c", "e"}, {"d", "f"}, {"g"}}, found)
}

// exportData returns the files with what the packages export that ours import.
func exportData(t *testing.T) map[string]string {
	command := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}")
	for pkg := range circleLimits {
		command.Args = append(command.Args, "./"+pkg)
	}
	out, err := command.Output()
	if err != nil {
		t.Skipf("go list -export: %v", err)
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[name] = file
	}
	return files
}

// needs returns which files of a package need which.
func needs(t *testing.T, pkg string, exports map[string]string) map[string]map[string]bool {
	fset := token.NewFileSet()
	out, err := exec.Command("go", "list", "-f", `{{join .GoFiles "\n"}}`, "./"+pkg).Output()
	require.NoError(t, err)
	var files []*ast.File
	for _, name := range strings.Fields(string(out)) {
		file, err := parser.ParseFile(fset, filepath.Join(pkg, name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		file := exports[path]
		if file == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(file)
	})}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	self, err := config.Check(module+"/"+pkg, fset, files, info)
	require.NoError(t, err)

	fileOf := func(at token.Pos) string { return filepath.Base(fset.Position(at).Filename) }
	graph := make(map[string]map[string]bool)
	for _, file := range files {
		graph[fileOf(file.Package)] = make(map[string]bool)
	}
	for use, of := range info.Uses {
		if of.Pkg() != self || !of.Pos().IsValid() {
			continue
		}
		if from, to := fileOf(use.Pos()), fileOf(of.Pos()); from != to {
			graph[from][to] = true
		}
	}
	return graph
}

// circles returns the strongly connected components of a graph, the largest first.
func circles(graph map[string]map[string]bool) (all [][]string) {
	reached := make(map[string]map[string]bool)
	for from := range graph {
		seen := map[string]bool{from: true}
		for next := []string{from}; len(next) > 0; {
			at := next[0]
			next = next[1:]
			for to := range graph[at] {
				if !seen[to] {
					seen[to] = true
					next = append(next, to)
				}
			}
		}
		reached[from] = seen
	}
	done := make(map[string]bool)
	for _, file := range slices.Sorted(maps.Keys(graph)) {
		if done[file] {
			continue
		}
		var circle []string
		for to := range reached[file] {
			if reached[to][file] {
				circle = append(circle, to)
				done[to] = true
			}
		}
		slices.Sort(circle)
		all = append(all, circle)
	}
	slices.SortStableFunc(all, func(a, b []string) int { return len(b) - len(a) })
	return all
}
