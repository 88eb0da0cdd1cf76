package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `0 1 1 2 3 5 8 are 7 numbers
144 is the first above 100
those from there to a million add up to 2177932
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
