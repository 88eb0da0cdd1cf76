package sys_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// The end of a wait is where it was asked for, also where unix.Timespec is not the
// kernel's.
func TestWaitEnds(t *testing.T) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ep)
	limit := unix.NsecToTimespec(int64(2 * time.Millisecond))
	n, err := sys.Wait(ep, make([]unix.EpollEvent, 1), &limit)
	if n != 0 || err != nil && err != unix.ENOSYS {
		t.Errorf("%d events, %v", n, err)
	}
}
