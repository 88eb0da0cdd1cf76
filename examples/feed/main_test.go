package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

func TestRun(t *testing.T) {
	const want = `a conversation:
  < <stream><mess
  < age>hello</message><mes
  message "hello"
  < sage>how are
  <  you?</message>
  message "how are you?"
  < </stream>
an archive:
  poem.txt, 3000 bytes
cut in the middle: unexpected EOF
something else: gzip: invalid header
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}

// However an archive is cut into pieces, what is in it is the same.
func TestPieces(t *testing.T) {
	defer greenlet.Close()

	archive, err := pack(map[string]string{"a": "hello"})
	if err != nil {
		t.Fatal(err)
	}
	for size := 1; size <= len(archive); size++ {
		var out strings.Builder
		files := NewFeed(func(r io.Reader) error { return list(&out, r) })
		for piece := range slices.Chunk(archive, size) {
			if n, err := files.Write(piece); n != len(piece) || err != nil {
				t.Fatalf("in pieces of %d: %d, %v", size, n, err)
			}
		}
		if err := files.Close(); err != nil || out.String() != "  a, 5 bytes\n" {
			t.Fatalf("in pieces of %d: %q, %v", size, &out, err)
		}
	}
}

// Who reads no more is not written to.
func TestEnds(t *testing.T) {
	defer greenlet.Close()

	broken := errors.New("broken")
	for _, c := range []struct{ err, first, later, end error }{
		{nil, nil, io.ErrClosedPipe, nil},
		{broken, broken, broken, broken},
	} {
		var got []byte
		f := NewFeed(func(r io.Reader) error {
			got = make([]byte, 3)
			io.ReadFull(r, got)
			return c.err
		})
		if _, err := io.WriteString(f, "ab"); err != nil {
			t.Error(err)
		}
		if _, err := io.WriteString(f, "cd"); err != c.first {
			t.Errorf("the Write after which nobody reads: %v, want %v", err, c.first)
		}
		if _, err := io.WriteString(f, "e"); err != c.later {
			t.Errorf("a later Write: %v, want %v", err, c.later)
		}
		if err := f.Close(); err != c.end || string(got) != "abc" {
			t.Errorf("%q, %v, want %v", got, err, c.end)
		}
	}
}
