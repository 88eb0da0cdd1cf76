package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `sums: 1 + 1? 2
sums: 2 * 3? 5
  (sums: 1)
capitals: France? Paris
capitals: Peru? no more of these
  (capitals: 1)
colours: of the sky? blue
  (colours: 1)
score: 3
sums: 1 + 1? goodbye
  (sums: 0)
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
