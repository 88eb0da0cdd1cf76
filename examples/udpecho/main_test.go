package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `one comes back as one (number 1)
two comes back as two (number 2)
three comes back as three (number 3)
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
