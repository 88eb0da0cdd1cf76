package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `soon 1
soon 2
later 3
the task has a result <nil>
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
