package fd

import (
	"errors"

	"golang.org/x/sys/windows"
)

// OutOfResources reports whether err of accept is one that passes.
func OutOfResources(err error) bool {
	return errors.Is(err, windows.WSAEMFILE) || errors.Is(err, windows.WSAENOBUFS)
}

// Absent reports whether err of bind is that of a machine without such addresses.
func Absent(err error) bool {
	return errors.Is(err, windows.WSAEAFNOSUPPORT) || errors.Is(err, windows.WSAEADDRNOTAVAIL) || errors.Is(err, windows.WSAEPROTONOSUPPORT)
}
