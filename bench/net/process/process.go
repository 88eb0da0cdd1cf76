//go:build linux

// Package process starts a program on one processor, and reads what a running
// program has used of it and of memory.
package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Start starts a program that runs on one processor only, its children too. A
// negative number is for any processor. The program is killed when this one
// dies, so the caller stays on the thread that it is on.
func Start(c *exec.Cmd, cpu int) error {
	runtime.LockOSThread() // never undone: the parent in the sense of Pdeathsig is a thread
	if c.SysProcAttr == nil {
		c.SysProcAttr = new(unix.SysProcAttr)
	}
	c.SysProcAttr.Pdeathsig = unix.SIGKILL
	if cpu < 0 {
		return c.Start()
	}
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	one.Set(cpu)
	// A child inherits it from the thread that makes it.
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("sched_setaffinity to processor %d: %w", cpu, err)
	}
	defer unix.SchedSetaffinity(0, &before)
	return c.Start()
}

// Clock is the time on processors that a process has used, with all its threads.
// It has nanoseconds: it is the process's own clock, read from outside.
func Clock(pid int) (time.Duration, error) {
	const wholeProcess = 2 // CPUCLOCK_SCHED, without the bit for one thread
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|wholeProcess), &t); err != nil {
		return 0, fmt.Errorf("the clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// UserSystem is the time in the program and in the kernel. It comes in steps of
// 10 ms, and most kernels do not measure it: they look who runs at each tick and
// divide the whole accordingly.
func UserSystem(pid int) (user, system time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The name before the last bracket may contain anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, 0, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(fields))
	}
	const tick = 10 * time.Millisecond
	u, errU := strconv.Atoi(string(fields[utime]))
	s, errS := strconv.Atoi(string(fields[stime]))
	if errU != nil || errS != nil {
		return 0, 0, fmt.Errorf("/proc/%d/stat: %s", pid, stat)
	}
	return time.Duration(u) * tick, time.Duration(s) * tick, nil
}

// Resident is the resident memory of a process in bytes. What the kernel keeps
// for its sockets is not in it.
func Resident(pid int) (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return 0, fmt.Errorf("/proc/%d/statm: %w", pid, err)
	}
	return resident * int64(os.Getpagesize()), nil
}

// Settle waits until a process does nothing any more, at most for limit.
func Settle(pid int, limit time.Duration) error {
	last, err := Clock(pid)
	for begin := time.Now(); err == nil && time.Since(begin) < limit; {
		time.Sleep(20 * time.Millisecond)
		var now time.Duration
		if now, err = Clock(pid); now-last < 200*time.Microsecond {
			break
		}
		last = now
	}
	return err
}
