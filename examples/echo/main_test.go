package main

import (
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
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
