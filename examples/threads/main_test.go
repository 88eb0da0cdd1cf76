package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `page 0, page 1, page 2, page 3, page 4, page 5, page 6, page 7
8 pages, 4 at a time
the last one: asyncio: timeout
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
