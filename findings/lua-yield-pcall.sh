#!/usr/bin/env bash
# A host function of gopher-lua waits by yielding (return L.Yield(question)), and the
# program goes on with the script by L.Resume when the answer is there. A script calls it
# below pcall, so that a failed answer does not end it. What does the first Resume see, and
# when does the line behind pcall run? The same by coroutine.yield in Lua 5.1, Lua 5.4 and
# LuaJIT.
#
# Guess: gopher-lua is Lua 5.1, so pcall catches an error there, "attempt to yield across
# metamethod/C-call boundary", and the script can tell. Lua 5.4 and LuaJIT wait below pcall.
# Seen: Lua 5.1, Lua 5.4 and LuaJIT of Debian 12 as guessed. gopher-lua v1.1.2 has no error:
# Resume gets the question, but pcall has returned before it, with true and without an
# answer, and the script has run on to its next wait of its own, or to its end, as if it had
# been told.
# So with gopher-lua a script that may be suspended must not call what waits below pcall, or
# the host function must wait in Go, on a stack of its own.
#
# Needs Go, the module proxy, and the packages of Debian 12 (apt-get update has been run).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq lua5.1 lua5.4 luajit >/dev/null 2>&1
cat >script.lua <<'EOF2'
function script()
	local ok, v = pcall(function() return ask("how much?") end)
	say("behind pcall: " .. tostring(ok) .. ", " .. tostring(v))
end
EOF2
cat >own.lua <<'EOF2'
function say(text) print("  " .. text) end
ask = coroutine.yield
dofile("script.lua")
local co = coroutine.create(script)
print(arg[1])
local _, question = coroutine.resume(co)
print("  the first resume gets " .. tostring(question))
if coroutine.status(co) == "suspended" then coroutine.resume(co, 42) end
EOF2
cat >go.mod <<'EOF2'
module pcall

go 1.26.0

require github.com/yuin/gopher-lua v1.1.2
EOF2
cat >main.go <<'EOF2'
package main

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

func main() {
	l := lua.NewState()
	defer l.Close()
	l.SetGlobal("say", l.NewFunction(func(l *lua.LState) int {
		fmt.Println(" ", l.ToString(1))
		return 0
	}))
	l.SetGlobal("ask", l.NewFunction(func(l *lua.LState) int { return l.Yield(l.Get(1)) }))
	if err := l.DoFile("script.lua"); err != nil {
		panic(err)
	}
	fmt.Println("gopher-lua")
	co, _ := l.NewThread()
	_, err, values := l.Resume(co, l.GetGlobal("script").(*lua.LFunction))
	fmt.Println("  the first resume gets", values, err)
}
EOF2
go mod tidy >/dev/null 2>&1
{
	lua5.1 own.lua "Lua 5.1"
	lua5.4 own.lua "Lua 5.4"
	luajit own.lua LuaJIT
	go run .
} | tee seen
diff seen - <<'EOF2'
Lua 5.1
  behind pcall: false, attempt to yield across metamethod/C-call boundary
  the first resume gets nil
Lua 5.4
  the first resume gets how much?
  behind pcall: true, 42
LuaJIT
  the first resume gets how much?
  behind pcall: true, 42
gopher-lua
  behind pcall: true, nil
  the first resume gets [how much?] <nil>
EOF2
echo "as it was seen"
