package main

import (
	"fmt"
	"io"
	"math/rand/v2"
)

// A game is a world that goes on tick by tick, on one goroutine. The same
// player makes it take the same course.
type game struct {
	out   io.Writer
	rng   *rand.Rand
	tick  int
	due   map[int][]*npc // who goes on at a tick, in the order of asking
	steps int            // that were walked
	turns int            // how often a script was resumed
}

func newGame(out io.Writer) *game {
	return &game{out: out, rng: rand.New(rand.NewPCG(1, 2)), due: make(map[int][]*npc)}
}

func (g *game) log(format string, args ...any) {
	fmt.Fprintf(g.out, "%3d  %s\n", g.tick, fmt.Sprintf(format, args...))
}

// wake resumes n after some ticks.
func (g *game) wake(n *npc, ticks int) {
	g.due[g.tick+ticks] = append(g.due[g.tick+ticks], n)
}

// next is one tick.
func (g *game) next() {
	g.tick++
	due := g.due[g.tick]
	delete(g.due, g.tick)
	for _, n := range due {
		g.resume(n, "")
	}
}

// answer is the player, who says something to n. It reports whether n had asked.
func (g *game) answer(n *npc, text string) bool {
	if !n.asking {
		return false
	}
	g.log("player to %s: %s", n.name, text)
	g.resume(n, text)
	return true
}

// resume lets n's script go on until it waits again.
func (g *game) resume(n *npc, heard string) {
	g.turns++
	if _, more := n.play.Resume(heard); more {
		return
	}
	if err := n.play.Err(); err != nil {
		g.log("(%s: %v)", n.name, err)
	} else {
		g.log("(%s has finished)", n.name)
	}
}
