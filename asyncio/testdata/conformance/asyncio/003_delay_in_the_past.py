"""area: loop.  A timer whose time is past is due by its time, as any other: a negative delay is
before zero, and call_at before now."""
import asyncio


async def main():
    loop = asyncio.get_running_loop()
    loop.call_later(0, print, "zero")
    handle = loop.call_later(-1, print, "minus one")
    loop.call_later(-3, print, "minus three")
    loop.call_at(loop.time() - 2, print, "call_at, two before now")
    loop.call_soon(print, "ready")
    print("the time is past", "yes" if handle.when() < loop.time() - 0.5 else "no")
    cancelled = loop.call_later(-2, print, "not reached")
    cancelled.cancel()
    await asyncio.sleep(-1)
    print("slept less than nothing")
    await asyncio.sleep(0.02)


asyncio.run(main())
