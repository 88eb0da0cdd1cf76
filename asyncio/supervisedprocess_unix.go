//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A supervised is a child process, as its supervisor sees it.
type supervised struct {
	place    *childPlace
	cmd      *exec.Cmd
	ready    time.Time   // since when, or zero
	patience *time.Timer // it was told to end, and is killed afterwards; or nil
	killed   bool
}

// start starts a process for p.
func (s *supervisor) start(p *childPlace) (*supervised, error) {
	heard, says, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	argv := append(emulator[:len(emulator):len(emulator)], s.program)
	cmd := exec.Command(argv[0], append(argv[1:], os.Args[1:]...)...)
	if len(emulator) == 0 {
		cmd.Args[0] = os.Args[0]
	}
	cmd.Env = append(os.Environ(), supervisedVariable+"="+strconv.Itoa(len(s.listeners)),
		supervisedPlaceVariable+"="+strconv.Itoa(slices.Index(s.places, p)))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = append([]*os.File{s.life, says}, s.listeners...)
	err = cmd.Start()
	says.Close()
	if err != nil {
		heard.Close()
		return nil, err
	}
	c := &supervised{place: p, cmd: cmd}
	s.live[c] = true
	heardAll := make(chan struct{})
	go func() {
		defer close(heardAll)
		if n, _ := heard.Read(make([]byte, 1)); n == 1 {
			s.post(func() { s.ready(c) })
		}
	}()
	s.watchers.Add(1)
	go func() {
		defer s.watchers.Done()
		err := cmd.Wait()
		heard.SetReadDeadline(time.Now().Add(time.Second)) // if one of its own children has the other end
		<-heardAll
		heard.Close()
		s.post(func() { s.ended(c, err) })
	}()
	return c, nil
}

// tell tells c to end.
func (s *supervisor) tell(c *supervised) {
	if c.patience == nil {
		c.cmd.Process.Signal(syscall.SIGTERM)
		c.patience = time.AfterFunc(s.opts.grace, func() { s.post(func() { s.kill(c) }) })
	}
}

// kill ends c, if it still runs.
func (s *supervisor) kill(c *supervised) {
	if !s.live[c] || c.killed {
		return
	}
	c.killed = true
	slog.Warn(fmt.Sprintf("asyncio: process %d has not ended and is killed", c.cmd.Process.Pid))
	c.cmd.Process.Kill()
	if s.stopping {
		s.killed++
	}
}

// listenForChildren opens the sockets. close closes them, and removes the files of
// unix sockets.
func listenForChildren(ctx context.Context, listen []string) (files []*os.File, close func(), err error) {
	paths := make(map[string]os.FileInfo)
	close = func() {
		for _, f := range files {
			f.Close()
		}
		for path, own := range paths {
			if now, err := os.Lstat(path); err == nil && os.SameFile(now, own) {
				os.Remove(path)
			}
		}
	}
	for _, addr := range listen {
		network, addr, _ := strings.Cut(addr, ":")
		isPath := network == "unix" && addr != "" && addr[0] != '@'
		if isPath {
			if err := freePath(&net.UnixAddr{Net: network, Name: addr}, false); err != nil {
				return files, close, opError("listen", &net.UnixAddr{Net: network, Name: addr}, err)
			}
		}
		ln, err := new(net.ListenConfig).Listen(ctx, network, addr)
		if err != nil {
			return files, close, err
		}
		if u, ok := ln.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
		if isPath {
			paths[addr], _ = os.Lstat(addr)
		}
		f, err := dupFile(ln.(syscall.Conn))
		ln.Close()
		if err != nil {
			return files, close, err
		}
		files = append(files, f)
	}
	return files, close, nil
}
