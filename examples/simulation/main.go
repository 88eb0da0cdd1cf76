// Simulation shows discrete events in the manner of SimPy: every customer of a
// bank and every machine of a workshop is a function that waits, on a clock
// that jumps from event to event. The kernel is sim.go. With -svg it draws what
// happened.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/go-greenlet/greenlet"
)

func main() {
	n := flag.Int("n", 1000, "customers in a day, and machines")
	seed := flag.Uint64("seed", 1, "of the chances")
	svg := flag.String("svg", "", "file for a picture of the result")
	flag.Parse()
	if err := run(os.Stdout, *n, *seed, *svg); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, n int, seed uint64, svg string) error {
	b := simulateBank(w, n, seed)
	s := simulateShop(w, n, seed)
	if svg == "" {
		return nil
	}
	return os.WriteFile(svg, []byte(draw(b, s)), 0o666)
}

func simulateBank(w io.Writer, n int, seed uint64) *bank {
	defer greenlet.Close()

	env := new(Env)
	b := &bank{opens: 9 * time.Hour, closes: 17 * time.Hour}
	b.simulate(env, rand.New(rand.NewPCG(seed, 1)), n)

	slices.Sort(b.waits)
	longest := slices.MaxFunc(b.lengths, func(a, b point) int { return a.value - b.value })
	fmt.Fprintf(w, "a bank with %d counters, a day\n", b.counters)
	fmt.Fprintf(w, "  customers       %8d, of whom %d gave up\n", b.came, b.gaveUp)
	fmt.Fprintf(w, "  their wait      %8s on average, 95 of 100 no longer than %s\n", minutes(mean(b.waits)), minutes(quantile(b.waits, 0.95)))
	fmt.Fprintf(w, "  longest queue   %8d, at %s\n", longest.value, clock(longest.at))
	fmt.Fprintf(w, "  counters busy   %8s\n", percent(b.busy, b.counters, b.closes-b.opens))
	fmt.Fprintf(w, "  steps           %8d\n", env.Steps)
	return b
}

func simulateShop(w io.Writer, n int, seed uint64) *shop {
	defer greenlet.Close() // ends the machines

	const days = 30
	env := new(Env)
	s := new(shop)
	s.simulate(env, rand.New(rand.NewPCG(seed, 2)), n, days)

	fmt.Fprintf(w, "a workshop with %d fitters, %d days\n", s.fitters, days)
	fmt.Fprintf(w, "  machines        %8d\n", s.machines)
	fmt.Fprintf(w, "  breakdowns      %8d\n", s.breakdowns)
	fmt.Fprintf(w, "  machines down   %8s of the time\n", percent(s.lost, n, env.Now()))
	fmt.Fprintf(w, "  fitters busy    %8s\n", percent(s.busy, s.fitters, env.Now()))
	fmt.Fprintf(w, "  steps           %8d\n", env.Steps)
	return s
}

func mean(ds []time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range ds {
		sum += d
	}
	return sum / time.Duration(max(1, len(ds)))
}

// quantile is the value that a share of the sorted ds do not exceed.
func quantile(ds []time.Duration, share float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	return ds[int(share*float64(len(ds)-1))]
}

func minutes(d time.Duration) string { return fmt.Sprintf("%.1f min", d.Minutes()) }

func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

// percent tells how much of their time n spent with what took these hours.
func percent(hours float64, n int, of time.Duration) string {
	return fmt.Sprintf("%.1f %%", 100*hours/(float64(n)*of.Hours()))
}
