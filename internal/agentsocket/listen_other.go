//go:build !unix || solaris || illumos || aix

package agentsocket

import (
	"errors"
	"fmt"
	"net"
)

// Listen fails: here it is not known whose the other end of a socket is.
func Listen() (net.Listener, error) {
	return nil, fmt.Errorf("sight: no socket can be made on this system: %w", errors.ErrUnsupported)
}
