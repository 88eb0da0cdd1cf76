package rules

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/asyncvet.md anew")

const madeBegins, madeEnds = "<!-- made by asyncvet/rules -->\n", "<!-- end -->\n"

// The page about the rules shows each with the programs of testdata, and with what
// is reported of them.
func TestPage(t *testing.T) {
	const name = "../../docs/asyncvet.md"
	old, err := os.ReadFile(name)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(old), madeBegins)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, madeEnds)
	require.True(t, ok)

	said := make(map[string][]string) // what is reported of a file
	for _, r := range slices.Concat(analyze(t), analyzeWithFlags(t)) {
		for _, d := range r.Diagnostics {
			file := r.Pass.Fset.Position(d.Pos).Filename
			said[file] = append(said[file], d.Message)
		}
	}
	var made strings.Builder
	for _, r := range All {
		dir := filepath.Join(testdata(t), strings.ToLower(r.ID))
		if r.ID == "GL109" {
			dir = filepath.Join(testdata(t), "flags", "gl109")
		}
		fmt.Fprintf(&made, "\n### %s\n\n**%s.** %s\n", r.ID, r.Title, r.Why)
		wrong, first := program(t, filepath.Join(dir, "wrong.go"))
		fmt.Fprintf(&made, "\n```go\n%s```\n\n```text\n", wrong)
		require.NotEmpty(t, said[filepath.Join(dir, "wrong.go")], r.ID)
		for _, message := range said[filepath.Join(dir, "wrong.go")] {
			fmt.Fprintln(&made, atLine.ReplaceAllStringFunc(message, func(text string) string {
				n, _ := strconv.Atoi(strings.TrimPrefix(text, "at line "))
				return fmt.Sprint("at line ", n-first)
			}))
		}
		require.Empty(t, said[filepath.Join(dir, "right.go")], r.ID)
		right, _ := program(t, filepath.Join(dir, "right.go"))
		fmt.Fprintf(&made, "```\n\nRight:\n\n```go\n%s```\n", right)
	}
	page := before + madeBegins + made.String() + "\n" + madeEnds + after
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(page), 0o666))
		return
	}
	require.Equal(t, page, string(old), "go test -C asyncvet -run TestPage ./rules -update")
}

var (
	header = regexp.MustCompile(`(?s)^package \w+\n\n(import \(.*?\n\)\n\n)?`)
	wanted = regexp.MustCompile("[ \t]*// want .*")
	atLine = regexp.MustCompile(`at line \d+`)
)

// program is what is of interest in a file: without the package and the imports, of
// so many lines, and without what is wanted of the rules.
func program(t *testing.T, file string) (text string, skipped int) {
	all, err := os.ReadFile(file)
	require.NoError(t, err)
	top := header.FindString(string(all))
	require.NotEmpty(t, top, file)
	return wanted.ReplaceAllString(string(all)[len(top):], ""), strings.Count(top, "\n")
}
