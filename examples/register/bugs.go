package main

import (
	"fmt"
	"strings"
)

// A Bug is one that the flag -bug plants, to see that it is found.
type Bug string

// The bugs.
const (
	NoBug        Bug = ""
	EarlySend    Bug = "early-send"     // messages go out before what they promise is on the disk
	StaleRead    Bug = "stale-read"     // who believes to lead answers reads alone
	LostVote     Bug = "lost-vote"      // the term, and for whom a node has voted in it, are not kept
	LostRename   Bug = "lost-rename"    // the folder is not synced after a rename
	DoneTwice    Bug = "done-twice"     // a request that is asked again is done again
	WaitsForEver Bug = "waits-for-ever" // a client has no deadline, and no keep-alive: its connection may have no other end
)

// Bugs are all of them.
var Bugs = []Bug{EarlySend, StaleRead, LostVote, LostRename, DoneTwice, WaitsForEver}

// String and Set make it a flag.Value.
func (b *Bug) String() string { return string(*b) }

// Set is told what stands on the command line.
func (b *Bug) Set(s string) error {
	var names []string
	for _, known := range append(Bugs, NoBug) {
		if Bug(s) == known {
			*b = known
			return nil
		}
		names = append(names, string(known))
	}
	return fmt.Errorf("there is %s", strings.Join(names[:len(names)-1], ", "))
}
