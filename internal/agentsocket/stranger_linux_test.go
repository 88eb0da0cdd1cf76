package agentsocket

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A thread of another user cannot reach the socket; and where folder and mode were
// widened, it is let go without a byte.
func TestStranger(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("it takes root to be somebody else")
	}
	dir := home(t)
	l := listen(t)
	path := Path(os.Getpid())
	accepted := make(chan net.Conn, 1)
	go func() {
		defer close(accepted)
		if c, err := l.Accept(); err == nil {
			accepted <- c
		}
	}()

	_, err := asStranger(path)
	assert.ErrorIs(t, err, unix.EACCES)

	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o755))
	_, err = asStranger(path)
	assert.ErrorIs(t, err, unix.EACCES, "the socket has a mode of its own")

	require.NoError(t, os.Chmod(path, 0o666))
	n, err := asStranger(path)
	if err != nil {
		assert.ErrorIs(t, err, unix.ECONNRESET)
	}
	assert.Zero(t, n)
	require.NoError(t, l.Close())
	for range accepted {
		assert.Fail(t, "the stranger was let in")
	}
}

// asStranger connects as another user, and reads.
func asStranger(path string) (n int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and the thread ends with the goroutine
		const nobody = 65534
		if _, _, failed := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); failed != 0 { // of this thread alone
			err = failed
			return
		}
		fd, failed := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if failed != nil {
			err = failed
			return
		}
		defer unix.Close(fd)
		if err = unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err == nil {
			n, err = unix.Read(fd, make([]byte, 1))
		}
	}()
	<-done
	return n, err
}
