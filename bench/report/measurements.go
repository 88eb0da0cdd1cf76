package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// A key is what a line of benchmark output measures, with its unit: in
// BenchmarkSwitch/sites=same/by=pull, what is "Switch", how is "sites=same".
type key struct{ what, how, by, unit string }

func (k key) name() string {
	return strings.Join(slices.DeleteFunc([]string{k.what, k.how, "by=" + k.by}, func(s string) bool { return s == "" }), "/")
}

// Measurements are a run's: the values of each key, by the round.
type measurements struct {
	config map[string]string
	keys   []key // in the order of appearance
	values map[key]map[int][]float64
}

func readFile(name string) (*measurements, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(f, name)
}

func read(r io.Reader, name string) (*measurements, error) {
	m := &measurements{config: make(map[string]string), values: make(map[key]map[int][]float64)}
	in := benchfmt.NewReader(r, name)
	for in.Scan() {
		switch rec := in.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, rec
		case *benchfmt.Result:
			round, _ := strconv.Atoi(rec.GetConfig("round"))
			for _, c := range rec.Config {
				m.config[c.Key] = string(c.Value)
			}
			for _, v := range rec.Values {
				k := keyOf(rec.Name)
				// The reader turns ns into seconds; we want what was printed.
				k.unit = v.Unit
				if v.OrigUnit != "" {
					k.unit, v.Value = v.OrigUnit, v.OrigValue
				}
				m.add(k, round, v.Value)
			}
		}
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if len(m.keys) == 0 {
		return nil, fmt.Errorf("%s: no benchmark results", name)
	}
	return m, nil
}

func keyOf(name benchfmt.Name) key {
	base, parts := name.Parts()
	k := key{what: string(base), by: "greenlet"}
	var how []string
	for _, p := range parts {
		switch part := string(p); {
		case strings.HasPrefix(part, "/by="):
			k.by = part[len("/by="):]
		case strings.HasPrefix(part, "/"):
			how = append(how, part[1:])
		} // else the number of processors
	}
	k.how = strings.Join(how, "/")
	return k
}

func (m *measurements) add(k key, round int, v float64) {
	if m.values[k] == nil {
		m.values[k] = make(map[int][]float64)
		m.keys = append(m.keys, k)
	}
	m.values[k][round] = append(m.values[k][round], v)
}

// A summary is a median and how certain it is.
type summary struct {
	benchmath.Summary
	n int
}

func summarize(values []float64) summary {
	sample := benchmath.NewSample(values, &benchmath.DefaultThresholds)
	return summary{benchmath.AssumeNothing.Summary(sample, 0.95), len(values)}
}

// of returns the summary of the medians of the rounds.
func (m *measurements) of(k key) (s summary, ok bool) {
	var all []float64
	for _, values := range m.values[k] {
		all = append(all, median(values))
	}
	if len(all) == 0 {
		return s, false
	}
	return summarize(all), true
}

// ratio returns the summary of the ratios a/b, each taken inside one round.
func (m *measurements) ratio(a, b key) (s summary, ok bool) {
	var all []float64
	for round, values := range m.values[a] {
		if others := m.values[b][round]; others != nil {
			all = append(all, median(values)/median(others))
		}
	}
	if len(all) == 0 {
		return s, false
	}
	return summarize(all), true
}

func median(values []float64) float64 { return summarize(values).Center }
