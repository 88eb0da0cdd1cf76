"""area: loop.  What is said when two loops meet: a future of the other one, a loop inside a
loop, a run inside a run."""
import asyncio
import re


def told(what, e):
    text = str(e)
    for t in asyncio.all_tasks(first) | asyncio.all_tasks(second):
        text = text.replace(repr(t), "<task>")
    print(what + ":", type(e).__name__, text)


async def run_until_complete(loop, what):
    c = asyncio.sleep(0)
    try:
        loop.run_until_complete(c)
    except RuntimeError as e:
        told(what, e)
        c.close()


async def inside():
    await run_until_complete(first, "the same loop")
    await run_until_complete(second, "another loop")
    c = asyncio.sleep(0)
    try:
        asyncio.run(c)
    except RuntimeError as e:
        told("run", e)
    try:
        asyncio.Runner().run(c)
    except RuntimeError as e:
        told("Runner.run", e)
    c.close()
    try:
        first.close()
    except RuntimeError as e:
        told("close", e)


async def foreign(f):
    try:
        await f
    except RuntimeError as e:
        text = re.sub("<Task .*> got Future <Future .*> attached", "<task> got Future <future> attached", str(e))
        print("await:", type(e).__name__, text)
    for what, call in {
        "gather": lambda: asyncio.gather(asyncio.sleep(0), f),
        "shield": lambda: asyncio.shield(f),
        "ensure_future": lambda: asyncio.ensure_future(f, loop=asyncio.get_running_loop()),
    }.items():
        try:
            call()
            print(what + ": taken")
        except (RuntimeError, ValueError) as e:
            print(what + ":", type(e).__name__, e)


first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
first.run_until_complete(inside())
first.run_until_complete(foreign(second.create_future()))
try:
    first.run_until_complete(second.create_future())
except (RuntimeError, ValueError) as e:
    print("run_until_complete:", type(e).__name__, e)
first.close()
try:
    first.run_forever()
except RuntimeError as e:
    print("closed:", e)
second.close()
