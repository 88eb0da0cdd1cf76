#!/usr/bin/env bash
# How deep may a function of Python recurse inside a greenlet, with sys.getrecursionlimit()
# at 1000, when the greenlet is first switched to from a function that is 500 calls deep,
# and when from one that is not? And does that change when it is resumed from elsewhere?
#
# Guess: 1000 in each, as it has a stack of its own, like a thread. Or else the calls below
# count, wherever it is resumed from, as those below a generator's next() do.
# Seen: with CPython 3.11.2 and greenlet 2.0.2 of Debian 12 neither. The calls below its
# first switch count, and go on counting for its life, though none of them is below it any
# more: begun at 500 it has 500 left, resumed from the bottom too; begun at the bottom it
# has 1000, resumed from 500 too. Greenlets that begin one another add up. A thread that is
# started at 500 has 1000, and a generator has what its caller of the moment has left.
# So the same function fails with RecursionError in one greenlet and not in the other. A
# parser or an encoder that recurses belongs in greenlets that a hub at the bottom begins.
#
# Needs Debian 12's packages (apt-get update has been run).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get download -qq python3-greenlet=2.0.2-1 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
cat >depth.py <<'EOF2'
import platform
import sys
import threading

import greenlet


def left():
    """How many calls are left, in hundreds."""
    n = 0

    def call():
        nonlocal n
        n += 1
        call()

    try:
        call()
    except RecursionError:
        pass
    return round(n, -2)


def at(depth, f):
    return f() if depth == 0 else at(depth - 1, f)


def both():
    greenlet.getcurrent().parent.switch(left())
    return left()


def two(first, second):
    g = greenlet.greenlet(both)
    return at(first, g.switch), at(second, g.switch)


def nested(n):
    return left() if n == 0 else greenlet.greenlet(nested).switch(n - 1)


def thread():
    result = []
    t = threading.Thread(target=lambda: result.append(left()))
    t.start()
    t.join()
    return result[0]


def generator():
    while True:
        yield left()


print(platform.python_version(), greenlet.__version__, sys.getrecursionlimit())
print("a call at 0 and at 500:", left(), at(500, left))
print("a thread begun at 0 and at 500:", thread(), at(500, thread))
g = generator()
print("a generator resumed at 500, then at 0:", at(500, g.__next__), next(g))
print("a greenlet begun at 500, resumed at 0:", *two(500, 0))
print("a greenlet begun at 0, resumed at 500:", *two(0, 500))
print("the last of 300 greenlets, each begun by the one before:", nested(300))
EOF2
PYTHONPATH=root/usr/lib/python3/dist-packages /usr/bin/python3 depth.py | tee seen
diff seen - <<'EOF2'
3.11.2 2.0.2 1000
a call at 0 and at 500: 1000 500
a thread begun at 0 and at 500: 1000 1000
a generator resumed at 500, then at 0: 500 1000
a greenlet begun at 500, resumed at 0: 500 500
a greenlet begun at 0, resumed at 500: 1000 1000
the last of 300 greenlets, each begun by the one before: 400
EOF2
echo "as it was seen"
