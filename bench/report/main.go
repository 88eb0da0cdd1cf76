// Report runs all benchmarks in rounds and says how greenlets compare.
//
// A round runs every benchmark once, ours and the rivals, so that all of them
// see the machine in the same state. From the rounds it makes a table of medians
// and ratios, beside the ratios that the project has set itself, and two charts.
//
// It runs in its own folder, as "make bench" does. With QUICK=1 it makes one
// short round and writes nothing: to see that everything runs.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

const (
	root    = "../.." // the module that is measured
	results = "../results"
	images  = root + "/docs/img"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("report: ")
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	quick := os.Getenv("QUICK") != "" && os.Getenv("QUICK") != "0"
	p := plan{rounds: 10, each: 300 * time.Millisecond, bench: ".", counts: "10000,100000,1000000"}
	if quick {
		p.rounds, p.each, p.counts, p.short = 1, 10*time.Millisecond, "10000", true
	}
	flag.IntVar(&p.rounds, "count", p.rounds, "rounds")
	flag.DurationVar(&p.each, "benchtime", p.each, "time for each benchmark in each round")
	flag.StringVar(&p.bench, "bench", p.bench, "only benchmarks that match")
	flag.StringVar(&p.procs, "cpu", "", "GOMAXPROCS for the benchmarks; empty for the default")
	flag.StringVar(&p.counts, "memory", p.counts, "measure the memory of so many suspended greenlets, a list; empty for none")
	from := flag.String("from", "", "run nothing: report on a raw file of an earlier run")
	write := flag.Bool("write", !quick, "write the raw output, the table and the charts into the tree")
	flag.Parse()

	raw := *from
	if raw == "" {
		f, err := rawFile(*write)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := p.run(f); err != nil {
			return err
		}
		if raw = f.Name(); !*write {
			defer os.Remove(raw)
		}
	}
	m, err := readFile(raw)
	if err != nil {
		return err
	}
	if err := m.report(os.Stdout); err != nil || !*write {
		return err
	}
	return m.publish()
}

func rawFile(keep bool) (*os.File, error) {
	if !keep {
		return os.CreateTemp("", "greenlet-bench-*.txt")
	}
	if err := os.MkdirAll(results, 0o755); err != nil {
		return nil, err
	}
	return os.Create(fmt.Sprintf("%s/raw-%s-%s-%s.txt", results, runtime.GOOS, runtime.GOARCH, runtime.Version()))
}

// publish writes what the README and the documents show.
func (m *measurements) publish() error {
	table, err := drawn(m.report)
	if err != nil {
		return err
	}
	bars, err := drawn(m.switchChart)
	if err != nil {
		return err
	}
	lines, err := drawn(m.scaleChart)
	if err != nil {
		return err
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		return err
	}
	if readme, err = insert(readme, table); err != nil {
		return err
	}
	for _, file := range []struct {
		path string
		text []byte
	}{
		{results + "/table.md", table},
		{"../README.md", readme},
		{images + "/switch.svg", bars},
		{images + "/scale.svg", lines},
	} {
		if err := os.MkdirAll(filepath.Dir(file.path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file.path, file.text, 0o644); err != nil {
			return err
		}
		log.Print("wrote ", filepath.Clean(file.path))
	}
	return nil
}

func drawn(draw func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	err := draw(&b)
	return b.Bytes(), err
}

// The README shows the table between these two lines.
const (
	tableBegins = "<!-- results: written by bench/report -->\n"
	tableEnds   = "<!-- end of results -->"
)

// insert puts the table into the README, its headings a level lower.
func insert(readme, table []byte) ([]byte, error) {
	before, rest, ok := bytes.Cut(readme, []byte(tableBegins))
	_, after, ended := bytes.Cut(rest, []byte(tableEnds))
	if !ok || !ended {
		return nil, fmt.Errorf("the README has no place for the table: no line %q", tableBegins)
	}
	lower := bytes.ReplaceAll(table, []byte("\n##"), []byte("\n###"))
	return slices.Concat(before, []byte(tableBegins), []byte("\n"), lower, []byte("\n"+tableEnds), after), nil
}
