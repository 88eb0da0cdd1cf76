//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// descriptors returns how many this process has open.
func descriptors(t testing.TB) int {
	t.Helper()
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		if all, err := os.ReadDir(dir); err == nil {
			return len(all)
		}
	}
	t.Skip("there is no way to count descriptors")
	return 0
}

// wantDescriptors waits until there are no more than so many.
func wantDescriptors(t *testing.T, ctx context.Context, most int) {
	t.Helper()
	for start := time.Now(); descriptors(t) > most; asyncio.Sleep(ctx, 5*time.Millisecond) {
		if time.Since(start) > tooLate {
			t.Errorf("%d descriptors, before there were %d", descriptors(t), most)
			return
		}
	}
}

// turns lets n turns of the loop go by.
func turns(ctx context.Context, n int) {
	for range n {
		asyncio.Sleep(ctx, 0)
	}
}

// until waits for something, turn by turn.
func until(ctx context.Context, is func() bool) {
	for !is() {
		asyncio.Sleep(ctx, 0)
	}
}

// fdsOpen returns how many descriptors below 1024 are open.
func fdsOpen() (n int) {
	for fd := range 1024 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}

// resetOnClose has the connection reset when it is closed.
func resetOnClose(w *asyncio.StreamWriter) {
	w.ExtraInfo("socket").(syscall.RawConn).Control(func(fd uintptr) {
		syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	})
}

// onUnix skips a test elsewhere.
func onUnix(*testing.T) {}

// interruptMyself interrupts this process, as Ctrl-C does. It is nil elsewhere.
var interruptMyself = func() { syscall.Kill(os.Getpid(), syscall.SIGINT) }
