package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `1 + 2 * 3 = 7
(1 + 2) * 3 = 9
8 / (3 - 1) - -1 = 5
2 * (3: unexpected ""
2 ? 3: cannot read "? 3"
`
	var out strings.Builder
	run(&out, nil)
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}

func TestEval(t *testing.T) {
	for _, c := range []struct {
		expr string
		want float64
		err  string
	}{
		{"42", 42, ""},
		{" 2 - 3 - 4 ", -5, ""},
		{"-(1.5 + .5) * 2", -4, ""},
		{"((((7))))", 7, ""},
		{"", 0, `unexpected ""`},
		{"1 2 3 4", 0, `unexpected "2"`}, // the lexer is left with tokens to push
		{"1.2.3", 0, `unexpected "1.2.3"`},
		{"(1 + 2))", 0, `unexpected ")"`},
	} {
		v, err := eval(c.expr)
		switch {
		case err != nil && err.Error() != c.err, err == nil && c.err != "":
			t.Errorf("eval(%q): error %v, want %q", c.expr, err, c.err)
		case err == nil && v != c.want:
			t.Errorf("eval(%q) = %v, want %v", c.expr, v, c.want)
		}
	}
}
