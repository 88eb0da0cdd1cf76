package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `one by one
  SELECT authors [10]
  SELECT authors [11]
  SELECT authors [12]
  SELECT authors [10]
  SELECT cities [1]
  SELECT cities [2]
  SELECT cities [1]
  SELECT cities [1]
  On stacks, by Ann in Bern
  On queues, by Bob in Oslo
  On trees, by Cem in Bern
  On heaps, by Ann in Bern
with a loader
  SELECT authors [10 11 12]
  SELECT cities [1 2]
  On stacks, by Ann in Bern
  On queues, by Bob in Oslo
  On trees, by Cem in Bern
  On heaps, by Ann in Bern
8 queries, and 2
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
