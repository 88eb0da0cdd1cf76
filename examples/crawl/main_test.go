package main

import (
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

func TestRun(t *testing.T) {
	const want = `/: 3 links
/news: server busy
/docs: 2 links
/docs/a: 2 links
/docs/b: server busy
/news: server busy
/about: asyncio: timeout
/docs/b: server busy
/about: 1 links
/news: 3 links
/lost: given up: not found
/docs/b: given up: server busy
`
	var out strings.Builder
	if err := run(&out, asyncio.WithClock(asynciotest.NewClock())); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
