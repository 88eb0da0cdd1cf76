package main

import "runtime"

// competes computes, and has no processor at times: others want all of them.
func competes() {
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for n := uint64(1); n != 0; n += 2 {
			}
		}()
	}
	computes()
}
