//go:build !race

package greenlet_test

const raceOn = false
