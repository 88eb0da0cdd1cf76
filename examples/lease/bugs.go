package main

// A Bug is one that a test plants, to see that it is found.
type Bug string

// The bugs.
const (
	NoBug      Bug = ""
	FromAnswer Bug = "the worker counts the term from the answer, not from when it has asked"
	WallClock  Bug = "the term ends at a time of the day"
	NotKept    Bug = "the numbers of leases are not kept on the disk"
	LateSync   Bug = "a lease is granted before its number is synced"
	NameLost   Bug = "the folder of the file is not synced"
	NoRest     Bug = "after a restart the service grants at once, though somebody may hold a lease"
	FreesAny   Bug = "whoever frees a lease frees that of another"
	NoFence    Bug = "the store takes what comes late, from one whose lease is over"
	OnlyPuts   Bug = "the store looks at puts only, so an old one may come between a get and its put"
	SameLease  Bug = "after a put without an answer the worker goes on with the same lease"
	NeverEnds  Bug = "the worker takes its cancel for an answer that has not come"
)

// Bugs are all of them.
var Bugs = []Bug{FromAnswer, WallClock, NotKept, LateSync, NameLost, NoRest, FreesAny, NoFence, OnlyPuts, SameLease, NeverEnds}
