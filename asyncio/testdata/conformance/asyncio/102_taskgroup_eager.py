"""area: TaskGroup.  A child that has failed in its eager step is counted by a callback, as any
other: until then the group takes more of them, and its body is not cancelled."""
import asyncio


async def failing():
    raise ValueError("eager")


async def says(what):
    print(what)


async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    me = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(failing())
            print("cancelling", me.cancelling())
            tg.create_task(says("the second child runs"))
            print("the body goes on")
            try:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                print("the body is cancelled")
                raise
    except ExceptionGroup as eg:
        print(eg, "/", *eg.exceptions)
    asyncio.get_running_loop().call_soon(print, "ready before the group ends")
    async with asyncio.TaskGroup() as tg:
        tg.create_task(says("a child that succeeds"))
    print("left; cancelling", me.cancelling())


asyncio.run(main())
