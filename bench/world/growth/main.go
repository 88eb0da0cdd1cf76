//go:build linux

// Growth draws what an operation costs among more and more: from 2 to 1,000,000
// greenlets, tasks and timers, and as many connections as there are descriptors for,
// beside goroutines, iter.Pull and time.AfterFunc. The benchmarks are those of bench,
// each point in a process of its own.
//
//	go run -C bench/world ./growth -results results
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/bench/world/chart"
)

const root = "../.." // the module that is measured

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// A picture has some lines over the same axes.
type picture struct {
	name, title string
	unit        string // of the benchmarks
	procs       int    // 0: all that there are
	lines       []line
}

// A line is a benchmark.
type line struct {
	name, colour string
	bench, by    string
}

var pictures = []picture{
	{"switch", "One switch among n, ns", "ns/switch", 1, []line{
		{"greenlets in a ring", chart.Blue, "Ring", "greenlet"},
		{"greenlets, each in turn", chart.Green, "Round", "greenlet"},
		{"iter.Pull, each in turn", chart.Amber, "Round", "pull"},
		{"channels in a ring", chart.Red, "Ring", "chan0"},
	}},
	{"hop", "A hop among n ready tasks, ns", "ns/hop", 1, []line{
		{"tasks, Sleep(0)", chart.Blue, "Hop", "greenlet"},
		{"goroutines, Gosched", chart.Red, "Hop", "gosched"},
	}},
	{"task", "A task made and awaited while n wait, ns", "ns/task", 1, []line{
		{"tasks", chart.Blue, "Alive", "greenlet"},
		{"goroutines, WaitGroup", chart.Red, "Alive", "goroutine"},
	}},
	{"timer-set", "A timer set, up to n, ns", "ns/set", 1, []line{
		{"CallLater", chart.Blue, "Outstanding", "greenlet"},
		{"time.AfterFunc", chart.Red, "Outstanding", "goroutine"},
	}},
	{"timer-fired", "A timer fired, n outstanding, ns", "ns/fired", 1, []line{
		{"CallLater", chart.Blue, "Outstanding", "greenlet"},
		{"time.AfterFunc", chart.Red, "Outstanding", "goroutine"},
	}},
	{"timer-cancelled", "A timer cancelled, n outstanding, ns", "ns/cancelled", 1, []line{
		{"Cancel", chart.Blue, "Outstanding", "greenlet"},
		{"Stop of time.AfterFunc", chart.Red, "Outstanding", "goroutine"},
	}},
	{"idle", "A round trip over TCP, n connections idle, ns", "ns/trip", 1, []line{
		{"tasks", chart.Blue, "Idle", "greenlet"},
		{"goroutines, package net", chart.Red, "Idle", "goroutine"},
	}},
	{"cycle", "A cycle of the collector, n waiting, ns", "ns/cycle", 0, []line{
		{"greenlets", chart.Blue, "Cycle", "greenlet"},
		{"tasks", chart.Green, "Cycle", "task"},
		{"iter.Pull", chart.Amber, "Cycle", "pull"},
		{"goroutines on a channel", chart.Red, "Cycle", "goroutine"},
	}},
}

// A point is one process.
type point struct {
	bench, by string
	procs, n  int
}

// Found is what the processes have found: by point and unit, of each round.
type found map[point]map[string][]float64

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("growth", flag.ContinueOnError)
	rounds := flags.Int("rounds", 1, "rounds; 5 for the long form")
	most := flags.Int("most", 1_000_000, "how many there are at most: a million take 3 GB")
	each := flags.String("each", "50ms", "the time of a point, but for those of 100,000 and more")
	results := flags.String("results", "", "a folder for the table and the charts, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "growth")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	bin := filepath.Join(folder, "bench")
	c := exec.Command("go", "-C", root, "test", "-c", "-o", bin, "./bench")
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("building the benchmarks: %w", err)
	}
	points, err := plan(*most)
	if err != nil {
		return err
	}
	all := make(found)
	for round := range *rounds {
		for i, p := range points {
			if i == 0 || p.n > points[i-1].n {
				fmt.Fprintf(os.Stderr, "round %d of %d: among %d\n", round+1, *rounds, p.n)
			}
			if err := all.measure(bin, *each, p); err != nil {
				return fmt.Errorf("%s: %w", p.pattern(), err)
			}
		}
	}
	where := fmt.Sprintf("%s, %s/%s, %d processors, medians of %d rounds", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *rounds)
	if *results != "" {
		if err := all.write(*results, where); err != nil {
			return err
		}
	}
	_, err = io.WriteString(out, all.table(where))
	return err
}

// plan is all points, up to most.
func plan(most int) (points []point, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	for _, n := range []int{2, 10, 100, 1000, 10_000, 100_000, 1_000_000} {
		for _, p := range pictures {
			for _, l := range p.lines {
				here := min(n, most)
				if l.bench == "Idle" { // both ends of a connection have a descriptor
					here = min(here, int(limit.Max/2)/1000*1000-100)
				}
				if at := (point{l.bench, l.by, p.procs, here}); here >= 2 && !slices.Contains(points, at) {
					points = append(points, at)
				}
			}
		}
	}
	return points, nil
}

// pattern is what -test.bench has for it.
func (p point) pattern() string {
	return fmt.Sprintf("^Benchmark%s$/^n=%d$/^by=%s$", p.bench, p.n, p.by)
}

// measure runs a process, and reads what it prints.
func (f found) measure(bin, each string, p point) error {
	if p.n >= 100_000 {
		each = "1x" // more than enough: to make so many is what takes long
	}
	c := exec.Command(bin, "-test.run=^$", "-test.bench="+p.pattern(), "-test.benchtime="+each, "-test.timeout=10m", fmt.Sprint("-scales=", p.n))
	if p.procs > 0 {
		c.Args = append(c.Args, fmt.Sprint("-test.cpu=", p.procs))
	}
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	values, err := read(text)
	if err != nil {
		return err
	}
	if f[p] == nil {
		f[p] = make(map[string][]float64)
	}
	for unit, v := range values {
		f[p][unit] = append(f[p][unit], v)
	}
	return nil
}

// read finds the values of the one benchmark in the output of a process, by their units.
func read(text []byte) (map[string]float64, error) {
	for in := bufio.NewScanner(bytes.NewReader(text)); in.Scan(); {
		fields := strings.Fields(in.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		values := make(map[string]float64)
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, err
			}
			values[fields[i+1]] = v
		}
		return values, nil
	}
	return nil, fmt.Errorf("no benchmark in %q", text)
}

// of is the median of a line at n, in the picture's unit.
func (f found) of(p picture, l line, n int) float64 {
	v := slices.Sorted(slices.Values(f[point{l.bench, l.by, p.procs, n}][p.unit]))
	if len(v) == 0 {
		return math.NaN()
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// counts are how many there were in a picture.
func (f found) counts(p picture) (all []int) {
	for at := range f {
		if at.bench == p.lines[0].bench && !slices.Contains(all, at.n) {
			all = append(all, at.n)
		}
	}
	slices.Sort(all)
	return all
}

func (f found) table(where string) string {
	var t strings.Builder
	fmt.Fprintf(&t, "# Growth\n\n%s\n", where)
	for _, p := range pictures {
		counts := f.counts(p)
		fmt.Fprintf(&t, "\n## %s\n\n| |", p.title)
		for _, n := range counts {
			fmt.Fprintf(&t, " %s |", chart.Number(float64(n)))
		}
		fmt.Fprintf(&t, "\n| --- |%s\n", strings.Repeat(" ---: |", len(counts)))
		for _, l := range p.lines {
			fmt.Fprintf(&t, "| %s |", l.name)
			for _, n := range counts {
				fmt.Fprintf(&t, " %s |", chart.Number(f.of(p, l, n)))
			}
			fmt.Fprintln(&t)
		}
	}
	return t.String()
}

// write writes the table and the pictures.
func (f found) write(folder, where string) error {
	for _, p := range pictures {
		var lines []chart.Line
		for _, l := range p.lines {
			drawn := chart.Line{Name: l.name, Colour: l.colour}
			for _, n := range f.counts(p) {
				drawn.Points = append(drawn.Points, [2]float64{float64(n), f.of(p, l, n)})
			}
			lines = append(lines, drawn)
		}
		if err := os.WriteFile(filepath.Join(folder, "growth-"+p.name+".svg"), []byte(chart.Lines(p.title, where, lines)), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "growth.md"), []byte(f.table(where)), 0o666)
}
