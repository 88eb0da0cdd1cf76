package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `has read LETTER
has read A B C
the loop went on meanwhile
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
