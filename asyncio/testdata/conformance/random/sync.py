"""area: synchronisation and queues.  Random programs: a few tasks use one primitive while
the main task cancels them, also twice and after they were chosen.  A line is a program with
all that has happened in it, in order.  CPython 3.13 has printed the .out file."""
import asyncio
import sys

PROGRAMS = int(sys.argv[1]) if len(sys.argv) > 1 else 40


class Random:
    def __init__(self, seed):
        self.x = seed

    def below(self, n):
        self.x = (self.x * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.x >> 16) % n


class Locks:
    def __init__(self, r):
        self.lock = asyncio.Lock()

    async def step(self, op, arg, say):
        if op < 2:
            await asyncio.sleep(0)
            return
        async with self.lock:
            say("has")
            for _ in range(arg % 3):
                await asyncio.sleep(0)

    def poke(self, op):
        pass

    def state(self):
        return "locked" if self.lock.locked() else "free"


class Semaphores:
    def __init__(self, r):
        self.sem = asyncio.Semaphore(r.below(3))

    async def step(self, op, arg, say):
        if op < 2:
            await asyncio.sleep(0)
        elif op < 3:
            self.sem.release()
        elif op < 5:
            await self.sem.acquire()
            say("took")
        else:
            async with self.sem:
                say("has")
                for _ in range(arg % 3):
                    await asyncio.sleep(0)

    def poke(self, op):
        if op == 0:
            self.sem.release()

    def state(self):
        return f"{self.sem._value}{'L' if self.sem.locked() else ''}"


class Events:
    def __init__(self, r):
        self.event = asyncio.Event()

    async def step(self, op, arg, say):
        if op < 2:
            await asyncio.sleep(0)
        elif op < 3:
            self.event.set()
        elif op < 4:
            self.event.clear()
        else:
            await self.event.wait()
            say("saw")

    def poke(self, op):
        if op == 0:
            self.event.set()
        elif op == 1:
            self.event.set()
            self.event.clear()

    def state(self):
        return "set" if self.event.is_set() else "clear"


class Conditions:
    def __init__(self, r):
        self.cond = asyncio.Condition()
        self.n = 0

    async def step(self, op, arg, say):
        if op < 1:
            await asyncio.sleep(0)
            return
        async with self.cond:
            say("has")
            if op < 3:
                self.n += 1
                self.cond.notify(arg % 3)
            elif op < 4:
                self.n += 1
                self.cond.notify_all()
            elif op < 5:
                await asyncio.sleep(0)
            elif op < 7:
                want = self.n + 1
                await self.cond.wait_for(lambda: self.n >= want)
                say("got")
            else:
                await self.cond.wait()
                say("woke")

    def poke(self, op):
        if op < 2 and self.cond.locked():
            self.cond.notify(1)

    def state(self):
        return "locked" if self.cond.locked() else "free"


class Barriers:
    def __init__(self, r):
        self.barrier = asyncio.Barrier(1 + r.below(3))

    async def step(self, op, arg, say):
        if op < 2:
            await asyncio.sleep(0)
        elif op < 3 and arg < 3:
            await self.barrier.abort()
        elif op < 4:
            await self.barrier.reset()
        else:
            say(str(await self.barrier.wait()))

    def poke(self, op):
        pass

    def state(self):
        return f"{self.barrier.n_waiting}{'B' if self.barrier.broken else ''}"


class Queues:
    kind = asyncio.Queue

    def __init__(self, r):
        self.queue = self.kind(r.below(4))
        self.n = 0

    def item(self, arg):
        self.n += 1
        return self.n

    def show(self, item):
        return str(item)

    async def step(self, op, arg, say):
        q = self.queue
        if op < 1:
            await asyncio.sleep(0)
        elif op < 4:
            await q.put(self.item(arg))
            say("put")
        elif op < 7:
            say("<" + self.show(await q.get()))
        elif op < 8:
            if arg < 5:
                q.put_nowait(self.item(arg))
            else:
                say("<" + self.show(q.get_nowait()))
        elif op < 9:
            if arg < 5:
                q.task_done()
            else:
                await q.join()
                say("joined")
        elif arg == 0:
            q.shutdown(immediate=False)
        elif arg == 1:
            q.shutdown(immediate=True)
        else:
            q.task_done()

    def poke(self, op):
        if op == 0 and not self.queue.empty():
            self.queue.get_nowait()
        elif op == 1:
            try:
                self.queue.put_nowait(self.item(self.n))
            except (asyncio.QueueFull, asyncio.QueueShutDown):
                pass

    def state(self):
        q = self.queue
        return f"{q.qsize()}{'F' if q.full() else ''}/{q._unfinished_tasks}"


class Item:
    """Compares by its key only: so the order among equal ones is to be seen."""

    def __init__(self, key, n):
        self.key, self.n = key, n

    def __lt__(self, other):
        return self.key < other.key


class PriorityQueues(Queues):
    kind = asyncio.PriorityQueue

    def item(self, arg):
        self.n += 1
        return Item(arg % 4, self.n)

    def show(self, item):
        return f"{item.key}.{item.n}"


class LifoQueues(Queues):
    kind = asyncio.LifoQueue


async def program(make, seed):
    log = []
    r = Random(seed)
    subject = make(r)

    async def worker(name, steps):
        for op, arg in steps:
            try:
                await subject.step(op, arg, lambda word: log.append(name + word))
            except asyncio.CancelledError:
                log.append(name + "!")
            except Exception as e:
                log.append(name + type(e).__name__)
        log.append(name + ".")

    tasks = []
    for name in "abcde"[: 2 + r.below(4)]:
        steps = [(r.below(10), r.below(10)) for _ in range(2 + r.below(8))]
        tasks.append(asyncio.create_task(worker(name, steps)))
    for _ in range(10 + r.below(20)):
        op = r.below(8)
        if op < 3:
            await asyncio.sleep(0)
            log.append("(" + subject.state() + ")")
        elif op < 6:
            t = tasks[r.below(len(tasks))]
            log.append("cancel " + "abcde"[tasks.index(t)])
            t.cancel()
        else:
            subject.poke(r.below(4))
    while not all(t.done() for t in tasks):
        for t in tasks:
            t.cancel()
            await asyncio.sleep(0)
        log.append("(" + subject.state() + ")")
    log.append("".join("C" if t.cancelled() else "-" for t in tasks))
    return " ".join(log)


def heap(seed):
    q, r, log = asyncio.PriorityQueue(), Random(seed), []
    for n in range(300):
        if r.below(3) or q.empty():
            q.put_nowait(Item(r.below(7), n))
        else:
            log.append(q.get_nowait())
    while not q.empty():
        log.append(q.get_nowait())
    return " ".join(f"{item.key}.{item.n}" for item in log)


for make in Locks, Semaphores, Events, Conditions, Barriers, Queues, PriorityQueues, LifoQueues:
    for seed in range(PROGRAMS):
        print(make.__name__, seed, asyncio.run(program(make, seed)))
for seed in range(3):
    print("heap", seed, heap(seed))
