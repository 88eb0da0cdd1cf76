package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Accept is accept4(2) on a listening socket that does not block. The new socket
// does not block either, and is closed on exec. The address is not asked for.
func Accept(fd int) (int, error) {
	for {
		// SAFETY: S1.
		n, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case 0:
			Acquire()
			return int(n), nil
		case unix.EAGAIN:
			return -1, unix.EAGAIN
		case unix.EINTR:
			continue
		}
		return -1, errno
	}
}

// Poll is epoll_wait(2) that does not wait. It returns the number of events.
func Poll(ep int, events []unix.EpollEvent) int {
	// SAFETY: S1, S2.
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// A Timespec is a duration as epoll_pwait2 takes it: of 64 bits each also where
// unix.Timespec has 32.
type Timespec struct{ Sec, Nsec int64 }

// Wait is epoll_pwait2(2): it waits, for as long as t tells, nil for ever. It
// may block, so the scheduler is told. The error is ENOSYS before Linux 5.11.
func Wait(ep int, events []unix.EpollEvent, t *Timespec) (int, error) {
	// SAFETY: S2.
	n, _, errno := syscall.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(ep),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(unsafe.Pointer(t)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
