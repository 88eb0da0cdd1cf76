// Statemachine shows a machine whose states are places in a program: a
// telephone that is fed one event after the other and waits, in the middle of
// any function, for the next.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/go-greenlet/greenlet"
)

func main() {
	run(os.Stdout)
}

func run(w io.Writer) {
	defer greenlet.Close()

	t := newTelephone()
	for _, e := range []event{
		"7", lift, "2", tick, "0", "5", answered, otherGone, hangUp,
		ring, ring, lift, hangUp,
		lift, "1", tick, tick, tick, tick, tick, "1", hangUp,
	} {
		heard, _ := t.Resume(e)
		fmt.Fprintf(w, "%-15s%s\n", e, heard)
	}
}
