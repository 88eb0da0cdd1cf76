//go:build !linux

package asyncio

// processDescriptor returns -1: there is no descriptor for a process.
func processDescriptor(int) int { return -1 }
