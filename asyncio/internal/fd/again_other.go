//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package fd

import "errors"

// ErrAgain is the error of a call that would have to wait.
var ErrAgain = errors.New("asyncio: the call would have to wait")
