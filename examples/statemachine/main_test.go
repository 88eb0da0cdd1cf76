package main

import (
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

func TestRun(t *testing.T) {
	const want = `7              nothing
lift           dial tone
2              dialled 2
tick           dialled 2
0              dialled 20
5              calling 205
answered       a voice
other hangs up dial tone
hang up        nothing
ring           the bell
ring           the bell
lift           a voice
hang up        nothing
lift           dial tone
1              dialled 1
tick           dialled 1
tick           dialled 1
tick           dialled 1
tick           dialled 1
tick           howler
1              howler
hang up        nothing
`
	var out strings.Builder
	run(&out)
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}

// Every way through the machine ends where it began.
func TestWays(t *testing.T) {
	for _, c := range []struct{ events, heard string }{
		{"lift,hang up", "dial tone,nothing"},
		{"lift,1,hang up", "dial tone,dialled 1,nothing"},
		{"lift,1,2,3,hang up", "dial tone,dialled 1,dialled 12,calling 123,nothing"},
		{"lift,1,2,3,tick,busy,tick,hang up", "dial tone,dialled 1,dialled 12,calling 123,calling 123,engaged tone,engaged tone,nothing"},
		{"lift,x,tick,12,hang up", "dial tone,dial tone,dial tone,dial tone,nothing"},
		{"lift,tick,tick,tick,tick,1,tick,tick,hang up", "dial tone,dial tone,dial tone,dial tone,dial tone,dialled 1,dialled 1,dialled 1,nothing"},
		{"ring,tick,other hangs up", "the bell,the bell,nothing"},
		{"ring,lift,tick,other hangs up,hang up", "the bell,a voice,a voice,dial tone,nothing"},
		{"hang up,busy,tick", "nothing,nothing,nothing"},
	} {
		phone := newTelephone()
		heard := strings.Split(c.heard, ",")
		for i, e := range strings.Split(c.events, ",") {
			if got, _ := phone.Resume(event(e)); got != heard[i] {
				t.Errorf("%s: at event %d one hears %q, want %q", c.events, i, got, heard[i])
				break
			}
		}
		if err := phone.Close(); err != nil {
			t.Error(err)
		}
	}
	if live := greenlet.Stats().Live; live != 0 {
		t.Errorf("%d telephones are still alive", live)
	}
}
