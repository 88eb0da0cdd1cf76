package main

import (
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

func TestRun(t *testing.T) {
	const want = `ordered soup
ordered roast
ordered salad
ordered fish
ann has made soup
ordered cake
ann has made salad
bob has made roast
ann has made fish
bob has made cake
ann goes home
bob goes home
`
	var out strings.Builder
	if err := run(&out, asyncio.WithClock(asynciotest.NewClock())); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
