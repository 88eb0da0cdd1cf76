#!/usr/bin/env bash
# What is left in a goja Runtime when a script has not ended by itself: interrupted from
# outside (Runtime.Interrupt), or by a Go function of the host's that ends its goroutine
# with runtime.Goexit, as t.FailNow does, and as a coroutine that is killed is unwound.
# After that the Runtime runs other scripts, with async functions.
#
# Guess: an interrupt is an error that no script can catch, and a Goexit is like a panic.
# The calls of that script are gone, and the Runtime goes on: promise jobs that are in the
# queue run at the end of the next script, and those of later scripts at their ends.
# Seen: with goja v0.0.0-20260917113740-793a2a65c13b
#   Interrupt: the jobs that were in the queue are dropped. An async function that had
#       come to its first await is pending for ever.
#   Interrupt while a generator runs: no job of any later script runs either, and the
#       generator can neither go on nor be ended ("Illegal generator state").
#   Goexit: as the last, with a generator or without.
# Later scripts return their values, and nothing tells of the jobs that do not run.
# So throw the Runtime away after an interrupt or a Goexit, if scripts of it use promises.
#
# Needs Go and the module proxy.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module after

go 1.26.0

require github.com/dop251/goja v0.0.0-20260917113740-793a2a65c13b
EOF2
cat >main.go <<'EOF2'
package main

import (
	"fmt"
	"runtime"

	"github.com/dop251/goja"
)

// setUp is run first. step(x) notes x after a turn of the promise jobs.
const setUp = `
	var done = []
	async function step(name) { await null; done.push(name) }
	function* numbers() { try { yield 1; stop(); yield 2 } finally { done.push("finally") } }
	var g = numbers()
	g.next()`

func try(name, script string, stop func(*goja.Runtime)) {
	vm := goja.New()
	stopped := false
	vm.Set("stop", func() {
		if !stopped {
			stopped = true
			stop(vm)
		}
	})
	run := func(script string) string {
		v, err := vm.RunString(script)
		if err != nil {
			return "error"
		}
		return v.String()
	}
	run(setUp)
	run(`step("before")`)
	left := make(chan bool)
	go func() { // on a goroutine of its own, as Goexit ends it
		defer close(left)
		run(`step("during"); ` + script)
	}()
	<-left
	vm.ClearInterrupt()
	run(`step("after")`)
	run(`step("later")`)
	fmt.Printf("%s, %s: done: %s; next: %s; 1 + 1 is %s\n", script, name, run(`done.join()`),
		run(`try { g.next().value } catch (e) { e.message }`), run(`1 + 1`))
}

func main() {
	for _, script := range []string{"stop()", "g.next()"} {
		try("nothing", script, func(*goja.Runtime) {})
		try("an exception", script, func(vm *goja.Runtime) { panic(vm.NewTypeError("no")) })
		try("Interrupt", script, func(vm *goja.Runtime) { vm.Interrupt("no") })
		try("Goexit", script, func(*goja.Runtime) { runtime.Goexit() })
	}
}
EOF2
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff seen - <<'EOF2'
stop(), nothing: done: before,during,after,later; next: 2; 1 + 1 is 2
stop(), an exception: done: before,during,after,later; next: 2; 1 + 1 is 2
stop(), Interrupt: done: before,after,later; next: 2; 1 + 1 is 2
stop(), Goexit: done: before; next: 2; 1 + 1 is 2
g.next(), nothing: done: before,during,after,later; next: undefined; 1 + 1 is 2
g.next(), an exception: done: before,finally,during,after,later; next: undefined; 1 + 1 is 2
g.next(), Interrupt: done: before; next: Illegal generator state; 1 + 1 is 2
g.next(), Goexit: done: before; next: Illegal generator state; 1 + 1 is 2
EOF2
echo "as it was seen"
