//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

// SetSendfile does nothing: sendfile(2) is not used.
func SetSendfile(bool) {}

// WatchesDescriptors tells how connections and pipes are waited for.
var WatchesDescriptors = false
