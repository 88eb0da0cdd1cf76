//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import (
	"context"
	"errors"
	"fmt"
	"net"
)

func supervise(context.Context, int, []string, *processesOptions) error {
	return fmt.Errorf("asyncio: RunProcesses: %w", errors.ErrUnsupported)
}

func runSupervised(context.Context, string, int, func(context.Context, []net.Listener) error, *processesOptions) int {
	return 1 // nobody starts such processes
}
