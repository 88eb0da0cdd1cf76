package sys_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// The duration is understood as it was meant, on systems of 32 bits, too.
func TestWaitEnds(t *testing.T) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ep)
	begin := time.Now()
	n, err := sys.Wait(ep, make([]unix.EpollEvent, 1), &sys.Timespec{Nsec: int64(time.Millisecond)})
	if err == unix.ENOSYS || err == unix.EPERM {
		t.Skip("there is no epoll_pwait2: ", err)
	}
	if n != 0 || err != nil || time.Since(begin) < time.Millisecond {
		t.Errorf("%d events, %v, after %v", n, err, time.Since(begin))
	}
}
