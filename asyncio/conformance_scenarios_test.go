package asyncio_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScenarios makes sure that no scenario of testdata/conformance is forgotten:
// each is played by a test, or its README says what it waits for.
func TestScenarios(t *testing.T) {
	var there []string
	for _, out := range glob(t, "testdata/conformance/*/*.out") {
		there = append(there, scenarioName(out))
	}
	var played []string
	for _, test := range append(glob(t, "*_test.go"), glob(t, "../examples/*/*_test.go")...) {
		text, err := os.ReadFile(test)
		require.NoError(t, err)
		played = append(played, scenariosIn(parse(t, string(text)))...)
	}
	readme, err := os.ReadFile("testdata/conformance/README.md")
	require.NoError(t, err)
	waiting := make(map[string]string)
	for _, row := range tableRows(string(readme), 2) {
		if name := strings.Trim(row[0], "`"); scenarioPath.MatchString(name) {
			waiting[name] = row[1]
		}
	}
	for _, offence := range scenarioOffences(there, played, waiting) {
		t.Error(offence)
	}
}

// A scenario that is forgotten is found out, and so is what there is not.
func TestScenariosFail(t *testing.T) {
	program := parse(t, `package asyncio_test
		var _ = []scenario{{"asyncio/001_a", nil}, {name: "seeds/d000_01_b"}}
		var _ = scenario{"asyncio/002_c", nil}
		const file = "../../asyncio/testdata/conformance/seeds/d000_02_d.out"
		const log = "testdata/conformance/random/e.out"
		const other = "../../testdata/conformance/seeds/d000_03_x.out"
		const no = "asyncio/003_f"`)
	played := scenariosIn(program)
	want := []string{"asyncio/001_a", "seeds/d000_01_b", "asyncio/002_c", "seeds/d000_02_d", "random/e"}
	if !slices.Equal(played, want) {
		t.Fatalf("the program plays %q, want %q", played, want)
	}
	there := append(want, "asyncio/003_f")
	waiting := map[string]string{"asyncio/003_f": "sockets"}
	if bad := scenarioOffences(there, played, waiting); len(bad) > 0 {
		t.Errorf("nothing is wrong, and yet %q", bad)
	}
	for what, bad := range map[string][]string{
		"one is forgotten":          scenarioOffences(append(there, "asyncio/004_g"), played, waiting),
		"one is played and waits":   scenarioOffences(there, append(played, "asyncio/003_f"), waiting),
		"one waits for no reason":   scenarioOffences(there, played, map[string]string{"asyncio/003_f": ""}),
		"one that waits is unknown": scenarioOffences(want, played, waiting),
		"a played one is unknown":   scenarioOffences(there[1:], played, waiting),
	} {
		if len(bad) == 0 {
			t.Errorf("goes unnoticed: %s", what)
		}
	}
}

func scenarioOffences(there, played []string, waiting map[string]string) (offences []string) {
	offend := func(format string, args ...any) { offences = append(offences, fmt.Sprintf(format, args...)) }
	for _, name := range there {
		need, waits := waiting[name]
		switch {
		case !waits && !slices.Contains(played, name):
			offend("%s: no test plays it, and the README does not say what it waits for", name)
		case waits && slices.Contains(played, name):
			offend("%s is played: the README need not list it", name)
		case waits && need == "":
			offend("%s waits for nothing", name)
		}
	}
	for _, name := range played {
		if !slices.Contains(there, name) {
			offend("%s is played, and there is no such log", name)
		}
	}
	for name := range waiting {
		if !slices.Contains(there, name) {
			offend("%s is in the README, and there is no such log", name)
		}
	}
	return offences
}

var scenarioPath = regexp.MustCompile(`^(asyncio|random|seeds)/\w+$`)

var versionOfLog = regexp.MustCompile(`\.3\.\d\d$`)

// scenarioName is the name of a scenario whose log is in a file.
func scenarioName(file string) string {
	file = strings.TrimSuffix(filepath.ToSlash(file), ".out")
	_, name, _ := strings.Cut(versionOfLog.ReplaceAllString(file, ""), "testdata/conformance/")
	return name
}

// scenariosIn returns the scenarios that a test file plays: those it makes a
// value of type scenario for, and those whose log it reads.
func scenariosIn(f *ast.File) (played []string) {
	text := func(e ast.Expr) string {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s, _ := strconv.Unquote(lit.Value)
			return s
		}
		return ""
	}
	add := func(name string) {
		if scenarioPath.MatchString(name) {
			played = append(played, name)
		}
	}
	var scenarios func(n *ast.CompositeLit, is bool)
	scenarios = func(n *ast.CompositeLit, is bool) {
		if list, ok := n.Type.(*ast.ArrayType); ok && isScenario(list.Elt) {
			for _, e := range n.Elts {
				if lit, ok := e.(*ast.CompositeLit); ok {
					scenarios(lit, true)
				}
			}
			return
		}
		if len(n.Elts) > 0 && (is || isScenario(n.Type)) {
			add(text(n.Elts[0]))
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			scenarios(n, false)
		case *ast.BasicLit:
			const folder = "testdata/conformance/"
			if s := text(n); strings.HasPrefix(s, folder) || strings.Contains(s, "asyncio/"+folder) {
				add(scenarioName(s))
			}
		}
		return true
	})
	return played
}

func isScenario(typ ast.Expr) bool {
	id, ok := typ.(*ast.Ident)
	return ok && id.Name == "scenario"
}

func glob(t *testing.T, pattern string) []string {
	files, err := filepath.Glob(filepath.FromSlash(pattern))
	if err != nil || len(files) == 0 {
		t.Fatal("no files: ", pattern, err)
	}
	return files
}
