package main

import (
	"strings"
	"testing"
)

const want = `the ordinary order:
  ann: 80 of 100 wanted
  ann: paid, 20 left
  ben: 50 of 20 wanted
  fine
54 of 100 seeds fail, the first is 1; to run it again: -seed=1
seed 1:
  ann: 80 of 100 wanted
  ben: 50 of 100 wanted
  ann: paid, 20 left
  ben: paid, -30 left
  overdrawn: -30
`

func TestRun(t *testing.T) {
	var out, again strings.Builder
	for _, w := range []*strings.Builder{&out, &again} {
		if err := run(w, 0); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
	if again.String() != out.String() {
		t.Errorf("two runs differ:\n%s\n%s", &out, &again)
	}
}
