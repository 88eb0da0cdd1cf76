package main

import (
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out, 1000); err != nil {
		t.Fatal(err)
	}
	want := greenlet.Backend().String() + "\n1000 switches, "
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("got:\n%s\nwant it to begin:\n%s", &out, want)
	}
}
