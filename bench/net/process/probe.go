//go:build linux

package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Probe watches a process from the kernel's side, by perf events: it counts
// system calls, and samples whether the process runs its own code or the
// kernel's, ten thousand times in a second of its time. That slows the process
// a little, so a run with a probe is no run to time.
type Probe struct {
	known   map[int]bool // threads
	calls   []call
	samples []sampler
}

type call struct {
	name string
	fd   int
}

type sampler struct {
	fd   int
	ring []byte
}

// Seen is what a probe has seen.
type Seen struct {
	User, Kernel int            // samples
	Calls        map[string]int // system calls by name; all is their sum; empty if the kernel counts none
}

// all is the name under which every system call counts.
const all = "all"

// frequent are the calls that are counted by name as well.
var frequent = []string{
	"read", "write", "readv", "writev", "recvfrom", "sendto", "recvmsg", "sendmsg", "accept", "accept4",
	"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "io_uring_enter", "futex", "nanosleep", "close",
}

// Watch begins to watch. It needs to be root, or a perf_event_paranoid that
// allows it, and for the system calls the kernel's tracing file system.
func Watch(pid int) (*Probe, error) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &allowed); err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	p := &Probe{known: make(map[int]bool)}
	for again := true; again; { // a thread may begin meanwhile, by one that is not watched yet
		before := len(p.known)
		if err := p.watchThreads(pid, &allowed); err != nil {
			p.Close()
			return nil, fmt.Errorf("perf events of process %d: %w", pid, err)
		}
		again = len(p.known) > before
	}
	return p, nil
}

func (p *Probe) watchThreads(pid int, allowed *unix.CPUSet) error {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			return err
		}
		if p.known[tid] {
			continue
		}
		p.known[tid] = true
		if err := p.count(tid); err != nil {
			return err
		}
		for cpu := range len(allowed) * 64 {
			if allowed.IsSet(cpu) {
				if err := p.sample(tid, cpu); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (p *Probe) count(tid int) error {
	for _, name := range append([]string{all}, frequent...) {
		event := "syscalls/sys_enter_" + name
		if name == all {
			event = "raw_syscalls/sys_enter"
		}
		id, err := tracepoint(event)
		if errors.Is(err, os.ErrNotExist) {
			continue // this architecture has no such call, or this kernel no trace points
		}
		if err != nil {
			return err
		}
		fd, err := open(&unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id}, tid, -1)
		if err != nil {
			return err
		}
		p.calls = append(p.calls, call{name, fd})
	}
	return nil
}

// sample is for one processor, since threads that begin later share the buffer.
func (p *Probe) sample(tid, cpu int) error {
	fd, err := open(&unix.PerfEventAttr{
		Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK,
		Sample: 9973, Bits: unix.PerfBitFreq, // a prime, lest it keep step with something
		Sample_type: unix.PERF_SAMPLE_IP,
	}, tid, cpu)
	if err != nil {
		return err
	}
	ring, err := unix.Mmap(fd, 0, (1+ringPages)*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("the buffer for samples: %w", err)
	}
	p.samples = append(p.samples, sampler{fd, ring})
	return nil
}

// ringPages is room for 16,000 samples of a thread. Later ones are lost, which
// changes no share.
const ringPages = 64

// open watches a thread and those that it will start.
func open(attr *unix.PerfEventAttr, tid, cpu int) (int, error) {
	attr.Bits |= unix.PerfBitInherit
	attr.Size = unix.PERF_ATTR_SIZE_VER5
	fd, err := unix.PerfEventOpen(attr, tid, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("perf_event_open: %w", err)
	}
	return fd, nil
}

func tracepoint(event string) (uint64, error) {
	for _, root := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		text, err := os.ReadFile(root + "/events/" + event + "/id")
		if err == nil {
			return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
	}
	return 0, fmt.Errorf("no trace point %s: %w", event, os.ErrNotExist)
}

// Seen says what was seen since Watch.
func (p *Probe) Seen() Seen {
	seen := Seen{Calls: make(map[string]int)}
	for _, c := range p.calls {
		var count [8]byte
		if n, err := unix.Read(c.fd, count[:]); n == len(count) && err == nil {
			seen.Calls[c.name] += int(binary.NativeEndian.Uint64(count[:]))
		}
	}
	for _, s := range p.samples {
		s.read(&seen)
	}
	return seen
}

// read goes through the ring, whose first page says how much of it is filled.
func (s sampler) read(seen *Seen) {
	const dataHead = 1024 // in struct perf_event_mmap_page
	page := os.Getpagesize()
	data := s.ring[page:]
	head := min(int(binary.NativeEndian.Uint64(s.ring[dataHead:])), len(data))
	const headerSize = 8
	for at := 0; at+headerSize <= head; {
		kind := binary.NativeEndian.Uint32(data[at:])
		misc := binary.NativeEndian.Uint16(data[at+4:])
		size := int(binary.NativeEndian.Uint16(data[at+6:]))
		if size < headerSize {
			return
		}
		if kind == unix.PERF_RECORD_SAMPLE {
			switch misc & unix.PERF_RECORD_MISC_CPUMODE_MASK {
			case unix.PERF_RECORD_MISC_USER:
				seen.User++
			case unix.PERF_RECORD_MISC_KERNEL:
				seen.Kernel++
			}
		}
		at += size
	}
}

// Close ends watching, which may take a tenth of a second.
func (p *Probe) Close() {
	for _, c := range p.calls {
		unix.Close(c.fd)
	}
	for _, s := range p.samples {
		unix.Munmap(s.ring)
		unix.Close(s.fd)
	}
}
