//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package fd

import "golang.org/x/sys/unix"

// ErrAgain is the error of a call that would have to wait.
const ErrAgain = unix.EAGAIN
