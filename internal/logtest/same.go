// Package logtest compares what a program has logged with what it should have.
package logtest

import (
	"os"
	"strings"
	"testing"
)

// Same fails the test at the first line in which got is not what the file
// holds.
func Same(t testing.TB, file string, got []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	line := func(log []string, i int) string {
		if i < len(log) {
			return log[i]
		}
		return "(the log ends)"
	}
	for i := range max(len(want), len(got)) {
		if i < len(want) && i < len(got) && want[i] == got[i] {
			continue
		}
		before := strings.Join(want[max(0, i-3):min(i, len(want))], "\n  ")
		t.Fatalf("%s, line %d:\n  %s\n- %s\n+ %s", file, i+1, before, line(want, i), line(got, i))
	}
}
