//go:build unix && !solaris && !illumos && !aix

package agentsocket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Listen listens on the socket of the calling process. Only processes of the same
// user can connect: the folder and the socket are for that user alone from the first
// moment on, and Accept asks the system whose the other end is. Close removes the
// socket.
//
// What programs that have ended left in the folder is removed.
func Listen() (net.Listener, error) {
	folder := Folder()
	if err := own(folder); err != nil {
		return nil, err
	}
	sweep(folder)
	path := Path(os.Getpid())
	l, err := listenPrivately(path)
	if err != nil {
		return nil, err
	}
	return &listener{Listener: l, uid: os.Getuid()}, nil
}

// own makes the folder, or looks whether it is what it would have made: one of this
// user's that nobody else can write to or read.
func own(folder string) error {
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	refuse := func(why string) error { return fmt.Errorf("sight: %s %s: no socket is made there", folder, why) }
	switch {
	case !info.IsDir():
		return refuse("is no folder, or a link to one")
	case int(info.Sys().(*syscall.Stat_t).Uid) != os.Getuid():
		return refuse("belongs to another user")
	case info.Mode().Perm()&0o077 != 0:
		return refuse(fmt.Sprintf("has the mode %#o, and others than its owner may use it", info.Mode().Perm()))
	}
	return nil
}

// sweep removes the sockets that nobody listens on: nothing else removes that of a
// process that was killed. It asks the sockets, not the system for processes of these
// numbers: those that share the folder may be of another container.
func sweep(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil || e.Type() != fs.ModeSocket {
			continue
		}
		path := filepath.Join(folder, e.Name())
		c, err := net.Dial("unix", path)
		if err == nil {
			c.Close()
		} else if errors.Is(err, syscall.ECONNREFUSED) {
			os.Remove(path)
		}
	}
}

// A listener takes connections of processes of the user uid.
type listener struct {
	net.Listener
	uid int
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.mayLook(c.(*net.UnixConn)) {
			return c, nil
		}
		c.Close()
	}
}

// mayLook reports whether the other end of c is of the same user. What the system
// cannot tell is taken for another user's.
func (l *listener) mayLook(c *net.UnixConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	uid, failed := -1, error(nil)
	err = raw.Control(func(fd uintptr) { uid, failed = peer(int(fd)) })
	return err == nil && failed == nil && uid == l.uid
}

// listenConfig is net's, with what is done to the socket before it gets its name.
func listenConfig(path string, before func(fd int) error) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		if err := c.Control(func(fd uintptr) { failed = before(int(fd)) }); err != nil {
			return err
		}
		return failed
	}}
	return config.Listen(context.Background(), "unix", path)
}
