"""asyncio without an operating system: the standard library's own BaseEventLoop, with a
selector that has no descriptors and a clock that jumps to the next timer.  What a program
prints then depends on asyncio alone.  Run before the program, in the same interpreter."""
import asyncio
import asyncio.base_events
import asyncio.events

asyncio._set_running_loop(None)  # the one that a browser would need


class Selector:
    def __init__(self, loop):
        self.loop = loop

    def select(self, timeout=None):
        if timeout is None:
            raise SystemExit("nothing can wake the loop")
        self.loop.now += timeout
        return []


class Loop(asyncio.base_events.BaseEventLoop):
    now = 100.0

    def __init__(self):
        super().__init__()
        self._selector = Selector(self)

    def time(self):
        # Two timers are never due at exactly the same time, as on a real clock.
        self.now += 1e-7
        return self.now

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


class Runner(asyncio.Runner):
    def __init__(self, *, debug=None, loop_factory=Loop):
        super().__init__(debug=debug, loop_factory=loop_factory)


def run(main, *, debug=None, loop_factory=Loop, run=asyncio.run):
    return run(main, debug=debug, loop_factory=loop_factory)


asyncio.run, asyncio.Runner = run, Runner
asyncio.new_event_loop = asyncio.events.new_event_loop = Loop
