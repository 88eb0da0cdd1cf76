package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// A plan is what to run, how often and for how long.
type plan struct {
	rounds int
	each   time.Duration
	bench  string // a pattern
	procs  string // GOMAXPROCS, if not the default
	counts string // for the memory figures
	short  bool   // with fewer timers and the like: only to see that it runs
}

// run builds what is measured and runs the rounds. All output of the benchmarks
// goes to raw, with the number of the round before it.
func (p plan) run(raw io.Writer) error {
	bin, err := os.MkdirTemp("", "greenlet-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	if err := command(root, "go", "test", "-c", "-o", bin+"/bench", "./bench").Run(); err != nil {
		return fmt.Errorf("building the benchmarks: %w", err)
	}
	if err := command(root, "go", "build", "-o", bin+"/memory", "./bench/cmd/memory").Run(); err != nil {
		return fmt.Errorf("building the memory figures: %w", err)
	}
	steps := [][]string{{
		bin + "/bench", "-test.run=^$", "-test.bench=" + p.bench, "-test.benchtime=" + p.each.String(),
		"-test.cpu=" + p.procs, "-test.timeout=1h", fmt.Sprintf("-test.short=%t", p.short),
	}}
	if err := buildBoost(bin + "/boost"); err != nil {
		log.Print("skipped Boost.Context: ", err)
	} else {
		steps = append(steps, []string{bin + "/boost", fmt.Sprint(p.each.Milliseconds() / 2)})
	}

	python := interpreter()
	for _, kind := range []string{"asyncio", "uvloop"} {
		if err := imports(python, kind); err != nil {
			log.Printf("skipped %s: %v", kind, err)
		} else {
			steps = append(steps, []string{python, "compare/loop.py", kind, fmt.Sprint(p.each.Milliseconds())})
		}
	}

	fmt.Fprintf(raw, "toolchain: %s\nsystem: %s/%s, %d processors\nrounds: %d of %v\npython: %s\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), p.rounds, p.each, versions(python))
	show := progress{rounds: p.rounds, begin: time.Now()}
	for show.round = 1; show.round <= p.rounds; show.round++ {
		fmt.Fprintf(raw, "round: %d\n", show.round)
		quiet := startMeter()
		for _, step := range steps {
			if err := stream(raw, &show, &quiet, step); err != nil {
				return err
			}
		}
		if show.round == 1 && p.counts != "" {
			// Memory hardly differs from round to round, and takes long.
			if err := stream(raw, &show, &quiet, []string{bin + "/memory", "-n", p.counts}); err != nil {
				return err
			}
		}
		if processors, ok := quiet.foreign(); ok {
			fmt.Fprintf(raw, "BenchmarkMachine 1 %.2f %s\n", processors, foreign.unit)
		}
		show.roundDone()
	}
	return nil
}

func command(dir, name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	return c
}

// buildBoost says why the peer in C++ is left out, if it is.
func buildBoost(out string) error {
	if _, err := exec.LookPath("g++"); err != nil {
		return errors.New("there is no g++")
	}
	c := command("../compare", "g++", "-O2", "boost.cpp", "-o", out, "-lboost_context")
	c.Stdout, c.Stderr = nil, nil
	if text, err := c.CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(string(text), "\n")
		return fmt.Errorf("bench/compare/boost.cpp cannot be built (Debian has libboost-context-dev): %s", first)
	}
	return nil
}

// interpreter is the Python that the loop's peers run on: one that has uvloop, if
// there is one.
func interpreter() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if imports(python, "uvloop") == nil {
			return python
		}
	}
	return "python3"
}

// imports says why a peer in Python is left out, if it is.
func imports(python, kind string) error {
	text, err := exec.Command(python, "-c", "import "+kind).CombinedOutput()
	if err != nil && len(text) > 0 {
		return fmt.Errorf("%s (Debian has python3-uvloop)", lastLine(text))
	}
	return err
}

// versions names the peers in Python.
func versions(python string) string {
	text, err := exec.Command(python, "-c", "import sys; print('CPython', sys.version.split()[0])").Output()
	if err != nil {
		return "none"
	}
	if uv, err := exec.Command(python, "-c", "import uvloop; print(', uvloop', uvloop.__version__)").Output(); err == nil {
		text = append(bytes.TrimSpace(text), uv...)
	}
	return string(bytes.TrimSpace(text))
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// stream runs a program whose output are benchmark lines.
func stream(raw io.Writer, show *progress, quiet *meter, args []string) error {
	c := command("..", args[0], args[1:]...)
	c.Stdout = nil
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	var other strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		fmt.Fprintln(raw, line)
		if strings.HasPrefix(line, "Benchmark") {
			show.line(line)
		} else {
			fmt.Fprintln(&other, line)
		}
	}
	if err := c.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", args[0], err, other.String())
	}
	quiet.own += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	return nil
}

// Progress goes to standard error: to a terminal, a line that changes with
// every benchmark; else a line for each round.
type progress struct {
	round, rounds int
	lines, before int // benchmarks in this round and in the last one
	begin         time.Time
}

func (p *progress) line(text string) {
	p.lines++
	name, _, _ := strings.Cut(text, " ")
	if terminal() {
		of := ""
		if p.before > 0 {
			of = fmt.Sprintf(" of %d", p.before)
		}
		fmt.Fprintf(os.Stderr, "\r\033[Kround %d of %d: %d%s %s", p.round, p.rounds, p.lines, of, name)
	}
}

func (p *progress) roundDone() {
	clear := ""
	if terminal() {
		clear = "\r\033[K"
	}
	spent := time.Since(p.begin)
	left := spent / time.Duration(p.round) * time.Duration(p.rounds-p.round)
	fmt.Fprintf(os.Stderr, "%sround %d of %d: %d lines, %v gone, about %v left\n",
		clear, p.round, p.rounds, p.lines, spent.Round(time.Second), left.Round(time.Second))
	p.before, p.lines = p.lines, 0
}

func terminal() bool {
	info, err := os.Stderr.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
