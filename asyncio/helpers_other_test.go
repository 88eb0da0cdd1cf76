//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio_test

import (
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// onUnix skips a test of what Unix systems do, or say.
func onUnix(t *testing.T) {
	t.Helper()
	t.Skip("the test knows the errors and the unix sockets of Unix systems")
}

// resetOnClose does nothing: closing will do.
func resetOnClose(*asyncio.StreamWriter) {}

// interruptMyself would interrupt this process, as Ctrl-C does.
var interruptMyself func()

// fdsOpen is not known here.
func fdsOpen() int { return 0 }
