package main

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/dop251/goja"

	"github.com/go-greenlet/greenlet"
)

func TestRun(t *testing.T) {
	const want = `  1  guard: all quiet at 0, 0
  1  merchant: lamps, fine lamps
  1  merchant: a lamp for 10 coins?
  3  bard: 1. the moon was high
  5  player to merchant: no
  5  merchant: a lamp for 9 coins?
  6  bard: 2. the road was long
  8  player to merchant: no
  8  merchant: a lamp for 8 coins?
  9  bard: 3. and no one came along
 11  guard: all quiet at 4, 0
 12  bard: a coin for the song?
 15  player to bard: here you are
 15  bard: thank you
 15  (bard has finished)
 16  (guard does not listen)
 17  player to merchant: yes
 17  merchant: sold for 8
 17  (merchant has finished)
 19  guard: all quiet at 4, 2
500 villagers took 36662 turns in 100 ticks and walked 31529 steps
`
	var out strings.Builder
	if err := run(&out, 500); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
	if live := greenlet.Stats().Live; live != 0 {
		t.Errorf("%d scripts are still alive", live)
	}
}

// place is where in the program an error was met.
var place = regexp.MustCompile(` at .*\)`)

// An error, of the script or of what it calls, ends the script and nothing
// else; a script that catches it goes on.
func TestErrors(t *testing.T) {
	defer greenlet.Close()

	for script, want := range map[string]string{
		`wait(0)`:               "  1  (x: GoError: x cannot wait 0 ticks at ...)\n",
		`throw new Error("no")`: "  1  (x: Error: no at ...)\n",
		`try { wait(-1) } catch (e) { say("oh"); wait(1) } say("well")`: "  1  x: oh\n  2  x: well\n  2  (x has finished)\n",
	} {
		var out strings.Builder
		g := newGame(&out)
		g.wake(newNPC(g, "x", 0, 0, goja.MustCompile("script", script, true)), 1)
		for range 5 {
			g.next()
		}
		if got := place.ReplaceAllString(out.String(), " at ...)"); got != want {
			t.Errorf("%s: got:\n%swant:\n%s", script, got, want)
		}
	}
}

// Scripts that wait in the middle of the engine, and never come to an end, are
// ended by Close. What a script would do last is not done: it has no say in it.
func TestClose(t *testing.T) {
	var out strings.Builder
	g := newGame(&out)
	script := goja.MustCompile("script", `try { [1].map(() => ask("?")) } catch (e) { say(e) } finally { say("!") }`, true)
	for range 100 {
		g.wake(newNPC(g, "x", 0, 0, script), 1)
	}
	g.next()
	if live := greenlet.Stats().Live; live != 100 {
		t.Errorf("%d scripts are alive, want 100", live)
	}
	greenlet.Close()
	if live := greenlet.Stats().Live; live != 0 {
		t.Errorf("%d scripts are still alive", live)
	}
	if got, want := out.String(), strings.Repeat("  1  x: ?\n", 100); got != want {
		t.Errorf("got %q", got)
	}
}

// BenchmarkVillage is a tick of 2,000 scripts, and tells what one of them takes
// in memory.
func BenchmarkVillage(b *testing.B) {
	defer greenlet.Close()

	const villagers = 2000
	before := inUse()
	g, err := village(villagers)
	if err != nil {
		b.Fatal(err)
	}
	for range 20 {
		g.next()
	}
	each := float64(inUse()-before) / villagers
	g.turns = 0
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		g.next()
	}
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(g.turns), "ns/turn")
	b.ReportMetric(each, "B/script")
	b.ReportMetric(0, "ns/op")
}

// inUse is the memory of heap and stacks together.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
