//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package fd

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
	"github.com/go-greenlet/greenlet/sched"
)

// An FD is an open descriptor that a loop watches from its first Watch on: what
// connections, sockets, transports and pipes have in common. Its calls of the system
// do not wait; what would have to is ErrAgain. Unless a method says otherwise, only
// the loop's goroutine may call it, and before a Watch whoever has it.
type FD struct {
	sched.Descriptor
	Gate
	HungUp   bool  // the end has been told, and nothing new will be
	Messages bool  // a read of one tells nothing of the next
	Family   int16 // of one for datagrams whose address is known; else 0
}

// Watch has the loop tell w of what is new. If it does already it does nothing.
func (f *FD) Watch(l *sched.Loop, w sched.Watcher) error {
	if f.Watched() {
		return nil
	}
	return l.Watch(&f.Descriptor, f.FD, w)
}

// Note notes what was told.
func (f *FD) Note(ev sched.Events) {
	if ev&sched.HungUp != 0 {
		f.HungUp = true
	}
}

// Read reads what there is, by one system call. more tells whether another one is
// worth trying before something new is told. Any goroutine inside the gate may call
// it.
func (f *FD) Read(p []byte) (n int, more bool, err error) {
	n, err = sys.Read(f.FD, p)
	return n, err != ErrAgain && (err != nil || n >= min(len(p), sys.Max) || f.HungUp || f.Messages), err
}

// Write writes what there is room for, by one system call. more tells whether there
// may be room for more. Any goroutine inside the gate may call it.
func (f *FD) Write(p []byte) (n int, more bool, err error) {
	n, err = sys.Write(f.FD, p)
	return n, err != ErrAgain && (err != nil || n >= min(len(p), sys.Max)), err
}

// Accept takes a connection. Those that are gone again it passes over. Any goroutine
// inside the gate may call it.
func (f *FD) Accept() (came int, err error) {
	for {
		if came, err = sys.Accept(f.FD); err != unix.ECONNABORTED {
			return came, err
		}
	}
}

// Connected tells how the connection stands that Connect has begun: ErrAgain if there is
// none yet.
func (f *FD) Connected() error {
	code, err := unix.GetsockoptInt(f.FD, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		return err
	case code != 0:
		return syscall.Errno(code)
	}
	if _, err := unix.Getpeername(f.FD); err == unix.ENOTCONN {
		return ErrAgain
	}
	return nil
}

// Control calls fn with the descriptor, which is not closed before it returns.
func (f *FD) Control(fn func(number uintptr)) error {
	if !f.Enter() {
		return net.ErrClosed
	}
	defer func() {
		if f.Leave() {
			sys.Close(f.FD)
		}
	}()
	sys.Release() // what fn does is not known
	fn(uintptr(f.FD))
	sys.Acquire()
	return nil
}

// Close closes it, when a Control that is under way has returned. The second call
// returns net.ErrClosed.
func (f *FD) Close() error {
	first, last := f.Shut()
	if !first {
		return net.ErrClosed
	}
	f.Unwatch()
	if last {
		return sys.Close(f.FD)
	}
	return nil
}
