#!/usr/bin/env bash
# A WebAssembly module calls a function of the host's five times in a loop. In the first
# call the host closes the module, as one does with a plugin that shall not go on. How
# often is the host called, and what becomes of a call of the closed module afterwards?
#
# Asked of wazero's compiler and its interpreter, without and with WithCloseOnContextDone.
#
# Guess: once. The module is closed, so it does not go on, and a later call is refused
# before it begins: that is what proc_exit of WASI looks like, which closes the module.
# Seen: with wazero v1.12.0
#   without the option   five times: the module runs to its end, and only then the call
#                        returns "module closed"; a later call runs to its end, too, with
#                        all that it does, and returns that error then. The interpreter
#                        returns the result beside the error.
#   with it              once, and a later call calls the host not at all
# Closing sets a mark, and only code that was compiled with the option looks at it. WASI's
# proc_exit ends a call at once because it also panics with a sys.ExitError; but after
# such an end, too, a later call runs to its end.
# So set the option where modules are closed while they run; without it, end the call by
# such a panic, and ask IsClosed before each call.
#
# Needs Go and the module proxy.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module wasm

go 1.26.0

require github.com/tetratelabs/wazero v1.12.0
EOF2
cat >main.go <<'EOF2'
package main

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// guest exports run, which calls h.f until that has returned 0, and returns 7:
//
//	(loop (br_if 0 (call $f))) (i32.const 7)
var guest = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x05\x01\x60\x00\x01\x7f" +
	"\x02\x07\x01\x01h\x01f\x00\x00" +
	"\x03\x02\x01\x00" +
	"\x07\x07\x01\x03run\x00\x01" +
	"\x0a\x0d\x01\x0b\x00\x03\x40\x10\x00\x0d\x00\x0b\x41\x07\x0b")

// The ways in which a host function ends a module.
var ends = []struct {
	name string
	end  func(ctx context.Context, m api.Module)
}{
	{"Close", func(ctx context.Context, m api.Module) { must(m.CloseWithExitCode(ctx, 3)) }},
	{"a panic", func(ctx context.Context, m api.Module) {
		must(m.CloseWithExitCode(ctx, 3))
		panic(sys.NewExitError(3))
	}},
}

func try(name string, config wazero.RuntimeConfig) {
	ctx := context.Background()
	for _, e := range ends {
		r := wazero.NewRuntimeWithConfig(ctx, config)
		calls, closed := 0, false
		f := func(ctx context.Context, m api.Module) int32 {
			calls++
			if !closed {
				closed = true
				e.end(ctx, m)
			}
			if calls < 5 {
				return 1
			}
			return 0
		}
		_, err := r.NewHostModuleBuilder("h").NewFunctionBuilder().WithFunc(f).Export("f").Instantiate(ctx)
		must(err)
		m, err := r.Instantiate(ctx, guest)
		must(err)
		for _, when := range []string{"the call", "a later one"} {
			calls = 0
			result, err := m.ExportedFunction("run").Call(ctx)
			fmt.Printf("%s, %s, %s: calls of the host: %d, result: %v, an error: %v\n", name, e.name, when, calls, result, err != nil)
		}
		must(r.Close(ctx))
	}
}

func main() {
	try("compiler", wazero.NewRuntimeConfigCompiler())
	try("interpreter", wazero.NewRuntimeConfigInterpreter())
	try("compiler with the option", wazero.NewRuntimeConfigCompiler().WithCloseOnContextDone(true))
	try("interpreter with the option", wazero.NewRuntimeConfigInterpreter().WithCloseOnContextDone(true))
}
EOF2
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff seen - <<'EOF2'
compiler, Close, the call: calls of the host: 5, result: [], an error: true
compiler, Close, a later one: calls of the host: 5, result: [], an error: true
compiler, a panic, the call: calls of the host: 1, result: [], an error: true
compiler, a panic, a later one: calls of the host: 5, result: [], an error: true
interpreter, Close, the call: calls of the host: 5, result: [7], an error: true
interpreter, Close, a later one: calls of the host: 5, result: [7], an error: true
interpreter, a panic, the call: calls of the host: 1, result: [], an error: true
interpreter, a panic, a later one: calls of the host: 5, result: [7], an error: true
compiler with the option, Close, the call: calls of the host: 1, result: [], an error: true
compiler with the option, Close, a later one: calls of the host: 0, result: [], an error: true
compiler with the option, a panic, the call: calls of the host: 1, result: [], an error: true
compiler with the option, a panic, a later one: calls of the host: 0, result: [], an error: true
interpreter with the option, Close, the call: calls of the host: 1, result: [], an error: true
interpreter with the option, Close, a later one: calls of the host: 0, result: [], an error: true
interpreter with the option, a panic, the call: calls of the host: 1, result: [], an error: true
interpreter with the option, a panic, a later one: calls of the host: 0, result: [], an error: true
EOF2
echo "as it was seen"
