//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package fd

import (
	"errors"
	"fmt"
)

// SharePort returns errors.ErrUnsupported.
func SharePort(int) error {
	return fmt.Errorf("asyncio: several listeners at one address: %w", errors.ErrUnsupported)
}
