#!/usr/bin/env bash
# A Python program asks decimal for 5 digits. How many does it get on a thread, in a
# greenlet, in a task of asyncio, and, the other way, what does it get after a greenlet,
# a task or a generator has asked for 9?
#
# Guess: the context of decimal belongs to the thread, as its documentation says. A new
# thread begins with 28 digits, and all that runs on one thread, greenlets and generators
# among it, has one context.
# Seen: with CPython 3.11.2 and greenlet 2.0.2 of Debian 12
#   in a new greenlet    28 digits, though it is the same thread
#   in a new task        5, but its context is the very same object: what it sets stays
#   after a greenlet     5: what it sets it has for itself
#   after a task         9
#   after a generator    9
# decimal keeps its context in a ContextVar. A greenlet begins with an empty Context, so
# with decimal's own context anew; a task with a copy, in which the value is the same
# object; a generator has none of its own. Every other library that keeps its settings so
# does the same.
# So a program of greenlets sets gr_context = contextvars.copy_context() in each, and one
# of tasks enters decimal.localcontext(), which makes an object of its own.
#
# Needs Debian 12's packages (apt-get update has been run).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get download -qq python3-greenlet=2.0.2-1 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
cat >digits.py <<'EOF2'
import asyncio, contextvars, platform, sys, threading
from decimal import Decimal, getcontext, localcontext

import greenlet


def digits():
    return len(str(Decimal(1) / 3)) - 2


def ask_for_nine():
    getcontext().prec = 9


def on_thread(f):
    result = []
    thread = threading.Thread(target=lambda: result.append(f()))
    thread.start()
    thread.join()
    return result[0]


def in_greenlet(f):
    return greenlet.greenlet(f).switch()


def in_copying_greenlet(f):
    g = greenlet.greenlet(f)
    g.gr_context = contextvars.copy_context()
    return g.switch()


def in_task(f):
    async def body():
        return f()

    async def main():
        return await asyncio.create_task(body())

    return asyncio.run(main())


def in_local_task(f):
    def body():
        with localcontext():
            return f()

    return in_task(body)


def in_generator(f):
    def body():
        yield f()

    return next(body())


print(platform.python_version(), greenlet.__version__)
for place in on_thread, in_greenlet, in_copying_greenlet, in_task, in_local_task, in_generator:
    getcontext().prec = 5
    inside = place(digits)
    place(ask_for_nine)
    print(f"{place.__name__}: {inside} digits, and {digits()} outside after it has asked for 9")
EOF2
PYTHONPATH=root/usr/lib/python3/dist-packages /usr/bin/python3 digits.py | tee seen
diff seen - <<'EOF2'
3.11.2 2.0.2
on_thread: 28 digits, and 5 outside after it has asked for 9
in_greenlet: 28 digits, and 5 outside after it has asked for 9
in_copying_greenlet: 5 digits, and 9 outside after it has asked for 9
in_task: 5 digits, and 9 outside after it has asked for 9
in_local_task: 5 digits, and 5 outside after it has asked for 9
in_generator: 5 digits, and 9 outside after it has asked for 9
EOF2
echo "as it was seen"
