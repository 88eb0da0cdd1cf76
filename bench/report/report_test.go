package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

const threeRounds = `cpu: a machine
round: 1
BenchmarkSwitch/sites=different/by=greenlet 	100	 5.00 ns/switch	 0 B/op
BenchmarkSwitch/sites=different/by=pull-2   	100	50.00 ns/switch
round: 2
BenchmarkSwitch/sites=different/by=greenlet 	100	10.00 ns/switch	 0 B/op
BenchmarkSwitch/sites=different/by=pull-2   	100	60.00 ns/switch
round: 3
BenchmarkSwitch/sites=different/by=greenlet 	100	 6.00 ns/switch	 0 B/op
BenchmarkSwitch/sites=different/by=pull-2   	100	48.00 ns/switch
`

func mustRead(t *testing.T, text string) *measurements {
	t.Helper()
	m, err := read(strings.NewReader(text), "test")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMedians(t *testing.T) {
	m := mustRead(t, threeRounds)
	if s, ok := m.of(ours); !ok || s.Center != 6 {
		t.Errorf("the median is %v, %v; want 6", s.Center, ok)
	}
	if s, ok := m.of(rival("pull")); !ok || s.Center != 50 {
		t.Errorf("the rival's median is %v, %v; want 50: the unit or the -2 was misread", s.Center, ok)
	}
	// 10, 6 and 8 in the rounds; the medians' would be 50/6.
	if r, ok := m.ratio(rival("pull"), ours); !ok || r.Center != 8 {
		t.Errorf("the ratio is %v, %v; want 8", r.Center, ok)
	}
	if _, ok := m.ratio(rival("boost"), ours); ok {
		t.Error("there is a ratio to what was not measured")
	}
}

func TestVerdict(t *testing.T) {
	m := mustRead(t, threeRounds)
	for _, c := range []struct {
		f    figure
		want bool
	}{
		{figure{over: rival("pull"), under: ours, asked: 7.5}, true},
		{figure{over: rival("pull"), under: ours, asked: 8.5}, false},
		{figure{over: rival("pull"), under: ours, asked: 8.5, most: true}, true},
		{figure{over: rival("pull"), under: ours, asked: 7.5, most: true}, false},
		{figure{under: ours, asked: 6, most: true}, true},
		{figure{under: ours, asked: 5, most: true}, false},
	} {
		if _, met, ok := c.f.got(m); !ok || met != c.want {
			t.Errorf("%+v: %v, %v; want %v", c.f, met, ok, c.want)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for _, text := range []string{"", "PASS\n", "BenchmarkX 1 not-a-number ns/op\n"} {
		if _, err := read(strings.NewReader(text), "test"); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// testdata/raw.txt is two rounds of a run.

func TestFiguresAreMeasured(t *testing.T) {
	m, err := readFile("testdata/raw.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if f.under.what == "Memory" {
			f.under.how = "n=10000" // a quick run makes no million
		}
		if _, _, ok := f.got(m); !ok {
			t.Errorf("%s: there is no measurement of %s or %s", f.what, f.over.name(), f.under.name())
		}
	}
	// And the tables leave nothing out.
	var out bytes.Buffer
	if err := m.report(&out); err != nil {
		t.Fatal(err)
	}
	for _, k := range m.keys {
		switch k.unit {
		case "B/op", "allocs/op", "cycles/s", foreign.unit:
			continue
		}
		s, _ := m.of(k)
		if !strings.Contains(out.String(), "| "+number(s.Center)) {
			t.Errorf("%s, %s is in no table", k.name(), k.unit)
		}
	}
}

func TestCharts(t *testing.T) {
	m, err := readFile("testdata/raw.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, draw := range map[string]func(io.Writer) error{"switch": m.switchChart, "scale": m.scaleChart} {
		var out bytes.Buffer
		if err := draw(&out); err != nil {
			t.Fatal(err)
		}
		shapes := 0
		for in := xml.NewDecoder(bytes.NewReader(out.Bytes())); ; {
			token, err := in.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out.String())
			}
			if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "rect" || e.Name.Local == "circle") {
				shapes++
			}
		}
		if shapes < 5 {
			t.Errorf("%s: %d bars or points", name, shapes)
		}
		if strings.Contains(out.String(), "NaN") {
			t.Errorf("%s: NaN", name)
		}
	}
}

func TestInsert(t *testing.T) {
	readme := "above\n" + tableBegins + "\nold\n" + tableEnds + "\nbelow\n"
	want := "above\n" + tableBegins + "\nnew\n\n### title\n\n" + tableEnds + "\nbelow\n"
	got, err := insert([]byte(readme), []byte("new\n\n## title\n"))
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	if again, err := insert(got, []byte("new\n\n## title\n")); err != nil || string(again) != want {
		t.Errorf("the second time: %v\n%s", err, again)
	}
	if _, err := insert([]byte("no place\n"), nil); err == nil {
		t.Error("a README without a place was accepted")
	}
}

func TestNoisyMachine(t *testing.T) {
	for text, want := range map[string]bool{
		"BenchmarkMachine 1 0.02 foreign-processors\n": false,
		"BenchmarkMachine 1 0.90 foreign-processors\n": true,
	} {
		var out bytes.Buffer
		if err := mustRead(t, text).report(&out); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "not quiet"); got != want {
			t.Errorf("%s: warned: %v\n%s", text, got, out.String())
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 5.254: "5.25", 31.41: "31.4", 117.1: "117", 2898.6: "2,899", 8803: "8,803", 100_000: "100,000", 85_123_456: "85.1M",
	} {
		if got := number(v); got != want {
			t.Errorf("number(%v) is %q, want %q", v, got, want)
		}
	}
}
