// node play.mjs VERSION PROGRAM.py: runs one program on one CPython, and prints what it prints.

import {readFileSync} from "node:fs"
import {tmpdir} from "node:os"
import {dirname, join} from "node:path"
import {fileURLToPath, pathToFileURL} from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const [version, program] = process.argv.slice(2)
const indexURL = join(tmpdir(), "greenlet-conformance", "node_modules", "python-" + version) // see the Makefile
const {loadPyodide} = await import(pathToFileURL(join(indexURL, "pyodide.mjs")))

let printed = ""
const python = await loadPyodide({indexURL, stdout: line => { printed += line + "\n" }, stderr: () => {}})
try {
  const globals = python.toPy({__name__: "__main__", __file__: "/program.py"})
  python.runPython("import sys; sys.argv = ['/program.py']", {globals})
  python.runPython(readFileSync(join(here, "loop.py"), "utf8"), {globals})
  python.runPython(readFileSync(program, "utf8"), {globals, filename: "/program.py"})
} catch (error) {
  printed += String(error.message ?? error).trim().split("\n").at(-1) + "\n"
}
process.stdout.write(printed, () => process.exit(0))
