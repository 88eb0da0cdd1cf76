package main

import (
	"embed"
	"fmt"
	"path"

	"github.com/dop251/goja"

	"github.com/go-greenlet/greenlet"
)

//go:embed scripts
var scripts embed.FS

// compile reads a script once for all who play it.
func compile(name string) (*goja.Program, error) {
	file := path.Join("scripts", name+".js")
	text, err := scripts.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return goja.Compile(file, string(text), true)
}

// An npc is a character whose script runs on a greenlet. What the script calls
// are the methods below. They are plain Go, and those that have to wait call
// suspend: the script waits inside of its call, with all the engine's frames
// between, until the game resumes it.
type npc struct {
	game *game
	name string
	x, y int

	play   *greenlet.Coro[string, struct{}] // resumed with what the player says
	asking bool
}

// newNPC makes a character. The script begins when the character is resumed.
func newNPC(g *game, name string, x, y int, script *goja.Program) *npc {
	n := &npc{game: g, name: name, x: x, y: y}
	n.play = greenlet.NewCoro(func(*greenlet.Coro[string, struct{}], string) error {
		js := goja.New()
		for name, f := range map[string]any{
			"say": n.say, "ask": n.ask, "wait": n.wait,
			"moveTo": n.moveTo, "position": n.position, "random": g.rng.IntN,
		} {
			if err := js.Set(name, f); err != nil {
				return err
			}
		}
		_, err := js.RunProgram(script)
		return err
	})
	return n
}

// suspend waits until the game resumes the script, and returns what it is
// resumed with.
func (n *npc) suspend() string { return n.play.Yield(struct{}{}) }

func (n *npc) say(text string) { n.game.log("%s: %s", n.name, text) }

// ask waits for the player's answer.
func (n *npc) ask(text string) string {
	n.say(text)
	n.asking = true
	defer func() { n.asking = false }()
	return n.suspend()
}

// wait lets some ticks pass.
func (n *npc) wait(ticks int) error {
	if ticks < 1 {
		return fmt.Errorf("%s cannot wait %d ticks", n.name, ticks)
	}
	n.game.wake(n, ticks)
	n.suspend()
	return nil
}

// moveTo walks one step a tick.
func (n *npc) moveTo(x, y int) error {
	for n.x != x || n.y != y {
		n.x += sign(x - n.x)
		n.y += sign(y - n.y)
		n.game.steps++
		if err := n.wait(1); err != nil {
			return err
		}
	}
	return nil
}

func (n *npc) position() []int { return []int{n.x, n.y} }

func sign(d int) int { return min(1, max(-1, d)) }
