package asyncio

import (
	"log/slog"
	"syscall"
)

// An original is what WithSocket was given, of which a transport or a server has a
// duplicate. While it is open, closing the duplicate ends nothing: the other side
// waits for the end, a port stays taken. Debug mode says so.
type original struct{ of syscall.Conn }

// duplicated notes that s is a duplicate of c.
func (o *original) duplicated(l *Loop, c syscall.Conn) {
	if l.debug {
		o.of = c
	}
}

// duplicateClosed is called when the duplicate was closed.
func (o *original) duplicateClosed() {
	if o.of == nil {
		return
	}
	of := o.of
	o.of = nil
	raw, err := of.SyscallConn()
	if err == nil {
		err = raw.Control(func(uintptr) {})
	}
	if err == nil {
		slog.Warn("asyncio: what WithSocket was given is still open, so closing its duplicate ends nothing: close it after the call that takes it", "socket", of)
	}
}
