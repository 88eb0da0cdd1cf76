//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/bench/net/process"
)

// timed measures f, the whole of a program, which returns what is checked.
func timed(n int, f func() (check uint64, err error)) (r result, err error) {
	used, err := process.Clock(unix.Getpid())
	if err != nil {
		return r, err
	}
	begin := time.Now()
	check, err := f()
	if err != nil {
		return r, err
	}
	r = result{N: float64(n), Wall: time.Since(begin).Seconds(), Check: fmt.Sprint(check)}
	now, err := process.Clock(unix.Getpid())
	if err != nil {
		return r, err
	}
	r.Processor = (now - used).Seconds()
	r.Memory, err = peak(unix.Getpid())
	return r, err
}

// peak is the most of its memory that a process had resident so far, in MB. What
// getrusage tells of that is, in a new process, its parent's.
func peak(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	var kB float64
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	_, err = fmt.Sscan(string(after), &kB)
	return kB / 1024, err
}

// A server is a process of a program that serves.
type server struct {
	*exec.Cmd
	addr string
}

// startServer starts a way's server, on the processor for servers if there shall be
// one. It prints "ready HOST:PORT". The caller must end it.
func startServer(name, way string, r run) (*server, error) {
	c, err := self("-run", name, "-way", way, "-serve", fmt.Sprint("-one=", r.one), "-profile", r.profile)
	if err != nil {
		return nil, err
	}
	c.Stderr = os.Stderr
	says, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cpu := -1
	if r.one {
		c.Env, cpu = append(os.Environ(), "GOMAXPROCS=1"), serverCPU
	}
	if err := process.Start(c, cpu); err != nil {
		return nil, err
	}
	said, err := bufio.NewReader(says).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(said), "ready ")
	s := &server{c, addr}
	if !ok {
		s.end()
		return nil, fmt.Errorf("the server says %q, %v", said, err)
	}
	return s, nil
}

func (s *server) end() {
	s.Process.Kill()
	s.Wait()
}
