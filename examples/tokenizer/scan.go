package main

import (
	"fmt"
	"iter"
	"strings"

	"github.com/go-greenlet/greenlet"
)

// A token of a small Lisp: a bracket, a word, a string, or what is wrong.
type token struct {
	kind kind
	text string
	line int
}

type kind string

const (
	open    kind = "open"
	shut    kind = "shut"
	word    kind = "word"
	quoted  kind = "quoted"
	invalid kind = "invalid"
)

func (t token) String() string { return fmt.Sprintf("%-8s%q, line %d", t.kind, t.text, t.line) }

// A scanner reads bytes and hands out tokens. It wants to decide about both:
// when to read one more byte, and when to hand out a token. A loop would grant
// it one of the two; a coroutine grants both.
type scanner struct {
	next func() (byte, bool) // one more byte of the text
	emit func(token) bool    // takes a token; false: no more is wanted
	char byte                // the byte that is looked at
	more bool                // there is one
	line int
}

func scan(next func() (byte, bool), emit func(token) bool) {
	s := &scanner{next: next, emit: emit, line: 1}
	s.read()
	for s.more && s.token() {
	}
}

func (s *scanner) read() {
	if s.more && s.char == '\n' {
		s.line++
	}
	s.char, s.more = s.next()
}

// token reads one token, or what is between two, and reports whether to go on.
func (s *scanner) token() bool {
	line := s.line
	switch s.char {
	case ' ', '\t', '\n':
		s.read()
		return true
	case ';':
		s.until("\n")
		return true
	case '(':
		s.read()
		return s.emit(token{open, "(", line})
	case ')':
		s.read()
		return s.emit(token{shut, ")", line})
	case '"':
		s.read()
		text := s.until(`"`)
		if !s.more {
			return s.emit(token{invalid, text, line})
		}
		s.read()
		return s.emit(token{quoted, text, line})
	default:
		return s.emit(token{word, s.until("() \t\n;\""), line})
	}
}

// until reads up to one of the stops, or to the end.
func (s *scanner) until(stops string) string {
	var text []byte
	for s.more && !strings.ContainsRune(stops, rune(s.char)) {
		text = append(text, s.char)
		s.read()
	}
	return string(text)
}

// tokens is the sequence of a text's tokens, for a loop or for Pull.
func tokens(text string) iter.Seq[token] {
	return func(yield func(token) bool) {
		i := 0
		scan(func() (c byte, ok bool) {
			if i < len(text) {
				c, ok = text[i], true
				i++
			}
			return c, ok
		}, yield)
	}
}

// pushed is the scanner turned round: a text comes in pieces, cut anywhere, and
// each piece that is pushed emits the tokens that it completes.
func pushed(emit func(token) bool) (push func(piece string) bool, stop func()) {
	return greenlet.Push(func(pieces iter.Seq[string]) {
		var piece string
		scan(func() (byte, bool) {
			for piece == "" {
				more := false
				for piece = range pieces { // waits for one
					more = true
					break
				}
				if !more {
					return 0, false
				}
			}
			c := piece[0]
			piece = piece[1:]
			return c, true
		}, emit)
	})
}
