//go:build linux

package main

import (
	"iter"
	"math/rand/v2"
	"strconv"

	"github.com/go-greenlet/greenlet"
)

// parser reads expressions. The lexer is a function that hands out tokens, and the
// parser one that calls for the next: each would like to be the one who calls.
var parser = program{
	name: "parser", title: "A lexer and a parser", unit: "token", n: 3_000_000, short: 2000,
	ways: []way{
		{name: "greenlet.Pull", run: parse(byPull(greenlet.Pull[token]))},
		{name: "iter.Pull", run: parse(byPull(iter.Pull[token]))},
		{name: "goroutine, channel", run: parse(byChannel(0))},
		{name: "goroutine, channel of 128", run: parse(byChannel(128))},
		{name: "by hand", run: parse(byHand)},
	},
}

// A token is a number, or a sign of itself.
type token struct {
	kind  byte // 'n' of a number
	value uint64
}

// text makes expressions of so many tokens, at least.
func text(tokens int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var s []byte
	n := 0
	var expr func(depth int)
	expr = func(depth int) {
		for i := range 1 + rng.IntN(4) {
			if i > 0 {
				s = append(s, ' ', "+-*"[rng.IntN(3)], ' ')
				n++
			}
			if depth > 0 && rng.IntN(3) == 0 {
				s = append(s, '(')
				expr(depth - 1)
				s = append(s, ')')
				n += 2
			} else {
				s = strconv.AppendInt(s, rng.Int64N(1000), 10)
				n++
			}
		}
	}
	for n < tokens {
		expr(6)
		s = append(s, "; # a comment\n"...)
		n++
	}
	return string(s)
}

// parse reads the text with a parser whose tokens open gives out.
func parse(open func(text string) (next func() (token, bool), end func())) func(r run) (result, error) {
	return func(r run) (result, error) {
		text := text(r.n)
		return timed(r.n, func() (sum uint64, err error) {
			next, end := open(text)
			defer end()
			p := reader{next: next}
			for p.advance(); p.more; p.advance() { // over the semicolon
				sum = sum*31 + p.sum()
			}
			return sum, nil
		})
	}
}

// A reader is a recursive descent.
type reader struct {
	next func() (token, bool)
	t    token
	more bool
}

func (p *reader) advance() { p.t, p.more = p.next() }

func (p *reader) sum() uint64 {
	v := p.product()
	for p.more {
		switch p.t.kind {
		case '+':
			p.advance()
			v += p.product()
		case '-':
			p.advance()
			v -= p.product()
		default:
			return v
		}
	}
	return v
}

func (p *reader) product() uint64 {
	v := p.factor()
	for p.more && p.t.kind == '*' {
		p.advance()
		v *= p.factor()
	}
	return v
}

func (p *reader) factor() uint64 {
	v := p.t.value
	if p.t.kind == '(' {
		p.advance()
		v = p.sum()
	}
	p.advance()
	return v
}

// lex hands out the tokens of a text, as long as somebody wants them.
func lex(text string, yield func(token) bool) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\n':
			i++
		case c == '#':
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case '0' <= c && c <= '9':
			var v uint64
			for ; i < len(text) && '0' <= text[i] && text[i] <= '9'; i++ {
				v = v*10 + uint64(text[i]-'0')
			}
			if !yield(token{'n', v}) {
				return
			}
		default:
			i++
			if !yield(token{kind: c}) {
				return
			}
		}
	}
}

func byPull(pull func(iter.Seq[token]) (func() (token, bool), func())) func(string) (func() (token, bool), func()) {
	return func(text string) (func() (token, bool), func()) {
		return pull(func(yield func(token) bool) { lex(text, yield) })
	}
}

func byChannel(buffered int) func(string) (func() (token, bool), func()) {
	return func(text string) (func() (token, bool), func()) {
		tokens := make(chan token, buffered)
		go func() {
			defer close(tokens)
			lex(text, func(t token) bool { tokens <- t; return true })
		}()
		return func() (token, bool) { t, ok := <-tokens; return t, ok }, func() {}
	}
}

// byHand is lex turned inside out, which here is easy: it is nowhere but in its loop.
func byHand(text string) (func() (token, bool), func()) {
	i := 0
	return func() (token, bool) {
		for i < len(text) {
			switch c := text[i]; {
			case c == ' ' || c == '\n':
				i++
			case c == '#':
				for i < len(text) && text[i] != '\n' {
					i++
				}
			case '0' <= c && c <= '9':
				var v uint64
				for ; i < len(text) && '0' <= text[i] && text[i] <= '9'; i++ {
					v = v*10 + uint64(text[i]-'0')
				}
				return token{'n', v}, true
			default:
				i++
				return token{kind: c}, true
			}
		}
		return token{}, false
	}, func() {}
}
