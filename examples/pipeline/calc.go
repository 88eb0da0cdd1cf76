package main

import (
	"fmt"
	"strconv"
	"strings"
)

// lex pushes the numbers and the signs of expr, one token a call.
func lex(expr string, push func(token string) error) error {
	for rest := strings.TrimSpace(expr); rest != ""; rest = strings.TrimSpace(rest) {
		n := len(rest) - len(strings.TrimLeft(rest, "0123456789."))
		if n == 0 && strings.ContainsRune("+-*/()", rune(rest[0])) {
			n = 1
		}
		if n == 0 {
			return fmt.Errorf("cannot read %q", rest)
		}
		if err := push(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// parse returns the value of the expression whose tokens pull gives; the token
// after the last one is empty.
func parse(pull func() (token string, err error)) (float64, error) {
	p := &parser{pull: pull}
	p.next()
	v := p.sum()
	if p.token != "" {
		p.fail()
	}
	return v, p.err
}

type parser struct {
	pull  func() (string, error)
	token string // the first one not used yet
	err   error  // the first one met; from then on there are no tokens
}

func (p *parser) next() {
	if p.err == nil {
		p.token, p.err = p.pull()
	}
}

func (p *parser) fail() {
	if p.err == nil {
		p.err = fmt.Errorf("unexpected %q", p.token)
	}
	p.token = ""
}

func (p *parser) sum() float64 {
	v := p.product()
	for {
		switch p.token {
		case "+":
			p.next()
			v += p.product()
		case "-":
			p.next()
			v -= p.product()
		default:
			return v
		}
	}
}

func (p *parser) product() float64 {
	v := p.factor()
	for {
		switch p.token {
		case "*":
			p.next()
			v *= p.factor()
		case "/":
			p.next()
			v /= p.factor()
		default:
			return v
		}
	}
}

func (p *parser) factor() float64 {
	if p.token == "-" {
		p.next()
		return -p.factor()
	}
	if p.token == "(" {
		p.next()
		v := p.sum()
		if p.token != ")" {
			p.fail()
		}
		p.next()
		return v
	}
	v, err := strconv.ParseFloat(p.token, 64)
	if err != nil {
		p.fail()
	}
	p.next()
	return v
}
