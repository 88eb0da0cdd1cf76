package asyncio

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime"
	"syscall"
)

// freePath removes the unix socket that has the path of a, as one that has died
// leaves it. The error is that of an address in use if it is alive, unless it is to
// be replaced all the same. What is no socket stays, for bind to refuse.
func freePath(a *net.UnixAddr, replace bool) error {
	info, err := os.Lstat(a.Name)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil
	}
	if !replace && alive(a.Name) {
		return os.NewSyscallError("bind", syscall.EADDRINUSE)
	}
	os.Remove(a.Name)
	return nil
}

// alive reports whether somebody has the unix socket at path. It asks with a socket
// for datagrams: a server of connections refuses that as one of the wrong kind, and
// has no visitor.
func alive(path string) bool {
	network := "unixgram"
	if runtime.GOOS == "windows" { // which has only the other kind
		network = "unix"
	}
	c, err := net.Dial(network, path)
	if err == nil {
		c.Close()
		return true
	}
	if network == "unix" {
		return false
	}
	return !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist)
}
