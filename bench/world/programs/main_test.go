//go:build linux

package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/internal/servers"
)

// TestMain is the program itself where a test starts a process of it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-run" {
		main()
		return
	}
	os.Exit(m.Run())
}

// All ways of each program, small, find the same.
func TestWays(t *testing.T) {
	t.Chdir("..") // where the program is run
	load, err := buildLoad()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			if p.name == service.name {
				t.Setenv("MYSQL_DSN", servers.Address(t, servers.MariaDB))
			}
			var first result
			for _, w := range p.ways {
				if w.script != "" && exec.Command(debian, "-c", "import "+w.needs).Run() != nil {
					continue
				}
				for _, one := range []bool{true, false} {
					found, err := p.process(w, run{p.short, one, load, ""})
					if err != nil {
						t.Fatalf("%s: %v", w.name, err)
					}
					if found.N <= 0 || found.Wall <= 0 || found.Processor <= 0 || found.Memory <= 0 {
						t.Errorf("%s: %+v", w.name, found)
					}
					if first.Check == "" {
						first = found
					}
					if found.Check != first.Check {
						t.Errorf("%s finds %s, want %s", w.name, found.Check, first.Check)
					}
				}
			}
		})
	}
}

// Ratios are those inside rounds, and a slow way has a third of them.
func TestRatio(t *testing.T) {
	ours, fast, slow := line{"p", "ours", true}, line{"p", "fast", true}, line{"p", "slow", true}
	of := func(seconds ...float64) (all []result) {
		for _, s := range seconds {
			all = append(all, result{N: 1, Wall: s})
		}
		return all
	}
	b := &book{values: map[line][]result{ours: of(1, 10, 100, 1000), fast: of(2, 20, 200, 3000), slow: of(7, 8000)}}
	if got := b.ratio(fast, ours, wall); got != "2×" {
		t.Errorf("the ratio is %s, want 2×", got)
	}
	if got := b.ratio(slow, ours, wall); got != "7.5×" {
		t.Errorf("the slow one's ratio is %s, want 7.5×", got)
	}
}

// The agenda gives out events in their order.
func TestAgenda(t *testing.T) {
	var a agenda
	var want []event
	own := numbers(1)
	for who := range 100 {
		e := at(own.wait(), who)
		a.push(e)
		want = append(want, e)
	}
	for range 1000 {
		slices.Sort(want)
		if a[0] != want[0] || a.afterNext() != want[1] {
			t.Fatalf("the next are %x and %x, want %x", a[0], a.afterNext(), want[:2])
		}
		want[0] = at(want[0].time()+own.wait(), want[0].who())
		a.replace(want[0])
	}
	slices.Sort(want)
	for _, e := range want {
		if a[0] != e {
			t.Fatalf("the next is %x, want %x", a[0], e)
		}
		a.pop()
	}
}

// A table has a row for each line, and says what is left out.
func TestTable(t *testing.T) {
	b := &book{rounds: 1, programs: []program{parser}, values: make(map[line][]result), missing: []string{"No SimPy."}}
	for _, w := range parser.ways {
		b.values[line{parser.name, w.name, true}] = []result{{N: 1, Wall: 1, Processor: 1}}
	}
	folder := t.TempDir()
	if err := b.write(folder); err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(folder + "/programs.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range parser.ways {
		if !strings.Contains(string(table), "| "+w.name+", 1 processor | ") {
			t.Errorf("no row for %s in\n%s", w.name, table)
		}
	}
	if !strings.Contains(string(table), "No SimPy.") {
		t.Errorf("what is left out is not in\n%s", table)
	}
}
