//go:build linux

package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/go-greenlet/greenlet/bench/world/chart"
)

// A line is of the table.
type line struct {
	program, way string
	one          bool
}

func (l line) String() string {
	if l.one {
		return l.way + ", 1 processor"
	}
	return l.way
}

// A book has all that was found, by rounds.
type book struct {
	rounds   int
	programs []program
	values   map[line][]result
	missing  []string // what could not be had, in sentences
}

func wall(r result) float64      { return r.Wall / r.N * 1e6 }
func processor(r result) float64 { return r.Processor / r.N * 1e6 }
func memory(r result) float64    { return r.Memory }

// lines are those of a program for which there is something.
func (b *book) lines(p program) (lines []line) {
	for _, one := range []bool{true, false} {
		for _, w := range p.ways {
			if l := (line{p.name, w.name, one}); b.values[l] != nil {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

func (b *book) where() string {
	return fmt.Sprintf("%s, %s/%s, %d processors, medians of %d rounds", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.rounds)
}

func (b *book) table() string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s\n", b.where())
	for _, p := range b.programs {
		fmt.Fprintf(&t, "\n## %s\n\n| | µs for each %s | against ours | processor time for each, µs | against ours | most memory, MB |\n| --- | ---: | ---: | ---: | ---: | ---: |\n", p.title, p.unit)
		for _, l := range b.lines(p) {
			ours := line{p.name, p.ways[0].name, l.one}
			fmt.Fprintf(&t, "| %s | %s | %s | %s | %s | %s |\n", l,
				chart.Number(b.median(l, wall)), b.ratio(l, ours, wall),
				chart.Number(b.median(l, processor)), b.ratio(l, ours, processor),
				chart.Number(b.median(l, memory)))
		}
	}
	if b.missing != nil {
		fmt.Fprintf(&t, "\nLeft out:\n")
	}
	for _, m := range b.missing {
		fmt.Fprintf(&t, "- %s\n", m)
	}
	return t.String()
}

// write writes the table and a chart for each program.
func (b *book) write(folder string) error {
	for _, p := range b.programs {
		var bars []chart.Bar
		for _, l := range b.lines(p) {
			colour := chart.Grey
			if l.way == p.ways[0].name {
				colour = chart.Blue
			}
			bars = append(bars, chart.Bar{Name: l.String(), Colour: colour, First: b.median(l, wall), Second: b.median(l, processor)})
		}
		image := chart.Bars(fmt.Sprintf("%s: µs for each %s", p.title, p.unit), "below it, thinner, processor time; "+b.where(), bars)
		if err := os.WriteFile(filepath.Join(folder, "program-"+p.name+".svg"), []byte(image), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "programs.md"), []byte("# Whole programs\n\n"+b.table()), 0o666)
}

func (b *book) median(l line, of func(result) float64) float64 {
	var v []float64
	for _, r := range b.values[l] {
		v = append(v, of(r))
	}
	return median(v)
}

// ratio is the median of the ratios inside rounds. A slow way is in every third.
func (b *book) ratio(l, ours line, of func(result) float64) string {
	if l == ours {
		return ""
	}
	theirs, own := b.values[l], b.values[ours]
	every := 1
	if len(theirs) < len(own) {
		every = 3
	}
	var v []float64
	for i := range theirs {
		v = append(v, of(theirs[i])/of(own[i*every]))
	}
	return chart.Number(median(v)) + "×"
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
