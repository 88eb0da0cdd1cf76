//go:build portable || !linux

package asyncio

// openProcess returns -1: there is no descriptor for a process.
func openProcess(int) int { return -1 }

func closeDescriptor(int) {}
