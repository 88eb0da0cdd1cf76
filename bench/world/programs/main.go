//go:build linux

// Programs measures whole programs, each beside what a user would write instead. Each
// run is a process of its own, all of a program's ways in turns, in several rounds,
// with one processor and with all. It prints medians, and ratios that are taken inside
// a round, and checks that all ways of a program have found the same.
//
//	tools/servers.sh with mariadb -- go run -C bench/world ./programs -results results
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/bench/net/process"
)

// A program is what is measured, in several ways, of which the first is ours.
type program struct {
	name  string
	title string
	unit  string                  // of what there are n
	n     int                     // how many, or, if it is a server, for how many milliseconds it is asked
	short int                     // n in a test
	ways  []way                   // the rivals behind ours
	serve map[string]func() error // what a server's process does, by way
	needs func() error            // nil, or why it cannot be had
}

// A way to write a program.
type way struct {
	name   string
	run    func(r run) (result, error)
	script string // in place of run: a program in Python
	needs  string // what it imports, in Debian's Python
	slow   bool   // it is measured in every third round
}

// A run is one process.
type run struct {
	n    int
	one  bool   // with one processor, and the load of a server on the other
	load string // the program that asks web servers

	profile string // a folder for a profile of the processor, or empty
}

// A result is what one has found.
type result struct {
	N         float64 // what was done
	Wall      float64 // seconds
	Processor float64 // seconds, on all processors
	Memory    float64 // the most that was resident, MB
	Check     string  // the same for all ways
}

var programs = []program{service, tlsEcho, game, simulation, parser, batches, jobs}

// debian is the Python that Debian's packages are for.
const debian = "/usr/bin/python3"

// The processors of a server and of who asks it.
const (
	serverCPU = 0
	loadCPU   = 1
)

func main() {
	if err := command(os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func command(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("programs", flag.ContinueOnError)
	rounds := flags.Int("rounds", 3, "rounds; 10 for the long form")
	only := flags.String("only", "", "programs to measure, a list; all if empty")
	results := flags.String("results", "", "a folder for the table and the charts, too")
	name := flags.String("run", "", "of a process: the program")
	on := flags.String("way", "", "of a process: the way")
	serve := flags.Bool("serve", false, "of a process: the server of that way")
	var r run
	flags.IntVar(&r.n, "n", 0, "of a process: how many")
	flags.BoolVar(&r.one, "one", false, "of a process: with one processor")
	flags.StringVar(&r.load, "load", "", "of a process: the program that asks web servers")
	flags.StringVar(&r.profile, "profile", "", "a folder for profiles of the processor, which make all a little slower")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *name == "" {
		return measure(*rounds, *only, *results, r.profile, out)
	}
	p := programs[slices.IndexFunc(programs, func(p program) bool { return p.name == *name })]
	stop, err := r.profiled(*name, *on, *serve)
	if err != nil {
		return err
	}
	defer stop()
	if *serve {
		return p.serve[*on]()
	}
	w := p.ways[slices.IndexFunc(p.ways, func(w way) bool { return w.name == *on })]
	found, err := w.run(r)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(found)
}

// measure runs all ways of the programs in turns.
func measure(rounds int, only, results, profile string, out io.Writer) error {
	load, err := buildLoad()
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Dir(load))
	b := &book{rounds: rounds, values: make(map[line][]result)}
	for _, p := range programs {
		if only != "" && !slices.Contains(strings.Split(only, ","), p.name) {
			continue
		}
		if p.needs != nil {
			if err := p.needs(); err != nil {
				b.missing = append(b.missing, fmt.Sprintf("%s: %v.", p.title, err))
				continue
			}
		}
		p.ways = slices.DeleteFunc(slices.Clone(p.ways), func(w way) bool {
			if w.script == "" || exec.Command(debian, "-c", "import "+w.needs).Run() == nil {
				return false
			}
			b.missing = append(b.missing, fmt.Sprintf("%s in %s: %s cannot import that.", p.title, w.name, debian))
			return true
		})
		b.programs = append(b.programs, p)
	}
	for round := range rounds {
		for _, p := range b.programs {
			checks := make(map[string]string)
			for i := range p.ways {
				w := p.ways[(i+round)%len(p.ways)] // nobody is always the first
				if w.slow && round%3 != 0 {
					continue
				}
				for _, one := range []bool{true, false} {
					if w.script != "" && !one || runtime.NumCPU() < 2 && !one {
						continue // it has one thread
					}
					found, err := p.process(w, run{p.n, one, load, profile})
					if err != nil {
						return fmt.Errorf("round %d, %s, %s: %w", round+1, p.name, w.name, err)
					}
					checks[found.Check] = w.name
					if len(checks) > 1 {
						return fmt.Errorf("%s: the ways differ in what they find: %v", p.name, checks)
					}
					l := line{p.name, w.name, one}
					b.values[l] = append(b.values[l], found)
				}
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, p.name)
		}
	}
	if results != "" {
		if err := b.write(results); err != nil {
			return err
		}
	}
	_, err = io.WriteString(out, b.table())
	return err
}

// buildLoad builds the program that asks web servers.
func buildLoad() (string, error) {
	bin, err := os.MkdirTemp("", "programs")
	if err != nil {
		return "", err
	}
	load := filepath.Join(bin, "load")
	c := exec.Command("go", "build", "-o", load, "github.com/go-greenlet/greenlet/bench/world/load")
	c.Stderr = os.Stderr
	return load, c.Run()
}

// process has a way run in a process of its own.
func (p program) process(w way, r run) (found result, err error) {
	var c *exec.Cmd
	if w.script != "" {
		c = exec.Command(debian, filepath.Join("programs", w.script), fmt.Sprint(r.n))
	} else if c, err = self("-run", p.name, "-way", w.name, "-n", fmt.Sprint(r.n), fmt.Sprint("-one=", r.one), "-load", r.load, "-profile", r.profile); err != nil {
		return found, err
	}
	c.Stderr = os.Stderr
	says, err := c.StdoutPipe()
	if err != nil {
		return found, err
	}
	cpu := -1
	if r.one && runtime.NumCPU() > 1 {
		c.Env, cpu = append(os.Environ(), "GOMAXPROCS=1"), serverCPU
		if p.serve != nil {
			cpu = loadCPU
		}
	}
	if err := process.Start(c, cpu); err != nil {
		return found, err
	}
	failed := json.NewDecoder(says).Decode(&found)
	return found, errors.Join(c.Wait(), failed)
}

// self is this program, with other arguments.
func self(args ...string) (*exec.Cmd, error) {
	name, err := os.Executable()
	return exec.Command(name, args...), err
}

// profiled begins a profile, if there shall be one. That of a server is for a second,
// while it is asked; one that only asks has none.
func (r run) profiled(name, way string, serve bool) (stop func(), err error) {
	if p := programs[slices.IndexFunc(programs, func(p program) bool { return p.name == name })]; r.profile == "" || p.serve != nil && !serve {
		return func() {}, nil
	}
	procs := "all"
	if r.one {
		procs = "one"
	}
	f, err := os.Create(filepath.Join(r.profile, strings.NewReplacer(" ", "-", "/", "-", ",", "").Replace(name+"-"+way)+"-"+procs+".pprof"))
	if err != nil {
		return nil, err
	}
	if serve {
		time.AfterFunc(500*time.Millisecond, func() {
			pprof.StartCPUProfile(f)
			time.AfterFunc(time.Second, pprof.StopCPUProfile)
		})
		return func() {}, nil
	}
	return pprof.StopCPUProfile, pprof.StartCPUProfile(f)
}
