package api

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the listings anew")

// TestListings: what users can import is what the files say.
func TestListings(t *testing.T) {
	got, err := listings(filepath.Join("..", ".."))
	require.NoError(t, err)
	require.Contains(t, got, "asyncio")
	known := make(map[string]bool)
	for name, lines := range got {
		file := strings.ReplaceAll("greenlet/"+name, "/", "_")
		file = strings.TrimSuffix(file, "_") + ".txt"
		known[file] = true
		text := strings.Join(lines, "\n") + "\n"
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
			continue
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		wanted := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
		for _, line := range missing(wanted, lines) {
			assert.Fail(t, "no longer there", "%s: %s", file, line)
		}
		for _, line := range missing(lines, wanted) {
			assert.Fail(t, "not in the listing", "%s: %s", file, line)
		}
	}
	files, err := filepath.Glob("*.txt")
	require.NoError(t, err)
	for _, file := range files {
		assert.True(t, known[file], "%s is of no package", file)
	}
}

// missing returns what of these is not among those.
func missing(these, those []string) (only []string) {
	there := make(map[string]bool)
	for _, line := range those {
		there[line] = true
	}
	for _, line := range these {
		if !there[line] {
			only = append(only, line)
		}
	}
	return only
}
