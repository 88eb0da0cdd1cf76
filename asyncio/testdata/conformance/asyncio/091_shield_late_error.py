"""area: shield.  When the outer future was cancelled, what the inner one fails with is told to
the exception handler, also if somebody looks at it later; only once for several shields."""
import asyncio


async def fails(text):
    await asyncio.sleep(0.02)
    raise ValueError(text)


async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda _, c: print("handler:", c["message"], "/", c["exception"], "/", *sorted(c)))

    async def given_up(inner, how_often=1):
        for _ in range(how_often):
            outer = asyncio.shield(inner)
            await asyncio.sleep(0)
            outer.cancel()
        await asyncio.sleep(0)

    inner = asyncio.create_task(fails("one shield"))
    await given_up(inner)
    await asyncio.wait([inner])
    print("waited")
    await asyncio.sleep(0)
    print("looked at", inner.exception())

    inner = asyncio.create_task(fails("three shields"))
    await given_up(inner, 3)
    await asyncio.wait([inner])
    await asyncio.sleep(0)
    print("looked at", inner.exception())

    inner = asyncio.create_task(fails("somebody waits"))
    outer = asyncio.shield(inner)
    await given_up(inner)
    try:
        await outer
    except ValueError as e:
        print("caught", e)
    await asyncio.sleep(0)

    inner = asyncio.create_task(asyncio.sleep(0.02))
    await given_up(inner)
    await inner
    print("no error, no report")

    inner = asyncio.create_task(asyncio.sleep(0.02))
    await given_up(inner)
    inner.cancel()
    await asyncio.wait([inner])
    print("cancelled, no report")

    inner = loop.create_future()
    outer = asyncio.shield(inner)
    await asyncio.sleep(0)
    inner.set_exception(ValueError("in one turn"))
    outer.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    print("looked at", inner.exception())


asyncio.run(main())
