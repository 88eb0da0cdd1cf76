//go:build portable || !linux

package fd

// OpenProcess returns -1: there is no descriptor for a process.
func OpenProcess(int) int { return -1 }

// CloseDescriptor closes it.
func CloseDescriptor(int) {}
