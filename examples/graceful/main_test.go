package main

import (
	"errors"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `told to stop, with 5 requests in hand
a new client is turned away
stopped, with 0 requests in hand
client 0: 3 requests, 3 answers
client 1: 3 requests, 3 answers
client 2: 3 requests, 3 answers
client 3: 3 requests, 3 answers
client 4: 3 requests, 3 answers
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
