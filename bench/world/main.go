//go:build linux

// World measures the programs of the tutorials' world beside what they are measured
// against: the server on one processor, the load on another, all of them in turns,
// in several rounds. It prints medians, and ratios that are taken inside a round.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
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
	"time"

	"github.com/go-greenlet/greenlet/bench/net/process"
)

const (
	serverCPU = 0
	loadCPU   = 1
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("world", flag.ContinueOnError)
	rounds := flags.Int("rounds", 10, "rounds")
	each := flags.Duration("for", 2*time.Second, "how long each run takes")
	idle := flags.Int("idle", 2000, "idle connections")
	results := flags.String("results", "", "a file for the table, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	bin, err := os.MkdirTemp("", "world")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	b := &bench{bin: bin, each: *each, idle: *idle, values: make(map[key][]float64)}
	if err := b.build(); err != nil {
		return err
	}
	for round := range *rounds {
		for i := range programs {
			p := &programs[(i+round)%len(programs)] // nobody is always the first
			if err := b.measure(p); err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, p.name, err)
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, *rounds)
	}
	table := b.table(*rounds)
	if *results != "" {
		if err := os.WriteFile(*results, []byte(table), 0o666); err != nil {
			return err
		}
	}
	_, err = io.WriteString(out, table)
	return err
}

// A program is what is measured.
type program struct {
	name   string
	start  func(bin string) []string // the command; it prints "ready HOST:PORT"
	memory bool                      // it tells of its memory
	needs  func() error              // nil, or why it cannot be had
}

// debian is the Python that Debian's packages are for.
const debian = "/usr/bin/python3"

func hello(way string) func(string) []string {
	return func(bin string) []string { return []string{filepath.Join(bin, "hello"), "-way", way} }
}

var programs = []program{
	{name: "httpd", start: hello("httpd"), memory: true},
	{name: "net/http", start: hello("net/http"), memory: true},
	{name: "fasthttp in tasks", start: hello("fasthttp in tasks"), memory: true},
	{name: "fasthttp", start: hello("fasthttp"), memory: true},
	{name: "parsing alone", start: hello("parsing")},
	{name: "system calls alone", start: hello("bare")},
	{name: "aiohttp on uvloop", start: func(string) []string { return []string{debian, "hello/hello.py"} }, needs: func() error {
		if exec.Command(debian, "-c", "import aiohttp, uvloop").Run() != nil {
			return errors.New("python3-aiohttp and python3-uvloop are not installed")
		}
		return nil
	}},
}

// A figure is a bound of the ratio of two programs.
type figure struct {
	metric, over, under string
	most                float64
}

// The metrics.
const (
	processor = "processor time a request (µs)"
	allocs    = "allocations a request"
	bytes     = "bytes for an idle connection"
	perSecond = "requests a second"
)

var figures = []figure{
	{processor, "httpd", "net/http", 0.6},
	{processor, "fasthttp in tasks", "fasthttp", 0.75},
	{processor, "httpd", "aiohttp on uvloop", 0.2},
	{allocs, "httpd", "net/http", 1},
	{bytes, "httpd", "net/http", 0.7},
}

// floors are the same for programs that serve nothing: less than that no server can
// have, of handlers that are net/http's, or in Go at all.
var floors = []figure{
	{processor, "parsing alone", "net/http", 0.6},
	{processor, "system calls alone", "net/http", 0.6},
	{processor, "system calls alone", "fasthttp", 0.75},
	{processor, "parsing alone", "aiohttp on uvloop", 0.2},
	{processor, "system calls alone", "aiohttp on uvloop", 0.2},
}

type key struct{ program, metric string }

type bench struct {
	bin    string
	each   time.Duration
	idle   int
	values map[key][]float64 // one of each round
}

// build builds the programs, and leaves out those that cannot be had.
func (b *bench) build() error {
	for _, name := range []string{"hello", "load"} {
		c := exec.Command("go", "build", "-o", filepath.Join(b.bin, name), "./"+name)
		c.Stderr = os.Stderr
		if err := c.Run(); err != nil {
			return fmt.Errorf("building %s: %w", name, err)
		}
	}
	programs = slices.DeleteFunc(slices.Clone(programs), func(p program) bool {
		if p.needs == nil {
			return false
		}
		err := p.needs()
		if err != nil {
			fmt.Fprintf(os.Stderr, "skipped %s: %v\n", p.name, err)
		}
		return err != nil
	})
	return nil
}

// measure runs a program and the load once.
func (b *bench) measure(p *program) error {
	command := p.start(b.bin)
	server := exec.Command(command[0], command[1:]...)
	server.Env = append(os.Environ(), "GOMAXPROCS=1")
	server.Stderr = os.Stderr
	says, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := process.Start(server, pin(serverCPU)); err != nil {
		return err
	}
	defer func() {
		server.Process.Kill()
		server.Wait()
	}()
	line, err := bufio.NewReader(says).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		return fmt.Errorf("the server says %q, %v", line, err)
	}
	idle := b.idle
	if !p.memory {
		idle = 0
	}
	load := exec.Command(filepath.Join(b.bin, "load"), "-addr", addr, "-pid", strconv.Itoa(server.Process.Pid),
		"-for", b.each.String(), "-idle", strconv.Itoa(idle))
	load.Env = append(os.Environ(), "GOMAXPROCS=1")
	load.Stderr = os.Stderr
	found, err := load.StdoutPipe()
	if err != nil {
		return err
	}
	if err := process.Start(load, pin(loadCPU)); err != nil {
		return err
	}
	var r struct{ PerSecond, ServerUS, Allocs, IdleBytes float64 }
	failed := json.NewDecoder(found).Decode(&r)
	if err := load.Wait(); err != nil {
		return err
	}
	add := func(metric string, v float64) {
		k := key{p.name, metric}
		b.values[k] = append(b.values[k], v)
	}
	add(processor, r.ServerUS)
	add(perSecond, r.PerSecond)
	if p.memory {
		add(allocs, r.Allocs)
		add(bytes, r.IdleBytes)
	}
	return failed
}

// pin is the processor for one side, or none on a machine that has only one.
func pin(cpu int) int {
	if runtime.NumCPU() < 2 {
		return -1
	}
	return cpu
}

// table shows the medians, the spread of the first metric, and the figures.
func (b *bench) table(rounds int) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s, %s/%s, %d rounds of %v, medians\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, rounds, b.each)
	metrics := []string{processor, perSecond, allocs, bytes}
	fmt.Fprintf(&t, "| | %s | from, to |\n| --- | ---: | ---: | ---: | ---: | --- |\n", strings.Join(metrics, " | "))
	for _, p := range programs {
		fmt.Fprintf(&t, "| %s |", p.name)
		for _, m := range metrics {
			fmt.Fprintf(&t, " %s |", number(median(b.values[key{p.name, m}])))
		}
		v := b.values[key{p.name, processor}]
		fmt.Fprintf(&t, " %s, %s |\n", number(slices.Min(v)), number(slices.Max(v)))
	}
	fmt.Fprintf(&t, "\n| what | at most | measured | |\n| --- | ---: | ---: | --- |\n")
	for _, f := range figures {
		b.line(&t, f, "yes", "**no**")
	}
	fmt.Fprintf(&t, "\n| what no server can go below | asked | measured | can it be had? |\n| --- | ---: | ---: | --- |\n")
	for _, f := range floors {
		b.line(&t, f, "as far as this tells", "no")
	}
	return t.String()
}

func (b *bench) line(t *strings.Builder, f figure, within, above string) {
	ratio := median(b.ratios(f))
	verdict := within
	switch {
	case math.IsNaN(ratio):
		verdict = "not measured"
	case ratio > f.most:
		verdict = above
	}
	fmt.Fprintf(t, "| %s: %s against %s | %.2f | %.2f | %s |\n", f.metric, f.over, f.under, f.most, ratio, verdict)
}

// ratios are taken inside each round, where both were slowed alike.
func (b *bench) ratios(f figure) (all []float64) {
	over, under := b.values[key{f.over, f.metric}], b.values[key{f.under, f.metric}]
	for i := range min(len(over), len(under)) {
		all = append(all, over[i]/under[i])
	}
	return all
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	v := slices.SortedFunc(slices.Values(values), cmp.Compare[float64])
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return ""
	case math.Abs(v) < 100:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
