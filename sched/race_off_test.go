//go:build !race

package sched

// RaceOn tells that the race detector watches: tests that are all mass do less.
const RaceOn = false
