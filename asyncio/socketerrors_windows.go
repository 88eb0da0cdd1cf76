package asyncio

import (
	"errors"

	"golang.org/x/sys/windows"
)

// outOfResources reports whether err of accept is one that passes.
func outOfResources(err error) bool {
	return errors.Is(err, windows.WSAEMFILE) || errors.Is(err, windows.WSAENOBUFS)
}

// absent reports whether err of bind is that of a machine without such addresses.
func absent(err error) bool {
	return errors.Is(err, windows.WSAEAFNOSUPPORT) || errors.Is(err, windows.WSAEADDRNOTAVAIL) || errors.Is(err, windows.WSAEPROTONOSUPPORT)
}
