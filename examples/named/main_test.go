package main

import (
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

func TestRun(t *testing.T) {
	const want = `first: stone oven; not yet: 2
oven: bread
stone oven: pizza
broken oven: nothing came out
`
	var out strings.Builder
	if err := run(&out, asyncio.WithClock(asynciotest.NewClock())); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
