//go:build linux

// Clients measures those who ask, beside the same on goroutines: selects of a
// database, and pages of a server that takes its time for each. Each run is a
// process of its own with GOMAXPROCS=1, in turns, in several rounds.
//
//	tools/servers.sh with mariadb -- go run -C bench/world ./clients
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/bench/net/process"
)

// A run is what one process has found, for one call.
type run struct {
	Wall      float64 // milliseconds, of all
	Processor float64 // microseconds
	Allocs    float64
}

// A work is what is measured, in several ways.
type work struct {
	name string
	n    int // calls
	ways []way
}

type way struct {
	name string
	run  func(n int, server string) (run, error)
}

var works = []work{
	{"selects", 20_000, []way{
		{"tasks", selectsInTasks},
		{"goroutines that can be cancelled", selectsToBeCancelled},
		{"goroutines that cannot", selectsOnGoroutines},
	}},
	{"crawl", 1000, []way{{"tasks", crawlInTasks}, {"goroutines", crawlOnGoroutines}}},
}

func main() {
	rounds := flag.Int("rounds", 10, "rounds")
	only := flag.String("run", "", "a run of a process: the work")
	on := flag.Int("on", 0, "which way, of that")
	server := flag.String("server", "", "the server, of that")
	n := flag.Int("n", 0, "how many calls; 0: as many as are asked for")
	flag.Parse()
	if *only == "" {
		if err := measure(*rounds, *n, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	w := works[slices.IndexFunc(works, func(w work) bool { return w.name == *only })]
	r, err := w.ways[*on].run(cmp.Or(*n, w.n), *server)
	if err != nil {
		log.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(r)
}

func measure(rounds, n int, out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	servers := map[string]string{"selects": os.Getenv("MYSQL_DSN"), "crawl": slowServer()}
	found := make(map[string][]run)
	for round := range rounds {
		for _, w := range works {
			if servers[w.name] == "" {
				fmt.Fprintln(os.Stderr, "skipped", w.name, "as there is no MYSQL_DSN")
				continue
			}
			for i := range w.ways {
				on := (i + round) % len(w.ways)
				c := exec.Command(self, "-run", w.name, "-on", fmt.Sprint(on), "-server", servers[w.name], "-n", fmt.Sprint(cmp.Or(n, w.n)))
				c.Env, c.Stderr = append(os.Environ(), "GOMAXPROCS=1"), os.Stderr
				b, err := c.Output()
				if err != nil {
					return fmt.Errorf("%s on %s: %w", w.name, w.ways[on].name, err)
				}
				var r run
				if err := json.Unmarshal(b, &r); err != nil {
					return err
				}
				key := w.name + " on " + w.ways[on].name
				found[key] = append(found[key], r)
			}
		}
	}
	fmt.Fprintf(out, "%s, %d processors, %d rounds, medians, and the least\n\n", runtime.Version(), runtime.NumCPU(), rounds)
	fmt.Fprintf(out, "| | all, ms | least | processor time for one, µs | least | allocations for one |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, w := range works {
		for _, on := range w.ways {
			if r := found[w.name+" on "+on.name]; r != nil {
				fmt.Fprintf(out, "| %s on %s | %.0f | %.0f | %.1f | %.1f | %.2f |\n", w.name, on.name,
					median(r, wall), least(r, wall), median(r, perCall), least(r, perCall), median(r, allocs))
			}
		}
	}
	fmt.Fprintln(out)
	for _, w := range works {
		first := found[w.name+" on "+w.ways[0].name]
		for _, on := range w.ways[1:] {
			if other := found[w.name+" on "+on.name]; other != nil {
				fmt.Fprintf(out, "%s on %s against %s: %.2f of the time, %.2f of the processor time.\n",
					w.name, w.ways[0].name, on.name, ratio(first, other, wall), ratio(first, other, perCall))
			}
		}
	}
	return nil
}

func wall(r run) float64    { return r.Wall }
func perCall(r run) float64 { return r.Processor }
func allocs(r run) float64  { return r.Allocs }

// ratio is the median of the ratios of each round.
func ratio(over, under []run, of func(run) float64) float64 {
	all := make([]run, len(over))
	for i := range all {
		all[i].Wall = of(over[i]) / of(under[i])
	}
	return median(all, wall)
}

func median(runs []run, of func(run) float64) float64 {
	var v []float64
	for _, r := range runs {
		v = append(v, of(r))
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func least(runs []run, of func(run) float64) float64 {
	return of(slices.MinFunc(runs, func(a, b run) int { return cmp.Compare(of(a), of(b)) }))
}

// timed measures f, which makes n calls.
func timed(n int, f func() error) (r run, err error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	used, begin := processor(), time.Now()
	err = f()
	wall := time.Since(begin)
	used = processor() - used
	runtime.ReadMemStats(&after)
	return run{
		Wall:      float64(wall.Microseconds()) / 1000,
		Processor: float64(used.Nanoseconds()) / 1000 / float64(n),
		Allocs:    float64(after.Mallocs-before.Mallocs) / float64(n),
	}, err
}

// processor is the processor time of this process so far.
func processor() time.Duration {
	d, err := process.Clock(unix.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	return d
}

// slowServer is the address of a server in this process that takes 50 ms for each
// page.
func slowServer() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		io.WriteString(w, "a page")
	}))
	return ln.Addr().String()
}

var background = context.Background()
