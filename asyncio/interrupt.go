//go:build !wasm

package asyncio

import (
	"os"
	"os/signal"
)

// interruptsIgnored reports whether the program is not to be interrupted.
func interruptsIgnored() bool { return signal.Ignored(os.Interrupt) }
