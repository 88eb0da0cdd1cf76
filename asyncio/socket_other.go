//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package asyncio

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/go-greenlet/greenlet/sched"
)

// A socket is a connection, or what listens. Here the loop cannot watch
// descriptors, so there are none yet.
type socket struct {
	loop          *Loop
	on            sched.Watcher
	can           sched.Events
	network       string
	local, remote net.Addr
	opened        inList[openThing]
}

// errAgain is the error of a call that would have to wait.
var errAgain = errors.New("asyncio: the call would have to wait")

func connectSocket(_ context.Context, _ *Loop, remote, _ net.Addr, _ *socketOptions) (*socket, error) {
	return nil, opError("dial", remote, errors.ErrUnsupported)
}

func bindSocket(_ *Loop, local net.Addr, _ *serverOptions) (*socket, error) {
	return nil, opError("listen", local, errors.ErrUnsupported)
}

func dupStream(*Loop, syscall.Conn) (*socket, error) { return nil, errors.ErrUnsupported }

func outOfResources(error) bool { return false }
func absent(error) bool         { return false }

func (s *socket) listen(int) error                             { return errors.ErrUnsupported }
func (s *socket) accept() (*socket, error)                     { return nil, errors.ErrUnsupported }
func (s *socket) watch() error                                 { return errors.ErrUnsupported }
func (s *socket) read([]byte) (int, error)                     { return 0, errors.ErrUnsupported }
func (s *socket) write([]byte) (int, error)                    { return 0, errors.ErrUnsupported }
func (s *socket) sendFile(*os.File, int64, int64) (int, error) { return 0, errNoSendfile }
func (s *socket) closeWrite() error                            { return errors.ErrUnsupported }
func (s *socket) close()                                       {}
func (s *socket) closed() bool                                 { return true }
func (s *socket) localAddr() net.Addr                          { return s.local }
func (s *socket) remoteAddr() net.Addr                         { return s.remote }
func (s *socket) Control(func(fd uintptr)) error               { return errors.ErrUnsupported }
func (s *socket) Read(func(fd uintptr) bool) error             { return errors.ErrUnsupported }
func (s *socket) Write(func(fd uintptr) bool) error            { return errors.ErrUnsupported }
func (s *socket) abandon()                                     {}
