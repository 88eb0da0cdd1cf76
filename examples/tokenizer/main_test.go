package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

func TestRun(t *testing.T) {
	const want = `a loop:
  open    "(", line 2
  word    "define", line 2
  open    "(", line 2
  word    "greet", line 2
  word    "name", line 2
  shut    ")", line 2
  open    "(", line 3
pulled:
    define
      greet
      name
      print
      hello, 
      name
pushed:
  < (def
  open    "(", line 1
  < ine x "a b
  word    "define", line 1
  word    "x", line 1
  <  c") y
  quoted  "a b c", line 1
  shut    ")", line 1
  < (
  word    "y", line 1
  no more
  open    "(", line 1
`
	var out strings.Builder
	run(&out)
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}

// However a text is cut, the tokens are the same.
func TestPushedPieces(t *testing.T) {
	defer greenlet.Close()

	const text = "(a \"b\n(\" ;c\n\n d)) \"e"
	want := slices.Collect(tokens(text))
	if last := want[len(want)-1]; last != (token{invalid, "e", 4}) {
		t.Errorf("the last token is %v", last)
	}
	for size := 1; size <= len(text); size++ {
		var got []token
		push, stop := pushed(func(t token) bool {
			got = append(got, t)
			return true
		})
		for piece := range slices.Chunk([]byte(text), size) {
			push(string(piece))
		}
		stop()
		if !slices.Equal(got, want) {
			t.Errorf("in pieces of %d: %v, want %v", size, got, want)
		}
	}
}

// Who has had enough is told no more.
func TestPushedEnough(t *testing.T) {
	defer greenlet.Close()

	var got []token
	push, stop := pushed(func(t token) bool {
		got = append(got, t)
		return len(got) < 2
	})
	defer stop()
	if !push("a ") || push("b c ") || push("d ") {
		t.Error("push does not report when no more is wanted")
	}
	if len(got) != 2 {
		t.Errorf("got %v", got)
	}
}
