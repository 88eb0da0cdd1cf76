"""What bench/loop_test.go measures, on CPython's event loop or on uvloop.

Prints benchmark lines. Usage: loop.py asyncio|uvloop MILLISECONDS
Each case runs on a loop of its own, for about the given time; the collector is
left on, as users have it.
"""

import asyncio
import gc
import sys
import time

kind, budget = sys.argv[1], int(sys.argv[2]) / 1000

if kind == "uvloop":
    from uvloop import new_event_loop
else:
    from asyncio import new_event_loop


def case(name, unit, measure, n):
    """measure(loop, n) does n operations and returns how long they took."""

    def once(n):
        gc.collect()
        loop = new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(measure(loop, n))
        finally:
            loop.close()

    took = once(n)
    if took < budget / 2:
        n = int(n * budget / took) // 1000 * 1000
        took = once(n)
    print(f"Benchmark{name}/by={kind} {n} {took / n * 1e9:.1f} {unit}", flush=True)


async def trivial():
    return 1


async def hop(loop, n, tasks=1000):
    async def worker():
        sleep = asyncio.sleep
        for _ in range(n // tasks):
            await sleep(0)

    workers = [loop.create_task(worker()) for _ in range(tasks)]
    begin = time.perf_counter()
    for w in workers:
        await w
    return time.perf_counter() - begin


async def spawn(loop, n):
    begin = time.perf_counter()
    for _ in range(n):
        await loop.create_task(trivial())
    return time.perf_counter() - begin


async def gather(loop, n):
    begin = time.perf_counter()
    for _ in range(max(1, n // 10_000)):
        await asyncio.gather(*[trivial() for _ in range(10_000)])
    return (time.perf_counter() - begin) * n / (max(1, n // 10_000) * 10_000)


async def call_soon(loop, n):
    def callback():
        pass

    begin = time.perf_counter()
    for _ in range(n // 1000):
        for _ in range(1000):
            loop.call_soon(callback)
        await asyncio.sleep(0)
    return time.perf_counter() - begin


async def timers(loop, n):
    """n timers are made, none of which fires, then all are cancelled."""

    def callback():
        pass

    begin = time.perf_counter()
    handles = [loop.call_later(1000 + (i * 7919 % n) * 1e-3, callback) for i in range(n)]
    for h in handles:
        h.cancel()
    await asyncio.sleep(0)
    return time.perf_counter() - begin


async def queue(loop, n):
    q = asyncio.Queue(128)

    async def producer():
        for i in range(n):
            await q.put(i)

    begin = time.perf_counter()
    p = loop.create_task(producer())
    for _ in range(n):
        await q.get()
    await p
    return time.perf_counter() - begin


async def ping_pong(loop, n):
    a, b = asyncio.Event(), asyncio.Event()

    async def other():
        for _ in range(n):
            await a.wait()
            a.clear()
            b.set()

    o = loop.create_task(other())
    begin = time.perf_counter()
    for _ in range(n):
        a.set()
        await b.wait()
        b.clear()
    await o
    return time.perf_counter() - begin


async def ping_pong_queue(loop, n):
    a, b = asyncio.Queue(1), asyncio.Queue(1)

    async def other():
        for _ in range(n):
            await b.put(await a.get())

    o = loop.create_task(other())
    begin = time.perf_counter()
    for i in range(n):
        await a.put(i)
        await b.get()
    await o
    return time.perf_counter() - begin


case("Hop/n=1", "ns/hop", lambda loop, n: hop(loop, n, 1), 10_000)
case("Hop/n=1000", "ns/hop", hop, 20_000)
case("Spawn", "ns/task", spawn, 5_000)
case("Gather", "ns/task", gather, 10_000)
case("CallSoon", "ns/callback", call_soon, 20_000)
# A million at once, however long that takes; less only to see that it runs.
case("Timers", "ns/timer", timers, 1_000_000 if budget > 0.02 else 10_000)
case("Queue", "ns/item", queue, 10_000)
case("PingPong/how=event", "ns/trip", ping_pong, 2_000)
case("PingPong/how=queue", "ns/trip", ping_pong_queue, 2_000)
