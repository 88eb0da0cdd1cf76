package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/analysistest"
)

// The programs of testdata say in comments what is found in them: in each wrong.go
// something, in each right.go nothing.
func TestRules(t *testing.T) { analyze(t) }

// In facts the comments name the facts, too.
func TestFacts(t *testing.T) {
	require.NotEmpty(t, analysistest.Run(t, testdata(t), Analyzer, folders(t, "facts/*")...))
}

func TestFlags(t *testing.T) { analyzeWithFlags(t) }

// all and allWithFlags are kept for the tests after the first that asks, as it takes
// seconds to load all that testdata imports.
var all, allWithFlags []*analysistest.Result

func analyze(t *testing.T) []*analysistest.Result {
	if all == nil {
		all = analysistest.Run(withoutFacts{t}, testdata(t), Analyzer, folders(t, "gl*", "ignore")...)
	}
	require.NotEmpty(t, all)
	return all
}

func analyzeWithFlags(t *testing.T) []*analysistest.Result {
	if allWithFlags == nil {
		withFiles, strict, withDeps = true, true, true
		defer func() { withFiles, strict, withDeps = false, false, false }()
		allWithFlags = analysistest.Run(withoutFacts{t}, testdata(t), Analyzer, folders(t, "flags/*")...)
	}
	require.NotEmpty(t, allWithFlags)
	return allWithFlags
}

// withoutFacts is for programs of which only the reports matter.
type withoutFacts struct{ *testing.T }

func (t withoutFacts) Errorf(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !strings.Contains(text, "unexpected fact: ") {
		t.T.Error(text)
	}
}

func testdata(t *testing.T) string {
	dir, err := filepath.Abs("../testdata")
	require.NoError(t, err)
	return dir
}

// folders are the patterns of the packages of testdata that names match.
func folders(t *testing.T, names ...string) (all []string) {
	for _, name := range names {
		found, err := filepath.Glob(filepath.Join(testdata(t), name))
		require.NoError(t, err)
		for _, dir := range found {
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				all = append(all, "."+strings.TrimPrefix(dir, testdata(t)))
			}
		}
	}
	return all
}
