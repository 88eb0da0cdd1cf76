"""area: waiting.  Which waits for what is done already go on at once, and which let the loop
turn: one that goes on at once is before the callback that was ready when it began."""
import asyncio


async def returning(v):
    return v


async def main():
    loop = asyncio.get_running_loop()
    ended = asyncio.create_task(returning(1))
    await ended

    async def turns(what, wait):
        handle = loop.call_soon(print, "  a turn of the loop")
        print(what)
        await wait()
        handle.cancel()

    async def as_completed():
        for f in asyncio.as_completed([ended]):
            await f

    async def as_completed_tasks():
        async for t in asyncio.as_completed([ended]):
            assert t is ended

    async def group_of_nothing():
        async with asyncio.TaskGroup():
            pass

    async def group_of_eager_tasks():
        async with asyncio.TaskGroup() as tg:
            tg.create_task(returning(2))

    await turns("await", lambda: ended)
    await turns("gather", lambda: asyncio.gather(ended))
    await turns("shield", lambda: asyncio.shield(ended))
    await turns("wait_for", lambda: asyncio.wait_for(ended, 1))
    await turns("wait_for, no time", lambda: asyncio.wait_for(ended, 0))
    await turns("wait", lambda: asyncio.wait([ended]))
    await turns("as_completed", as_completed)
    await turns("as_completed, async for", as_completed_tasks)
    await turns("a group of nothing", group_of_nothing)
    loop.set_task_factory(asyncio.eager_task_factory)
    await turns("a group of a task that is done", group_of_eager_tasks)


asyncio.run(main())
