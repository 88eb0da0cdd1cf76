package asyncio

import (
	"os"
	"strings"
)

// Emulator is what must stand before a program's name to start it, where the
// tests run in an emulator.
var Emulator = strings.Fields(os.Getenv("TEST_EXEC"))

func init() { emulator = Emulator }

// WithoutProcessDescriptors has children waited for by goroutines, as on systems
// without a descriptor for them, until restore is called.
func WithoutProcessDescriptors() (restore func()) {
	processDescriptor = func(int) int { return -1 }
	return func() { processDescriptor = openProcess }
}
