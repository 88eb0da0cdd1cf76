//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import (
	"os"
	"syscall"
)

// dupFile returns a duplicate of the descriptor of c, a socket of package net.
func dupFile(c syscall.Conn) (*os.File, error) {
	has, ok := c.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, typeErrorf("a socket of package net was expected, got %T", c)
	}
	return has.File()
}
