// Npc shows scripts that wait: the characters of a game are written in
// JavaScript, which has no idea that say, ask, wait and moveTo are Go functions
// that suspend it. All of them share one goroutine, and it may be locked to its
// thread, as the loop of a game often is.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"

	"github.com/go-greenlet/greenlet"
)

func main() {
	n := flag.Int("n", 2000, "villagers")
	flag.Parse()
	if err := run(os.Stdout, *n); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, villagers int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	if err := story(w); err != nil {
		return err
	}
	g, err := village(villagers)
	if err != nil {
		return err
	}
	defer greenlet.Close() // ends the villagers
	for range 100 {
		g.next()
	}
	_, err = fmt.Fprintf(w, "%d villagers took %d turns in %d ticks and walked %d steps\n", villagers, g.turns, g.tick, g.steps)
	return err
}

// story plays the first minutes of a game, with a player who says his lines.
func story(w io.Writer) error {
	defer greenlet.Close()

	g := newGame(w)
	cast := map[string]*npc{}
	for _, name := range []string{"guard", "merchant", "bard"} {
		script, err := compile(name)
		if err != nil {
			return err
		}
		cast[name] = newNPC(g, name, 0, 0, script)
		g.wake(cast[name], 1)
	}
	lines := map[int]struct{ to, text string }{
		5:  {"merchant", "no"},
		8:  {"merchant", "no"},
		15: {"bard", "here you are"},
		16: {"guard", "hello"}, // who has not asked
		17: {"merchant", "yes"},
	}
	for range 20 {
		g.next()
		if line, ok := lines[g.tick]; ok && !g.answer(cast[line.to], line.text) {
			g.log("(%s does not listen)", line.to)
		}
	}
	return nil
}

// village is a game with n characters, each with an engine of his own.
func village(n int) (*game, error) {
	script, err := compile("villager")
	if err != nil {
		return nil, err
	}
	g := newGame(io.Discard)
	for i := range n {
		g.wake(newNPC(g, fmt.Sprint("villager ", i), g.rng.IntN(20), g.rng.IntN(20), script), 1)
	}
	return g, nil
}
