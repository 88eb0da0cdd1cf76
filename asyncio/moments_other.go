//go:build !linux

package asyncio

// startedOnClock is for those who look from outside, which nobody can here.
var startedOnClock int64
