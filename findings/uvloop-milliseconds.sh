#!/usr/bin/env bash
# The timers of uvloop beside those of CPython's asyncio: do they end in the same order,
# and never too early?
#
# Guess: a drop-in replacement fires timers in the order of their times, never before its
# time, and calls what call_soon was given before what call_later(0) was given, as asyncio
# does in one turn.
# Seen: with uvloop 0.17.0 of Debian 12, CPython 3.11.2, uvloop counts in milliseconds:
#   call_at for 20.9, 20.8 and 20.7 ms, set in that order, come in that order; asyncio has
#       the earliest first
#   a hundred times sleep(0.0004), one after the other, take less than 10 ms; asyncio takes
#       40 ms at least. Less than half a millisecond is no time at all.
#   call_later(0) is call_soon; asyncio looks at timers later
# So a loop that polls every 0.4 ms spins on uvloop, and what must keep the order of close
# times goes by a heap of one's own.
#
# Needs Debian 12's packages (apt-get update has been run).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get download -qq python3-uvloop=0.17.0+ds1-2+b2 libuv1=1.44.2-1+deb12u1 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
cat >timers.py <<'EOF2'
import asyncio, platform, time

import uvloop


async def order():
    loop, seen = asyncio.get_running_loop(), []
    base = loop.time()
    for tenth in 209, 208, 207:
        loop.call_at(base + tenth / 10000, seen.append, tenth / 10)
    await asyncio.sleep(0.1)
    return seen


async def short():
    start = time.monotonic()
    for _ in range(100):
        await asyncio.sleep(0.0004)
    took = time.monotonic() - start
    return "too early" if took < 0.010 else "not too early" if took >= 0.040 else took


async def zero():
    loop, seen = asyncio.get_running_loop(), []
    loop.call_later(0, seen.append, "later")
    loop.call_soon(seen.append, "soon")
    await asyncio.sleep(0.01)
    return seen


print(platform.python_version(), uvloop.__version__)
for name, make in ("asyncio", asyncio.new_event_loop), ("uvloop", uvloop.new_event_loop):
    with asyncio.Runner(loop_factory=make) as runner:
        print(name, *(runner.run(f()) for f in (order, short, zero)))
EOF2
PYTHONPATH=root/usr/lib/python3/dist-packages LD_LIBRARY_PATH=root/usr/lib/x86_64-linux-gnu /usr/bin/python3 timers.py | tee seen
diff seen - <<'EOF2'
3.11.2 0.17.0
asyncio [20.7, 20.8, 20.9] not too early ['soon', 'later']
uvloop [20.9, 20.8, 20.7] too early ['later', 'soon']
EOF2
echo "as it was seen"
