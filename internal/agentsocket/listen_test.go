//go:build linux || darwin || freebsd

package agentsocket

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// home has the sockets in a new folder, whose path is short enough for one.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	return dir
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := Listen()
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestPath(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/7")
	assert.Equal(t, "/run/user/7/greenlet/42", Path(42))
	for _, none := range []string{"", "relative"} {
		t.Setenv("XDG_RUNTIME_DIR", none)
		assert.Equal(t, filepath.Join(os.TempDir(), "greenlet-"+strconv.Itoa(os.Getuid()), "42"), Path(42))
	}
}

// Only the owner can use the folder and the socket, whatever the umask is.
func TestModes(t *testing.T) {
	dir := home(t)
	defer syscall.Umask(syscall.Umask(0))
	l := listen(t)
	for name, mode := range map[string]os.FileMode{
		"greenlet":                              0o700 | os.ModeDir,
		"greenlet/" + strconv.Itoa(os.Getpid()): 0o600 | os.ModeSocket,
	} {
		info, err := os.Lstat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode(), name)
	}
	require.NoError(t, l.Close())
	left, err := os.ReadDir(filepath.Join(dir, "greenlet"))
	require.NoError(t, err)
	assert.Empty(t, left, "what Close leaves")
}

// The socket has its mode from the first moment on: it is not one of chmod later.
func TestNoWindow(t *testing.T) {
	path := filepath.Join(home(t), "socket")
	defer syscall.Umask(syscall.Umask(0))
	l, err := listenPrivately(path)
	require.NoError(t, err)
	defer l.Close()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	assert.Equal(t, 0o600|os.ModeSocket, info.Mode())
	assert.Equal(t, 0, syscall.Umask(0), "the umask is as it was")
}

// A folder that others could have put there, or can use, is not used.
func TestFolderIsChecked(t *testing.T) {
	for what, c := range map[string]struct {
		lay func(path string) error
		why string
	}{
		"a link":     {func(path string) error { return os.Symlink(os.TempDir(), path) }, "is no folder, or a link to one"},
		"a file":     {func(path string) error { return os.WriteFile(path, nil, 0o600) }, "is no folder, or a link to one"},
		"wide":       {func(path string) error { return os.Mkdir(path, 0o755) }, "has the mode 0755, and others than its owner may use it"},
		"for others": {func(path string) error { os.Mkdir(path, 0o700); return os.Chmod(path, 0o701) }, "has the mode 0701, and others than its owner may use it"},
		"another's": {func(path string) error {
			if os.Getuid() != 0 {
				return os.ErrPermission
			}
			os.Mkdir(path, 0o700)
			return os.Chown(path, 65534, 65534)
		}, "belongs to another user"},
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(home(t), "greenlet")
			if err := c.lay(path); err != nil {
				t.Skip("it takes root: ", err)
			}
			_, err := Listen()
			require.EqualError(t, err, "sight: "+path+" "+c.why+": no socket is made there")
		})
	}
}

// Where neither folder nor mode keeps another user out, the system's word does.
func TestPeer(t *testing.T) {
	home(t)
	for _, mine := range []bool{true, false} {
		l := listen(t)
		if !mine { // as if the program were another user's than this one
			l.(*listener).uid++
		}
		accepted := make(chan net.Conn, 1)
		go func() {
			defer close(accepted)
			if c, err := l.Accept(); err == nil {
				accepted <- c
			}
		}()
		c, err := net.Dial("unix", Path(os.Getpid()))
		require.NoError(t, err)
		if mine {
			require.NotNil(t, <-accepted)
		} else {
			_, err = c.Read(make([]byte, 1))
			require.Error(t, err, "it was closed without a byte")
		}
		require.NoError(t, c.Close())
		require.NoError(t, l.Close())
		for c := range accepted {
			require.Fail(t, "one too many", "%v", c)
		}
	}
}

// Sockets of processes that are gone are removed, and nothing else.
func TestSweep(t *testing.T) {
	dir := filepath.Join(home(t), "greenlet")
	require.NoError(t, os.Mkdir(dir, 0o700))
	at := func(name string, keeps bool) {
		l, err := net.Listen("unix", filepath.Join(dir, name))
		require.NoError(t, err)
		if keeps {
			t.Cleanup(func() { l.Close() })
			return
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		require.NoError(t, l.Close())
	}
	mine := strconv.Itoa(os.Getpid())
	at(mine, false) // of an earlier process of this number
	at("1", false)
	at("2", true)
	at("other", false)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "3"), nil, 0o600))
	listen(t)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.ElementsMatch(t, []string{"2", "3", "other", mine}, names)
}

func TestPathTooLong(t *testing.T) {
	dir := filepath.Join(home(t), "a-folder-with-a-name-of-more-than-one-hundred-letters-is-too-long-for-the-address-of-a-socket-on-this-system")
	require.NoError(t, os.Mkdir(dir, 0o700))
	t.Setenv("XDG_RUNTIME_DIR", dir)
	_, err := Listen()
	require.Error(t, err)
}
