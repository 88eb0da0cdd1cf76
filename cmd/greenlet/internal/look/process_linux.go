package look

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Supported reports whether the memory of processes can be read on this system.
const Supported = true

// A processMemory is the memory of a process, which goes on meanwhile.
type processMemory struct {
	pid int
	mem *os.File // where process_vm_readv is not there
}

func (m *processMemory) ReadAt(b []byte, at uint64) error {
	if !sane(b, at) {
		return unix.EFAULT
	}
	if m.mem != nil {
		_, err := m.mem.ReadAt(b, int64(at))
		if errors.Is(err, io.EOF) { // what a process that has ended reads as
			err = unix.ESRCH
		}
		return err
	}
	n, err := unix.ProcessVMReadv(m.pid,
		[]unix.Iovec{{Base: &b[0], Len: uint64(len(b))}},
		[]unix.RemoteIovec{{Base: uintptr(at), Len: len(b)}}, 0)
	if err == nil && n < len(b) {
		err = unix.EFAULT
	}
	return err
}

func (m *processMemory) ReadBoth(a []byte, aAt uint64, b []byte, bAt uint64) error {
	if m.mem != nil {
		if err := m.ReadAt(a, aAt); err != nil {
			return err
		}
		return m.ReadAt(b, bAt)
	}
	if !sane(a, aAt) || !sane(b, bAt) {
		return unix.EFAULT
	}
	n, err := unix.ProcessVMReadv(m.pid,
		[]unix.Iovec{{Base: &a[0], Len: uint64(len(a))}, {Base: &b[0], Len: uint64(len(b))}},
		[]unix.RemoteIovec{{Base: uintptr(aAt), Len: len(a)}, {Base: uintptr(bAt), Len: len(b)}}, 0)
	if err == nil && n < len(a)+len(b) {
		err = unix.EFAULT
	}
	return err
}

// sane reports whether there can be such memory.
func sane(b []byte, at uint64) bool {
	end := at + uint64(len(b))
	return len(b) > 0 && end > at && end <= 1<<56
}

// Open finds the tables of a running process. The error is ErrNoTable,
// fs.ErrNotExist or fs.ErrPermission, or says what is wrong with its file.
func Open(pid int) (*Process, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if pid <= 0 {
		return nil, fs.ErrNotExist
	}
	exe, err := os.Open(dir + "/exe")
	if err != nil {
		if _, there := os.Stat(dir); there != nil {
			return nil, fs.ErrNotExist
		}
		return nil, plain(err)
	}
	defer exe.Close()
	program, err := ReadProgram(exe)
	if err != nil {
		return nil, err
	}
	m := &processMemory{pid: pid}
	bias := uint64(0)
	if program.pie {
		aux, err := os.ReadFile(dir + "/auxv")
		if err != nil {
			return nil, plain(err)
		}
		for ; len(aux) >= 16; aux = aux[16:] {
			const phdr = 3 // AT_PHDR
			if binary.NativeEndian.Uint64(aux) == phdr {
				bias = binary.NativeEndian.Uint64(aux[8:]) - program.headers
			}
		}
	}
	var magic [len(tableMagic)]byte
	err = m.ReadAt(magic[:], program.table+bias)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) { // a filter of system calls may forbid it
		mem, openErr := os.Open(dir + "/mem")
		if openErr != nil {
			return nil, plain(openErr)
		}
		m.mem = mem
		err = m.ReadAt(magic[:], program.table+bias)
	}
	switch {
	case errors.Is(err, unix.ESRCH):
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, plain(err)
	case string(magic[:]) != tableMagic:
		return nil, fmt.Errorf("the sight table is not where the file says: an emulator may run the program")
	}
	return newProcess(pid, program, m, bias), nil
}

// plain says what kind of error it is, without the names of files.
func plain(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fs.ErrPermission
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH):
		return fs.ErrNotExist
	}
	return err
}

// Close lets go of the process.
func (p *Process) Close() error {
	if m, ok := p.mem.(*processMemory); ok && m.mem != nil {
		return m.mem.Close()
	}
	return nil
}

// A Listed is a process that has a sight table.
type Listed struct {
	PID     int    `json:"pid"`
	Go      string `json:"go"`
	Command string `json:"command"`
}

// List returns the processes of this user that can be looked at.
func List() []Listed {
	all := []Listed{}
	entries, _ := os.ReadDir("/proc")
	me := os.Getuid()
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != me {
			continue
		}
		exe, err := os.Open(filepath.Join("/proc", e.Name(), "exe"))
		if err != nil {
			continue
		}
		program, err := ReadProgram(exe)
		exe.Close()
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if len(line) > textMost {
			line = line[:textMost]
		}
		command := strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
		all = append(all, Listed{pid, program.Go, command})
	}
	return all
}

// WhyForbidden says what the system asks of who reads the memory of a process.
func WhyForbidden() string {
	scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		return "this system has no kernel.yama.ptrace_scope"
	}
	n := strings.TrimSpace(string(scope))
	meaning := map[string]string{
		"0": "the same user may",
		"1": "only its own children",
		"2": "only with CAP_SYS_PTRACE",
		"3": "nobody",
	}[n]
	return fmt.Sprintf("kernel.yama.ptrace_scope is %s here: %s", n, meaning)
}

// monotonic is the clock by which the processes of this machine count: 0 if it is not known.
func monotonic() int64 {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return now.Nano()
}
