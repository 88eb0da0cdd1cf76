package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `ann has heard
   * ann is here
   * bob is here
   * eve is here
   ann: hello, bob
   bob: hello, ann
   * eve is too slow
   * bob has left
bob has heard
   * bob is here
   * eve is here
   ann: hello, bob
   bob: hello, ann
   * eve is too slow
eve finds her connection closed
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
