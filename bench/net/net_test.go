//go:build linux

package main

import (
	"math"
	"strings"
	"testing"
)

// The whole benchmark, short, with the servers that need nothing but Go.
func TestQuick(t *testing.T) {
	t.Setenv("QUICK", "1")
	var out strings.Builder
	if err := run([]string{"-servers", "^(greenlet|gnet|Go net)"}, &out); err != nil {
		t.Fatal(err)
	}
	rates := section(t, out.String(), "### Requests a second")
	for _, name := range []string{conn, streams, protocol, gnet, goNet} {
		if !strings.Contains(rates, "| "+name+" | ") {
			t.Errorf("no figure for %s:\n%s", name, rates)
		}
	}
	if others := section(t, out.String(), "### Connections and children"); strings.Contains(rates+others, "NaN") || strings.Contains(rates, "–") {
		t.Errorf("not everything was measured:\n%s%s", rates, others)
	}
}

// The server with io_uring, where there is a compiler and the kernel allows it.
func TestUring(t *testing.T) {
	if err := buildUring(t.TempDir() + "/uring"); err != nil {
		t.Skip(err)
	}
	t.Setenv("QUICK", "1")
	var out strings.Builder
	if err := run([]string{"-servers", "io_uring"}, &out); err != nil {
		t.Fatal(err)
	}
	if rates := section(t, out.String(), "### Requests a second"); !strings.Contains(rates, "| "+inUring+" | ") {
		t.Errorf("no figure:\n%s", rates)
	}
}

func section(t *testing.T, table, title string) string {
	_, rest, ok := strings.Cut(table, title)
	if !ok {
		t.Fatalf("no section %q in\n%s", title, table)
	}
	text, _, _ := strings.Cut(rest, "\n##")
	return text
}

func TestMedianAndSpread(t *testing.T) {
	for _, c := range []struct {
		values         []float64
		median, spread float64
	}{
		{[]float64{3}, 3, 0},
		{[]float64{4, 2}, 3, 1. / 6},
		{[]float64{50, 10, 30, 20, 40}, 30, 1. / 3},
	} {
		if m, s := median(c.values), spread(c.values); m != c.median || math.Abs(s-c.spread) > 1e-9 {
			t.Errorf("%v: median %v, spread %v; want %v, %v", c.values, m, s, c.median, c.spread)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("nothing has a median")
	}
}

// Ratios are taken inside a round, where both have been slowed alike.
func TestFigures(t *testing.T) {
	m := newMeasurements(&plan{})
	for round, slow := range []float64{1, 0.1, 0.5} {
		for _, c := range four {
			m.add(round, conn, c.String(), perSecond, 900*slow)
			m.add(round, inC, c.String(), perSecond, 1000*slow)
		}
		m.add(round, conn, idle, idleBytes, 9000)
	}
	f := figures[0]
	if got := f.got(m); len(got) != 1 || math.Abs(got[0]-0.9) > 1e-9 {
		t.Errorf("%s: %v, want 0.9", f.text, got)
	}
	table := string(drawn(m.asked))
	for _, row := range []string{
		"| requests/s of net.Conn against C | ≥ 0.85× | 0.90× | yes |",
		"| requests/s of net.Conn against gnet | ≥ 1.00× | not measured |  |",
		"| bytes for an idle net.Conn | ≤ 8,192 | 9,000 | **no** |",
	} {
		if !strings.Contains(table, row) {
			t.Errorf("no row %s in\n%s", row, table)
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0.456: "0.46", 12.34: "12.3", 123.4: "123", 1234: "1,234", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestChart(t *testing.T) {
	m := newMeasurements(&plan{servers: []server{{name: conn}, {name: inC}}})
	m.add(1, inC, echoCase{64, 50}.String(), perSecond, 1234)
	if text := string(drawn(m.chart)); !strings.Contains(text, ">1,234<") || strings.Contains(text, "NaN") {
		t.Error(text)
	}
}
