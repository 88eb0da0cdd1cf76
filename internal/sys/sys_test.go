//go:build unix

package sys_test

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

func pair(t *testing.T) (a, b int) {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range ends {
		t.Cleanup(func() { unix.Close(fd) })
		if err := unix.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	return ends[0], ends[1]
}

// S1: no call waits.
func TestCallsDoNotWait(t *testing.T) {
	a, b := pair(t)
	if n, err := sys.Read(a, make([]byte, 8)); n != 0 || err != unix.EAGAIN {
		t.Errorf("Read with nothing there: %d, %v", n, err)
	}
	sent, page := 0, make([]byte, 1<<16)
	for {
		n, err := sys.Write(a, page)
		if sent += n; err == unix.EAGAIN {
			break
		} else if err != nil || sent > 1<<28 {
			t.Fatalf("Write: %d bytes so far, %v", sent, err)
		}
	}
	got := 0
	for got < sent {
		n, err := sys.Read(b, page)
		if err != nil || n == 0 {
			t.Fatalf("Read after %d of %d bytes: %d, %v", got, sent, n, err)
		}
		got += n
	}
	unix.Shutdown(a, unix.SHUT_WR)
	if n, err := sys.Read(b, page); n != 0 || err != nil {
		t.Errorf("Read at the end: %d, %v", n, err)
	}
	if _, err := sys.Read(-1, page); err != unix.EBADF {
		t.Errorf("Read of no descriptor: %v", err)
	}
	if _, err := sys.Accept(a); err == nil || err == unix.EAGAIN {
		t.Errorf("Accept of a socket that does not listen: %v", err)
	}
}

// S2: a buffer on a stack that grows is read into where it is.
func TestCallsFromGrowingStack(t *testing.T) {
	a, b := pair(t)
	var grow func(depth int) byte
	grow = func(depth int) byte {
		var p [256]byte
		if depth > 0 {
			p[depth%256] = grow(depth - 1)
		}
		if n, err := sys.Write(a, []byte{byte(depth)}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := sys.Read(b, p[:]); n != 1 || err != nil || p[0] != byte(depth) {
			t.Fatalf("read %d bytes, the first is %d, %v; want %d", n, p[0], err, byte(depth))
		}
		return p[0]
	}
	done := make(chan struct{})
	go func() { // its stack is new
		defer close(done)
		grow(500)
	}()
	<-done
}

// S3: no call copies more than Max.
func TestMax(t *testing.T) {
	a, _ := pair(t)
	unix.SetsockoptInt(a, unix.SOL_SOCKET, unix.SO_SNDBUF, 4*sys.Max)
	if n, err := sys.Write(a, bytes.Repeat([]byte{1}, 2*sys.Max)); n > sys.Max || err != nil {
		t.Errorf("Write: %d, %v", n, err)
	}
}
