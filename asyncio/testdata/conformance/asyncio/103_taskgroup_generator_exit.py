"""area: TaskGroup.  A GeneratorExit of the body that is the only error comes bare out of the
group, so that an async generator with a group inside can be closed; with others it is one
among them."""
import asyncio


async def forever(what):
    try:
        await asyncio.sleep(10)
    finally:
        print(what, "ends")


async def fails_at_its_end():
    try:
        await asyncio.sleep(10)
    finally:
        raise ValueError("at the end")


async def agen(*children):
    async with asyncio.TaskGroup() as tg:
        for child in children:
            tg.create_task(child)
        yield "item"


async def close(it):
    async for item in it:
        print(item)
        break
    await asyncio.sleep(0)
    try:
        await it.aclose()
        print("closed")
    except BaseException as e:
        print(type(e).__name__, e, "/", *[f"{type(x).__name__} {x}".strip() for x in e.exceptions])


async def main():
    await close(agen())
    await close(agen(forever("the child")))
    await close(agen(forever("the first child"), fails_at_its_end()))
    try:
        async with asyncio.TaskGroup():
            raise GeneratorExit("by hand")
    except BaseException as e:
        print(type(e).__name__, e)


asyncio.run(main())
