#!/usr/bin/env bash
# A program calls functions of one gopher-lua state, one event after the other, each under
# a context of its own with a timeout (LState.SetContext), and cancels it when the event is
# over. A coroutine that a script makes in the first event goes on in the second one. Under
# which context does it run?
#
# The same once more with RemoveContext in the first event, and once with the coroutine
# made before any context.
#
# Guess: under that of the call that resumes it: SetContext is for the state, and a
# coroutine runs only inside a call. So the second event works as the first one does.
# Seen: with gopher-lua v1.1.2 the coroutine keeps the context under which it was made,
# and nothing can give it another one: in the second event its first step ends it
# ("context canceled"), though the second context is alive, and from then on it is dead.
# One that was made without a context goes on.
# So with coroutines that outlive an event, set one context for the state's life when it
# is made, and end a single event by other means; or make the coroutines without one.
#
# Needs Go and the module proxy.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module lua

go 1.26.0

require github.com/yuin/gopher-lua v1.1.2
EOF2
cat >main.go <<'EOF2'
package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// An event resumes the coroutine, which counts.
const script = `
function begin()
	co = coroutine.create(function() local n = 0 while true do n = n + 1 coroutine.yield(n) end end)
end
function event() return coroutine.resume(co) end`

func call(l *lua.LState, name string) string {
	must(l.CallByParam(lua.P{Fn: l.GetGlobal(name), NRet: 2, Protect: true}))
	defer l.Pop(2)
	v := l.Get(-1).String()
	for _, known := range []string{"context canceled", "dead"} {
		if strings.Contains(v, known) {
			v = known
		}
	}
	return v
}

// under calls f under a context of its own.
func under(l *lua.LState, f func()) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	l.SetContext(ctx)
	f()
}

func try(name string, begin func(l *lua.LState)) {
	l := lua.NewState()
	defer l.Close()
	must(l.DoString(script))
	begin(l)
	var seen []string
	for range 2 {
		under(l, func() { seen = append(seen, call(l, "event")) })
	}
	fmt.Printf("%s: the next two events: %s\n", name, strings.Join(seen, ", "))
}

func main() {
	try("made under a context", func(l *lua.LState) {
		under(l, func() { call(l, "begin"); call(l, "event") })
	})
	try("which was removed", func(l *lua.LState) {
		under(l, func() { call(l, "begin"); call(l, "event"); l.RemoveContext() })
	})
	try("made without one", func(l *lua.LState) { call(l, "begin"); call(l, "event") })
}
EOF2
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff seen - <<'EOF2'
made under a context: the next two events: context canceled, dead
which was removed: the next two events: context canceled, dead
made without one: the next two events: 2, 3
EOF2
echo "as it was seen"
