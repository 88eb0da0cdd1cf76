//go:build linux

// Net measures echo servers in rounds: ours, beside a loop in C, gnet, Go's net,
// asyncio and uvloop. The server has one processor, the load generator another.
//
// A round starts every server anew and asks all of them in turn in each case, so
// that all see the machine in the same state. From the rounds it makes a table of
// medians and ratios, beside the figures that the project has set itself, and a
// chart. It runs in its own folder, as "make bench-net" does. With QUICK=1 it
// makes one short round and writes nothing: to see that everything runs.
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

const results = "results"

func main() {
	log.SetFlags(0)
	log.SetPrefix("net: ")
	if err := run(os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(args []string, out io.Writer) error {
	quick := os.Getenv("QUICK") != "" && os.Getenv("QUICK") != "0"
	p := plan{rounds: 10, each: time.Second, warmup: 200 * time.Millisecond, idle: 10_000, cases: cases}
	if quick {
		p = plan{rounds: 1, each: 50 * time.Millisecond, warmup: 20 * time.Millisecond, idle: 200, cases: cases[1:2]}
	}
	set := flag.NewFlagSet("net", flag.ContinueOnError)
	set.IntVar(&p.rounds, "rounds", p.rounds, "rounds")
	set.DurationVar(&p.each, "duration", p.each, "time for each measurement in each round")
	set.IntVar(&p.idle, "idle", p.idle, "connections that are idle in the case with idle ones")
	pattern := set.String("servers", ".", "only servers whose name matches")
	write := set.Bool("write", !quick, "write the table, the figures and the chart into "+results)
	if err := set.Parse(args); err != nil {
		return err
	}
	only, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}

	bin, err := os.MkdirTemp("", "greenlet-net-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	if err := p.build(bin, only); err != nil {
		return err
	}
	m, err := p.run()
	if err != nil {
		return err
	}
	m.report(out)
	if !*write {
		return nil
	}
	return m.publish()
}

// publish writes what the README shows, and the figures of each round.
func (m *measurements) publish() error {
	if err := os.MkdirAll(results, 0o755); err != nil {
		return err
	}
	figures, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"results.json": append(figures, '\n'),
		"table.md":     drawn(m.report),
		"echo.svg":     drawn(m.chart),
	} {
		file := filepath.Join(results, name)
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
		log.Print("wrote ", file)
	}
	return nil
}
