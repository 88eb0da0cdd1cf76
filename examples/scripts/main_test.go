package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

func TestRun(t *testing.T) {
	const lines = `  ann has done 1
  bob has done 1
  ann has done 1, 2
  ann has done 1, 2, 3
  bob has done 1, 2
  ann is done
  bob has done 1, 2, 3
  bob is done
`
	var want, got strings.Builder
	for _, e := range engines {
		want.WriteString(e.name + "\n" + lines)
	}
	if err := run(&got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("got:\n%s\nwant:\n%s", &got, &want)
	}
}

// In every order of their turns each script says what it says alone.
func TestOrders(t *testing.T) {
	defer greenlet.Close()

	for _, e := range engines {
		var all func(turns []string, ann, bob int)
		all = func(turns []string, ann, bob int) {
			if ann > 0 {
				all(append(slices.Clip(turns), "ann"), ann-1, bob)
			}
			if bob > 0 {
				all(append(slices.Clip(turns), "bob"), ann, bob-1)
			}
			if ann > 0 || bob > 0 {
				return
			}
			var w strings.Builder
			if err := play(&w, e, turns...); err != nil {
				t.Fatalf("%s, %v: %v", e.name, turns, err)
			}
			said := map[string][]string{}
			for line := range strings.Lines(w.String()) {
				who, what, _ := strings.Cut(strings.TrimSpace(line), " ")
				said[who] = append(said[who], what)
			}
			want := []string{"has done 1", "has done 1, 2", "has done 1, 2, 3", "is done"}
			for _, who := range []string{"ann", "bob"} {
				if !slices.Equal(said[who], want) {
					t.Fatalf("%s, %v: %s says %q", e.name, turns, who, said[who])
				}
			}
		}
		all(nil, 4, 4)
	}
}

// Scripts that are suspended can be ended, and an error of what a script has called
// reaches it.
func TestEnd(t *testing.T) {
	for _, e := range engines {
		if err := play(io.Discard, e, "ann", "bob", "ann"); err != nil {
			t.Fatal(err)
		}
		greenlet.Close()
		if live := greenlet.Stats().Live; live != 0 {
			t.Errorf("%s: %d scripts are still alive", e.name, live)
		}
		script, err := e.begin()
		if err != nil {
			t.Fatal(err)
		}
		g := greenlet.New(func(any) (any, error) { return script("ann") })
		g.Switch(nil)
		_, err = g.Throw(io.ErrUnexpectedEOF)
		if err == nil || !strings.Contains(err.Error(), io.ErrUnexpectedEOF.Error()) {
			t.Errorf("%s: %v", e.name, err)
		}
	}
}
