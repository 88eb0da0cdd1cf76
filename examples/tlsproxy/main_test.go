package main

import (
	"errors"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `CLIENT 0 by TLS 1.3
CLIENT 1 by TLS 1.3
CLIENT 2 by TLS 1.3
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
