"""What jobs.go measures, with CPython's asyncio."""

import asyncio
import json
import sys
import time

WORKERS, WAITING = 100, 1000
n = int(sys.argv[1])
total = 0


async def worker(q):
    global total
    while True:
        i = await q.get()
        total += i * 2654435761 & (2**32 - 1)
        q.task_done()


async def main():
    q = asyncio.Queue(WAITING)
    workers = [asyncio.create_task(worker(q)) for _ in range(WORKERS)]
    for i in range(n):
        await q.put(i)
    await q.join()
    for w in workers:
        w.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


begin, used = time.perf_counter(), time.process_time()
asyncio.run(main())
wall, processor = time.perf_counter() - begin, time.process_time() - used
with open("/proc/self/status") as status:
    memory = next(int(s.split()[1]) for s in status if s.startswith("VmHWM"))
print(json.dumps({"N": n, "Wall": wall, "Processor": processor, "Memory": memory / 1024, "Check": str(total)}))
