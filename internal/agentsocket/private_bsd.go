//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package agentsocket

import (
	"net"

	"golang.org/x/sys/unix"
)

// listenPrivately listens on a socket that only its owner can use. The umask, which
// is all threads', is another one for the length of the call: what others make at
// that moment is for its owner only.
func listenPrivately(path string) (net.Listener, error) {
	before := unix.Umask(0o177)
	defer unix.Umask(before)
	return listenConfig(path, func(int) error { return nil })
}
