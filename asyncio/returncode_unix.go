//go:build unix

package asyncio

import (
	"os"
	"syscall"
)

const terminateSignal = syscall.SIGTERM

// returnCode is the exit code of a process, or -N if signal N has ended it.
func returnCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return -int(status.Signal())
	}
	return state.ExitCode()
}
