package main

import (
	"errors"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `streams
   hello
   is anybody there?
   bye
protocol
   hello
   is anybody there?
   bye
net.Conn
   hello
   is anybody there?
   bye
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
