//go:build linux

package main

import (
	"math"
	"strings"
	"testing"
)

// The whole, short.
func TestQuick(t *testing.T) {
	var out strings.Builder
	if err := run([]string{"-rounds", "1", "-for", "100ms", "-idle", "20"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		if !strings.Contains(out.String(), "| "+p.name+" | ") {
			t.Errorf("no row for %s in\n%s", p.name, &out)
		}
	}
	if !strings.Contains(out.String(), "| processor time a request (µs): httpd against net/http | 0.60 | ") || strings.Contains(out.String(), "NaN | **no**") {
		t.Errorf("no figures in\n%s", &out)
	}
}

// Ratios are taken inside a round.
func TestRatios(t *testing.T) {
	b := &bench{values: map[key][]float64{{"a", "m"}: {1, 10, 30}, {"b", "m"}: {2, 20, 30}}}
	if got := median(b.ratios(figure{"m", "a", "b", 1})); got != 0.5 {
		t.Errorf("the ratio is %v, want 0.5", got)
	}
	if !math.IsNaN(median(nil)) || median([]float64{4, 1}) != 2.5 {
		t.Error("a median is wrong")
	}
}
