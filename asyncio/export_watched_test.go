//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import "github.com/go-greenlet/greenlet/asyncio/internal/fd"

// SetSendfile tells whether sendfile(2) is used where the system has it.
func SetSendfile(on bool) { fd.NoSendfile = !on }

// WatchesDescriptors tells how connections and pipes are waited for.
var WatchesDescriptors = true
