//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

// SetSendfile tells whether sendfile(2) is used where the system has it.
func SetSendfile(on bool) { noSendfile = !on }
