package main

import (
	"errors"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `one comes back as one (number 1)
two comes back as two (number 2)
three comes back as three (number 3)
`
	var out strings.Builder
	switch err := run(&out); {
	case errors.Is(err, errors.ErrUnsupported):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
