"""area: tasks, since 3.15.  Random programs: a few tasks wait for each other, for futures,
with timeouts, in groups, shielded, gathered, while the main task cancels them and settles
the futures.  A line is a program, as JSON, and all that has happened in it, in order."""
import asyncio
import json
import sys

FIRST = int(sys.argv[1]) if len(sys.argv) > 1 else 0
PROGRAMS = int(sys.argv[2]) if len(sys.argv) > 2 else 100


class Random:
    def __init__(self, seed):
        self.x = seed

    def below(self, n):
        self.x = (self.x * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.x >> 16) % n


class Maker:
    """Makes a program."""

    def __init__(self, seed):
        self.r = Random(seed * 7919 + 1)
        for _ in range(5):
            self.r.below(2)

    def delay(self):
        return 1000 + self.r.below(32768)  # that two are over at the same time is rare

    def limit(self):
        return [0, -1000][self.r.below(2)] if self.r.below(4) == 0 else self.delay()

    def policy(self):
        return "pppaekl"[self.r.below(7)]

    def future(self):
        return self.r.below(3)

    def item(self, i, depth, coroutines=True):
        k = self.r.below(6)
        if k == 0 and i > 0:
            return ["t", self.r.below(i)]
        if k == 1 and i > 0:
            return ["S", self.r.below(i)]
        if k == 2:
            return ["F", self.future()]
        if k == 3 or not coroutines or depth > 2:
            return ["f", self.future()]
        return ["co", self.ops(i, depth + 1)]

    def items(self, i, depth, coroutines=True):
        all = []
        for _ in range(1 + self.r.below(3)):
            x = self.item(i, depth, coroutines)
            if x not in all:
                all.append(x)
        return all

    def ops(self, i, depth):
        return [self.op(i, depth) for _ in range(1 + self.r.below(4 - min(depth, 2)))]

    def op(self, i, depth):
        return self.what(i, depth) + [self.policy()]

    def what(self, i, depth):
        r = self.r
        k = r.below(24 if depth < 3 else 12)
        if k == 0:
            return ["y"]
        if k <= 2:
            return ["s", self.delay()]
        if k == 3:
            return ["f", self.future()]
        if k == 4:
            return ["F", self.future()]
        if k == 5:
            return ["t", r.below(i)] if i > 0 else ["y"]
        if k == 6:
            return ["S", r.below(i)] if i > 0 else ["n"]
        if k == 7:
            return ["c", r.below(4), r.below(10)]
        if k == 8:
            return ["r", self.future(), r.below(3)]
        if k == 9:
            return ["e", r.below(10)]
        if k == 10:
            return ["n"]
        if k == 11:
            return [["u"], ["y"], ["y"]][r.below(3)]
        if k <= 14:
            return ["w", self.limit(), self.item(i, depth)]
        if k <= 16:
            return ["o", self.limit(), self.ops(i, depth + 1)]
        if k <= 19:
            children = [[r.below(4) == 0, self.ops(i, depth + 1)] for _ in range(1 + r.below(3))]
            return ["g", children, self.ops(i, depth + 1)]
        if k <= 21:
            return ["G", r.below(2), self.items(i, depth)]
        if k == 22:
            return ["W", r.below(3), self.delay() if r.below(2) else 0, self.items(i, depth, False)]
        return ["A", self.delay() if r.below(2) else 0, self.items(i, depth, False)]

    def pokes(self):
        all = []
        for _ in range(2 + self.r.below(8)):
            wait = [0, 0, 1, 2, 3, self.delay()][self.r.below(6)]
            k = self.r.below(4)
            if k < 2:
                all.append([wait, "c", self.r.below(4), self.r.below(10)])
            elif k == 2:
                all.append([wait, "r", self.future(), self.r.below(3)])
            else:
                all.append([wait, "y"])
        return all

    def program(self):
        return {"tasks": [[self.r.below(5) == 0, self.ops(i, 0)] for i in range(4)], "pokes": self.pokes()}


def name(e):
    if isinstance(e, BaseExceptionGroup):
        return "G[" + " ".join(name(x) for x in e.exceptions) + "]"
    if isinstance(e, asyncio.CancelledError):
        return "C" + "".join(str(a) for a in e.args)
    if isinstance(e, TimeoutError):
        return "T"
    if isinstance(e, ValueError):
        return "E" + str(e)
    return type(e).__name__


class InOrder(dict):
    """A set that keeps its order: a TaskGroup cancels its tasks in that of a set."""

    def add(self, x):
        self[x] = None

    def discard(self, x):
        self.pop(x, None)


class TaskGroup(asyncio.TaskGroup):
    def __init__(self):
        super().__init__()
        self._tasks = InOrder()

    def create_task(self, coro, **options):
        t = super().create_task(coro, **options)
        if self._aborting:  # an eager task has done that, before it was in the group
            t.cancel()
        return t


class Player:
    """Plays a program."""

    def __init__(self):
        self.said = []
        self.over = False
        self.futures = []
        self.tasks = []

    def say(self, text):
        if not self.over:
            self.said.append(text)

    def settle(self, k, how):
        f = self.futures[k]
        try:
            if how == 0:
                f.set_result(10 + k)
            elif how == 1:
                f.set_exception(ValueError(20 + k))
            else:
                return "yes" if f.cancel("f") else "no"
        except asyncio.InvalidStateError as e:
            return name(e)
        return "ok"

    def cancel(self, j, msg):
        if j >= len(self.tasks):
            return "none"
        return "yes" if self.tasks[j].cancel(f"m{msg}") else "no"

    def awaitable(self, me, item):
        kind = item[0]
        if kind == "t":
            return self.tasks[item[1]]
        if kind == "S":
            return asyncio.shield(self.tasks[item[1]])
        if kind == "f":
            return self.futures[item[1]]
        if kind == "F":
            return asyncio.shield(self.futures[item[1]])
        return self.run(me + "c", item[1], None)

    async def do(self, me, op, group):
        kind = op[0]
        if kind == "y":
            await asyncio.sleep(0)
        elif kind == "s":
            await asyncio.sleep(op[1] / 1000)
        elif kind in "tSfF":
            return await self.awaitable(me, op)
        elif kind == "c":
            return self.cancel(op[1], op[2])
        elif kind == "r":
            return self.settle(op[1], op[2])
        elif kind == "e":
            raise ValueError(op[1])
        elif kind == "n":
            return asyncio.current_task().cancelling()
        elif kind == "u":
            return asyncio.current_task().uncancel()
        elif kind == "x":
            if group is not None:
                group.cancel()
        elif kind == "w":
            return await asyncio.wait_for(self.awaitable(me, op[2]), op[1] / 1000)
        elif kind == "o":
            async with asyncio.timeout(op[1] / 1000):
                return await self.run(me + "o", op[2], group)
        elif kind == "g":
            async with TaskGroup() as tg:
                for n, (eager, ops) in enumerate(op[1]):
                    tg.create_task(self.run(f"{me}g{n}", ops, tg), eager_start=eager)
                await self.run(me + "b", op[2], tg)
        elif kind == "G":
            got = await asyncio.gather(*[self.awaitable(me, x) for x in op[2]], return_exceptions=op[1] == 1)
            return [name(v) if isinstance(v, BaseException) else v for v in got]
        elif kind == "W":
            when = [asyncio.ALL_COMPLETED, asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION][op[1]]
            fs = [self.awaitable(me, x) for x in op[3]]
            done, pending = await asyncio.wait(fs, return_when=when, timeout=op[2] / 1000 if op[2] else None)
            return [i for i, f in enumerate(fs) if f in done]
        elif kind == "A":
            got = []
            async for f in asyncio.as_completed([self.awaitable(me, x) for x in op[2]], timeout=op[1] / 1000 if op[1] else None):
                got.append(self.state(f))
            return sorted(got)  # of those that are done before it has no order
        return ""

    async def run(self, me, ops, group):
        for n, op in enumerate(ops):
            where = f"{me}{n}"
            try:
                v = await self.do(where, op, group)
            except BaseException as e:
                if isinstance(e, SystemExit):
                    raise
                self.say(f"{where}!{name(e)}")
                policy = op[-1]
                cancelled = isinstance(e, asyncio.CancelledError)
                if policy == "p" or policy == "e" and cancelled:
                    raise
                if policy == "k" and cancelled:
                    asyncio.current_task().uncancel()
                if policy == "l":
                    try:
                        await asyncio.sleep(0)
                    except asyncio.CancelledError as again:
                        self.say(f"{where}!!{name(again)}")
                    raise
            else:
                self.say(where + (f"={v}" if v != "" else ""))
        return len(ops)

    def state(self, f):
        if not f.done():
            return "pending"
        if f.cancelled():
            return "cancelled"
        e = f.exception()
        return name(e) if e else f"{f.result()}"

    async def main(self, program):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        self.futures = [loop.create_future() for _ in range(3)]
        for i, (eager, ops) in enumerate(program["tasks"]):
            t = asyncio.create_task(self.run(f"{i}.", ops, None), eager_start=eager)
            self.tasks.append(t)
        for wait, what, *args in program["pokes"]:
            if wait >= 10:
                await asyncio.sleep(wait / 1000)
            else:
                for _ in range(wait):
                    await asyncio.sleep(0)
            if what == "c":
                self.say(f"cancel{args[0]}={self.cancel(*args)}")
            elif what == "r":
                self.say(f"future{args[0]}={self.settle(*args)}")
        for _ in range(12):
            if all(t.done() for t in self.tasks):
                break
            await asyncio.sleep(1000)
            self.say("end")
            for t in self.tasks:
                t.cancel("end")
            await asyncio.sleep(0)
        await asyncio.sleep(1000)
        self.say(" ".join(self.state(f) for f in self.tasks + self.futures))
        self.over = True  # a set has the rest, in no order
        while rest := asyncio.all_tasks() - {asyncio.current_task()}:
            for t in rest:
                t.cancel()
            await asyncio.sleep(1)


for seed in range(FIRST, FIRST + PROGRAMS):
    program = Maker(seed).program()
    player = Player()
    try:
        asyncio.run(player.main(program))
    except SystemExit:
        player.say("stuck")
    print(json.dumps(program, separators=(",", ":")), "|", " ".join(player.said).replace(", ", ","))
