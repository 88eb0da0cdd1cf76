// Scripts shows two scripts at a time that are suspended in one interpreter, and
// resumed in any order: in JavaScript, Lua and Starlark, on one goroutine. An
// interpreter has a stack of its own, so each script has a runtime or a thread of
// the interpreter, as it has a greenlet.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/go-greenlet/greenlet"
)

// An engine is an interpreter with a program in it. Each call of what begin returns
// is one script: it calls pause with a line now and then, and returns the last one.
type engine struct {
	name  string
	begin func() (script func(who string) (string, error), err error)
}

var engines = []engine{
	{"JavaScript (goja)", javaScript},
	{"Lua (gopher-lua)", luaScript},
	{"Starlark", starlarkScript},
}

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	defer greenlet.Close()
	for _, e := range engines {
		fmt.Fprintln(w, e.name)
		if err := play(w, e, "ann", "bob", "ann", "ann", "bob", "ann", "bob", "bob"); err != nil {
			return err
		}
	}
	return nil
}

// play runs a script for each name, and has them go on in the order of turns.
func play(w io.Writer, e engine, turns ...string) error {
	script, err := e.begin()
	if err != nil {
		return err
	}
	scripts := map[string]*greenlet.Greenlet{}
	for _, who := range turns {
		g := scripts[who]
		if g == nil {
			g = greenlet.New(func(any) (any, error) { return script(who) })
			scripts[who] = g
		}
		line, err := g.Switch(nil)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %v\n", line)
	}
	return nil
}

// pause suspends the calling script. Its error is that the script is to end.
func pause(line string) error {
	_, err := greenlet.Current().Parent().Switch(line)
	return err
}
