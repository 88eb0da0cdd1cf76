"""area: tasks, since 3.14.  A task starts eagerly if its creator says so, and not if it says no, whatever
the factory; the choice and the name reach the factory."""
import asyncio


async def quick(what):
    print(what, "in", asyncio.current_task().get_name())


async def main():
    loop = asyncio.get_running_loop()
    t = asyncio.create_task(quick("asked for"), name="a", eager_start=True)
    print("done", "yes" if t.done() else "no")
    t = asyncio.create_task(quick("not asked for"), name="b")
    print("done", "yes" if t.done() else "no")
    await t
    loop.set_task_factory(asyncio.eager_task_factory)
    t = asyncio.create_task(quick("by the factory"), name="c")
    print("done", "yes" if t.done() else "no")
    t = asyncio.create_task(quick("refused"), name="d", eager_start=False)
    print("done", "yes" if t.done() else "no")
    await t
    async with asyncio.TaskGroup() as tg:
        t = tg.create_task(quick("refused in a group"), name="e", eager_start=False)
        print("done", "yes" if t.done() else "no")

    def factory(loop, coro, **kwargs):
        print("factory:", *sorted(kwargs))
        return asyncio.Task(coro, loop=loop, **kwargs)

    loop.set_task_factory(factory)
    await asyncio.create_task(quick("by a factory"), name="f")
    t = asyncio.create_task(quick("by a factory, asked for"), name="g", eager_start=True)
    print("done", "yes" if t.done() else "no")
    loop.set_task_factory(None)


asyncio.run(main())
