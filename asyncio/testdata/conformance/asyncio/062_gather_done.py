"""area: gather.  What is done already counts at once: a gather of nothing else is done when
it is returned, and so is one of which an argument has failed or was cancelled."""
import asyncio


async def returning(v):
    return v


async def failing(text):
    raise ValueError(text)


def say(what, outer):
    print(what + ": done", "yes" if outer.done() else "no")
    return outer


async def main():
    loop = asyncio.get_running_loop()
    ended = asyncio.create_task(returning(1))
    failed = asyncio.create_task(failing("first"))
    later = asyncio.create_task(failing("second"))
    waits = loop.create_future()
    cancelled = loop.create_future()
    cancelled.cancel()
    await asyncio.wait([ended, failed, later])
    loop.call_soon(print, "ready before the first gather")
    print("results", *await say("all ended", asyncio.gather(ended, ended)))
    for what, args in {
        "one failed": (waits, failed, later),
        "two failed": (later, failed),
        "one cancelled": (ended, cancelled),
    }.items():
        try:
            await say(what, asyncio.gather(*args))
        except (ValueError, asyncio.CancelledError) as e:
            print(type(e).__name__, e)
    for what, args in {
        "outcomes": (failed, ended, cancelled),
        "outcomes, one pending": (waits, failed),
    }.items():
        outer = say(what, asyncio.gather(*args, return_exceptions=True))
        if outer.done():
            print(*[type(r).__name__ for r in await outer])
        else:
            outer.cancel()
    await asyncio.sleep(0)
    loop.set_task_factory(asyncio.eager_task_factory)
    print("results", *await say("eager", asyncio.gather(returning(2), returning(3))))
    outer = say("eager, one pending", asyncio.gather(returning(2), asyncio.sleep(0, 3)))
    print("results", *await outer)


asyncio.run(main())
