// Tokenizer shows one scanner, written as plain functions that call for the
// next byte and hand out tokens, used three ways: by a loop over the tokens, by
// a recursive reader that pulls them, and by somebody who has only a piece of
// the text at a time and pushes it in.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-greenlet/greenlet"
)

func main() {
	run(os.Stdout)
}

const program = `; greets
(define (greet name)
  (print "hello, " name))`

func run(w io.Writer) {
	defer greenlet.Close()

	fmt.Fprintln(w, "a loop:")
	for t := range tokens(program) {
		fmt.Fprintln(w, " ", t)
		if t.line > 2 {
			break
		}
	}

	fmt.Fprintln(w, "pulled:")
	next, stop := greenlet.Pull(tokens(program))
	defer stop()
	outline(w, next, 1)

	fmt.Fprintln(w, "pushed:")
	push, end := pushed(func(t token) bool {
		fmt.Fprintln(w, " ", t)
		return true
	})
	defer end()
	for _, piece := range []string{`(def`, `ine x "a b`, ` c") y`, `(`} {
		fmt.Fprintf(w, "  < %s\n", piece)
		push(piece)
	}
	fmt.Fprintln(w, "  no more")
}

// outline writes every word on a line of its own, as deep as it is nested. The
// reader is recursive, and so it must be who decides when a token comes.
func outline(w io.Writer, next func() (token, bool), depth int) {
	for {
		t, ok := next()
		if !ok || t.kind == shut {
			return
		}
		if t.kind == open {
			outline(w, next, depth+1)
			continue
		}
		fmt.Fprintf(w, "%s%s\n", strings.Repeat("  ", depth), t.text)
	}
}
