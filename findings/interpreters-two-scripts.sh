#!/usr/bin/env bash
# Two scripts that are suspended inside one interpreter, and go on in the order in
# which they began: what goja and starlark-go make of it.
#
# Each script keeps its number in a local variable, calls a function of the host's,
# which suspends it (iter.Pull: no library of ours), and returns the number.
#
# Guess: an engine that cannot have two calls suspended at a time says so; at worst
# a stack trace is wrong.
# Seen:
#   goja v0.0.0-20260917113740-793a2a65c13b, one Runtime: no error, and each script
#       returns a number that is not its own
#   starlark-go v0.0.0-20260908191801-89a6a09411d5, one Thread: the second script is
#       refused, as a recursion, before it begins: the two call the same function
# So what can be suspended needs a Runtime, or a Thread, of its own.
#
# Needs Go and the module proxy.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module scripts

go 1.26.0

require (
	github.com/dop251/goja v0.0.0-20260917113740-793a2a65c13b
	go.starlark.net v0.0.0-20260908191801-89a6a09411d5
)
EOF
cat >main.go <<'EOF'
package main

import (
	"fmt"
	"iter"

	"github.com/dop251/goja"
	"go.starlark.net/starlark"
)

// turns lets two scripts begin, and then lets both go on, the first one first.
func turns(name string, script func(n int, pause func()) (string, error)) {
	results := make([]string, 2)
	var next [2]func() (int, bool)
	for i := range next {
		seq := func(yield func(int) bool) {
			result, err := script(i+1, func() { yield(0) })
			if err != nil {
				result = "error: " + err.Error()
			}
			results[i] = result
		}
		next[i], _ = iter.Pull(iter.Seq[int](seq))
	}
	for range 2 {
		for i := range next {
			next[i]()
		}
	}
	fmt.Printf("%s: script 1 gives %s, script 2 gives %s\n", name, results[0], results[1])
}

func main() {
	js := goja.New()
	work, err := js.RunString("(function(n) { var mine = n; pause(); return mine })")
	if err != nil {
		panic(err)
	}
	call, _ := goja.AssertFunction(work)
	turns("goja", func(n int, pause func()) (string, error) {
		js.Set("pause", pause)
		v, err := call(goja.Undefined(), js.ToValue(n))
		return fmt.Sprint(v), err
	})

	var pauseNow func()
	builtin := starlark.NewBuiltin("pause", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		pauseNow()
		return starlark.None, nil
	})
	thread := new(starlark.Thread)
	globals, err := starlark.ExecFile(thread, "work.star", "def work(n):\n    pause()\n    return n\n", starlark.StringDict{"pause": builtin})
	if err != nil {
		panic(err)
	}
	turns("starlark-go", func(n int, pause func()) (string, error) {
		pauseNow = pause
		v, err := starlark.Call(thread, globals["work"], starlark.Tuple{starlark.MakeInt(n)}, nil)
		if err != nil {
			return "", err
		}
		return v.String(), nil
	})
}
EOF
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff seen - <<'EOF'
goja: script 1 gives 2, script 2 gives 1
starlark-go: script 1 gives 1, script 2 gives error: function work called recursively
EOF
echo "as it was seen"
