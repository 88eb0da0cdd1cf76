//go:build race

package sched_test

// raceOn tells that the race detector watches: tests that are all mass do less.
const raceOn = true
