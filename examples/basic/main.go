// Basic shows two functions that switch to and fro by name: each stops in the
// middle, the other goes on, and control comes back to where it left.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/go-greenlet/greenlet"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	defer greenlet.Close() // ends gr1, which is still waiting

	var gr1, gr2 *greenlet.Greenlet
	gr1 = greenlet.New(func(any) (any, error) {
		fmt.Fprintln(w, 1)
		if _, err := gr2.Switch(nil); err != nil { // starts gr2
			return nil, err
		}
		fmt.Fprintln(w, 3)
		return gr2.Switch(nil) // nobody switches back
	})
	gr2 = greenlet.New(func(any) (any, error) {
		fmt.Fprintln(w, 2)
		if _, err := gr1.Switch(nil); err != nil {
			return nil, err
		}
		fmt.Fprintln(w, 4)
		return nil, nil // ends gr2: its parent, which called run, goes on
	})

	if _, err := gr1.Switch(nil); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "gr1 dead", yesNo(gr1.Dead()), "gr2 dead", yesNo(gr2.Dead()))
	return err
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
