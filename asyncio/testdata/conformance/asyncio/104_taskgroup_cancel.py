"""area: TaskGroup, since 3.15.  cancel() ends a group early and without an error, at any time: before it
is entered, from the body, from a child, from outside, and after its end."""
import asyncio


async def forever(what):
    try:
        await asyncio.sleep(10)
    finally:
        print(what, "ends")


async def fails():
    await asyncio.sleep(0)
    raise ValueError("failed")


async def main():
    me = asyncio.current_task()
    loop = asyncio.get_running_loop()

    print("-- from the body")
    async with asyncio.TaskGroup() as tg:
        tg.create_task(forever("child"))
        await asyncio.sleep(0)
        tg.cancel()
        tg.cancel()
        print("the body goes on, cancelling", me.cancelling())
        await asyncio.sleep(0)
        print("not reached")
    print("left, cancelling", me.cancelling())

    print("-- from a child")
    async def cancels(tg):
        await asyncio.sleep(0)
        tg.cancel()
        await asyncio.sleep(0)
        print("not reached")
    async with asyncio.TaskGroup() as tg:
        tg.create_task(forever("child"))
        tg.create_task(cancels(tg))
    print("left, cancelling", me.cancelling())

    print("-- before it is entered")
    tg = asyncio.TaskGroup()
    tg.cancel()
    async with tg:
        try:
            tg.create_task(c := forever("child"))
        except RuntimeError as e:
            print(str(e).split("> ")[-1])
            c.close()
        await asyncio.sleep(0)
        print("not reached")
    print("left, cancelling", me.cancelling())
    tg.cancel()
    await asyncio.sleep(0)
    print("cancelled after its end, cancelling", me.cancelling())

    print("-- with an error of the body")
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(forever("child"))
            await asyncio.sleep(0)
            tg.cancel()
            raise ValueError("of the body")
    except ExceptionGroup as eg:
        print(eg, "/", *eg.exceptions)
    print("left, cancelling", me.cancelling())

    print("-- after a child has failed")
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(fails())
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                tg.cancel()
                print("cancelling", me.cancelling())
                raise
    except ExceptionGroup as eg:
        print(eg, "/", *eg.exceptions)
    print("left, cancelling", me.cancelling())

    print("-- while it is cancelled from outside")
    async def outer():
        async with asyncio.TaskGroup() as tg:
            loop.call_soon(tg.cancel)
            loop.call_soon(asyncio.current_task().cancel)
            await asyncio.sleep(10)
        print("not reached")
    t = asyncio.create_task(outer())
    await asyncio.wait([t])
    print("cancelled", "yes" if t.cancelled() else "no")


asyncio.run(main())
