//go:build !unix && !wasm

package asyncio

import "syscall"

// uncatchable reports whether the system lets no program have sig.
func uncatchable(sig syscall.Signal) bool { return sig == syscall.SIGKILL }
