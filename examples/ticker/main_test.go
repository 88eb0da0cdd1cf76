package main

import (
	"os"
	"strings"
	"testing"
)

// The output is that of the Python program of which this is the Go form.
func TestRun(t *testing.T) {
	want, err := os.ReadFile("../../asyncio/testdata/conformance/seeds/d000_03_async_iterator.out")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
