package asyncio

import (
	"context"
	"io"
	"os"
	"strings"
)

// Emulator is what must stand before a program's name to start it, where the
// tests run in an emulator.
var Emulator = strings.Fields(os.Getenv("TEST_EXEC"))

func init() { emulator = Emulator }

// Beside is how Dial waits.
func Beside(ctx context.Context, f func(ctx context.Context) (io.Closer, error)) (io.Closer, error) {
	return beside(ctx, f)
}

// WatchesDescriptors tells how connections and pipes are waited for.
const WatchesDescriptors = watchesDescriptors

// WithoutProcessDescriptors has children waited for by goroutines, as on systems
// without a descriptor for them, until restore is called.
func WithoutProcessDescriptors() (restore func()) {
	processDescriptor = func(int) int { return -1 }
	return func() { processDescriptor = openProcess }
}

// PendingTimers is how many timers of l have not fired.
func PendingTimers(l *Loop) int {
	_, timers := l.s.Pending()
	return timers
}
