//go:build !unix

package asyncio

import "os"

var terminateSignal = os.Kill // there is nothing gentler

func returnCode(state *os.ProcessState) int { return state.ExitCode() }
