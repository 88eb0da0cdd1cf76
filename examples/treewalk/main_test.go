package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `ant bat cat dog eel fox 
same fringe: true
same fringe: false
where one has "dog" the other has "cow"
ant bat bee cat dog eel fox gnu owl 
`
	var out strings.Builder
	run(&out)
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}

func TestFirstDifference(t *testing.T) {
	for _, c := range []struct {
		a, b   string
		x, y   string
		differ bool
	}{
		{"", "", "", "", false},
		{"bac", "abc", "", "", false},
		{"abc", "ab", "c", "", true},
		{"a", "abc", "", "b", true},
		{"abd", "abc", "d", "c", true},
	} {
		a, b := grow(strings.Split(c.a, "")...), grow(strings.Split(c.b, "")...)
		if x, y, differ := firstDifference(a, b); x != c.x || y != c.y || differ != c.differ {
			t.Errorf("%q and %q: %q, %q, %v, want %+v", c.a, c.b, x, y, differ, c)
		}
	}
}
