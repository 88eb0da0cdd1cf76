//go:build !wasm

package asyncio

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// interruptsIgnored reports whether the program is not to be interrupted.
func interruptsIgnored() bool { return signal.Ignored(os.Interrupt) }

// signalsHere reports whether the caller can receive signals. In a
// testing/synctest bubble package signal would make channels of the bubble, which
// it uses outside.
func signalsHere() bool { return !rt.InBubble() }

func notify(c chan<- os.Signal, sig os.Signal) { signal.Notify(c, sig) }
func stopNotify(c chan<- os.Signal)            { signal.Stop(c) }

// lastSignal is the highest number of a signal.
func lastSignal() syscall.Signal {
	switch runtime.GOOS {
	case "linux":
		return 64
	case "freebsd":
		return 128
	case "netbsd":
		return 63
	}
	return 31
}

// checkSignal tells why sig cannot have a handler.
func checkSignal(sig os.Signal) error {
	number, ok := sig.(syscall.Signal)
	switch {
	case !ok:
		return typeErrorf("sig must be a syscall.Signal, not %T", sig)
	case number < 1 || number > lastSignal():
		return valueErrorf("invalid signal number %d", int(number))
	case uncatchable(number):
		return runtimeErrorf("sig %d cannot be caught", int(number))
	}
	return nil
}
