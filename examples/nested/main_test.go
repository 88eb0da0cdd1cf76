package main

import (
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

func TestRun(t *testing.T) {
	const want = `  begins 1
  begins 2
  begins 3
  ends 3
  ends 2
  ends 1
gather [1 2 3]
  begins 1
  begins 2
  begins 3
  ends 3
  ends 2
  ends 1
wait [1 2 3]
  begins 1
  begins 2
  begins 3
  ends 3
  ends 2
  ends 1
as completed [3 2 1]
`
	var out strings.Builder
	if err := run(&out, asyncio.WithClock(asynciotest.NewClock())); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
