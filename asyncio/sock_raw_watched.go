//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import "errors"

// A rawSock is a Socket as syscall.RawConn.
type rawSock struct{ s *Socket }

// Control calls f.
func (r rawSock) Control(f func(fd uintptr)) error { return r.s.d.Control(f) }

// Read calls f once.
func (r rawSock) Read(f func(fd uintptr) (done bool)) error {
	done := false
	if err := r.Control(func(fd uintptr) { done = f(fd) }); err != nil || done {
		return err
	}
	return errors.ErrUnsupported
}

// Write calls f once.
func (r rawSock) Write(f func(fd uintptr) (done bool)) error { return r.Read(f) }
