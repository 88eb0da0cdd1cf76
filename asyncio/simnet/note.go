package simnet

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Note records what the program says, as fmt.Sprintln puts it together: it is among
// the Events, in the Hash and in the picture. Of an error that the system's words are in
// it has Linux's words, wherever it runs. It does not switch.
func Note(ctx context.Context, what ...any) {
	what = slices.Clone(what)
	for i := range what {
		if err, ok := what[i].(error); ok {
			what[i] = inLinuxWords(err)
		}
	}
	h := HostOf(ctx)
	h.net.record(Event{Kind: Noted, From: h, Text: strings.TrimSuffix(fmt.Sprintln(what...), "\n")})
}

// reached is what Sometimes was told of one thing.
type reached struct {
	name  string
	asked int
	times int
}

// Sometimes notes whether something is so that should be so now and then: a request
// that is tried again, say. It is how to know that the faults of a test reach what they
// are meant to reach: asynciotest.Explore logs what was so in none of its runs. It does
// not switch.
func Sometimes(ctx context.Context, name string, is bool) {
	n := HostOf(ctx).net
	i := slices.IndexFunc(n.reached, func(r reached) bool { return r.name == name })
	if i < 0 {
		i = len(n.reached)
		n.reached = append(n.reached, reached{name: name})
	}
	n.reached[i].asked++
	if is {
		n.reached[i].times++
	}
}

// Reached returns how often each thing was so that Sometimes was told of, by name.
func (n *Network) Reached() map[string]int {
	all := make(map[string]int)
	for _, r := range n.reached {
		all[r.name] = r.times
	}
	return all
}
