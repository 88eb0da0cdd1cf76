// Runs the programs of testdata/conformance on newer CPythons, which npm has as WebAssembly, and compares what they print
// with the logs. See README.md.

import {execFile} from "node:child_process"
import {existsSync, readdirSync, readFileSync, writeFileSync} from "node:fs"
import {dirname, join, relative, resolve} from "node:path"
import {fileURLToPath} from "node:url"
import {promisify} from "node:util"

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, "../..")
const versions = ["3.13", "3.14", "3.15"]
const folders = ["testdata/conformance", "asyncio/testdata/conformance"]

const options = process.argv.slice(2).filter(a => a.startsWith("--"))
const named = process.argv.slice(2).filter(a => !a.startsWith("--"))
const write = options.includes("--write")
const wanted = versions.filter(v => options.includes("--" + v))
const unknown = options.filter(o => o !== "--write" && !versions.includes(o.slice(2)))
if (unknown.length > 0) {
  console.error(`usage: node run.mjs [--write] [${versions.map(v => "--" + v).join("] [")}] [PROGRAM.py...]`)
  process.exit(2)
}

// What a program needs that there is none of here.
const needs = [
  ["package greenlet", /^(import|from) greenlet\b/m],
  ["sockets", /\b(start_server|open_connection|create_server|create_connection|socketpair|sock_\w+)\(/],
  ["threads", /\b(to_thread|run_in_executor|Thread)\(/],
  ["processes", /\bcreate_subprocess_(exec|shell)\(/],
  ["signals", /\badd_signal_handler\(/],
]

// play runs a program in a process of its own, and returns what it prints.
const play = async (version, program) =>
  (await promisify(execFile)(process.execPath, [join(here, "play.mjs"), version, program], {timeout: 300_000})).stdout

// logFor returns the file whose log a version must print: its own, or the newest that is older. The one without a version
// is of 3.13.
function logFor(program, version) {
  const base = program.slice(0, -".py".length)
  for (const v of versions.slice(0, versions.indexOf(version) + 1).reverse()) {
    const file = v === "3.13" ? `${base}.out` : `${base}.${v}.out`
    if (existsSync(file)) return file
  }
}

// ownLog is the file for a log that no older version prints.
const ownLog = (program, version) => program.replace(/\.py$/, version === "3.13" ? ".out" : `.${version}.out`)

const programs = named.length > 0 ? named.map(n => resolve(n)) : folders.flatMap(folder =>
  readdirSync(join(root, folder), {recursive: true}).filter(f => f.endsWith(".py")).sort().map(f => join(root, folder, f)))

let differ = 0, left = 0
const same = {}
for (const program of programs) {
  const name = relative(root, program)
  const source = readFileSync(program, "utf8")
  const lacks = needs.filter(([, pattern]) => pattern.test(source)).map(([what]) => what)
  if (lacks.length > 0) {
    console.log(`left out  ${name}: needs ${lacks.join(", ")}`)
    left++
    continue
  }
  const since = versions.indexOf(source.match(/^"""area: [^.]*, since (3\.\d+)\./)?.[1] ?? versions[0])
  const able = versions.slice(since).filter(v => wanted.length === 0 || wanted.includes(v))
  const logs = await Promise.all(able.map(version => play(version, program)))
  for (const [i, version] of able.entries()) {
    const log = logFor(program, version)
    if (log && readFileSync(log, "utf8") === logs[i]) {
      same[version] = (same[version] ?? 0) + 1
    } else if (write) {
      writeFileSync(ownLog(program, version), logs[i])
      console.log(`written   ${relative(root, ownLog(program, version))}`)
    } else {
      console.log(`DIFFERS   ${name} on ${version}:\n${difference(log ? readFileSync(log, "utf8") : "", logs[i])}`)
      differ++
    }
  }
}
for (const version of versions) {
  if (same[version]) console.log(`${version}: ${same[version]} programs print their logs`)
}
console.log(`${left} left out`)
process.exit(differ > 0 ? 1 : 0)

// difference shows the first line that two logs do not share.
function difference(want, got) {
  const [w, g] = [want.split("\n"), got.split("\n")]
  const i = w.findIndex((line, i) => line !== g[i])
  const at = i < 0 ? w.length : i
  return `  line ${at + 1}\n  - ${w[at] ?? "(the log ends)"}\n  + ${g[at] ?? "(the log ends)"}`
}
