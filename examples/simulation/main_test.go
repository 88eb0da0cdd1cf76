package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const picture1000 = "../../docs/img/simulation.svg"

func TestRun(t *testing.T) {
	const want = `a bank with 11 counters, a day
  customers           1031, of whom 221 gave up
  their wait       4.8 min on average, 95 of 100 no longer than 14.1 min
  longest queue         69, at 12:13
  counters busy     78.4 %
  steps               3974
a workshop with 20 fitters, 30 days
  machines            1000
  breakdowns          6874
  machines down      2.9 % of the time
  fitters busy      93.8 %
  steps              20468
`
	var out strings.Builder
	svg := filepath.Join(t.TempDir(), "simulation.svg")
	if err := run(&out, 1000, 1, svg); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}

	drawn, err := os.ReadFile(svg)
	if err != nil {
		t.Fatal(err)
	}
	if shown, err := os.ReadFile(picture1000); err != nil || string(drawn) != string(shown) {
		t.Errorf("%s is not the picture of this run (%v); draw it again with -svg", picture1000, err)
	}
}

// Another world takes another course.
func TestSeed(t *testing.T) {
	var one, two strings.Builder
	for seed, out := range []*strings.Builder{&one, &two} {
		if err := run(out, 100, uint64(seed), ""); err != nil {
			t.Fatal(err)
		}
	}
	if one.String() == two.String() {
		t.Errorf("two seeds, one course:\n%s", &one)
	}
}
