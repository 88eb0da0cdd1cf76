package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `CLIENT 0 by TLS 1.3
CLIENT 1 by TLS 1.3
CLIENT 2 by TLS 1.3
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
