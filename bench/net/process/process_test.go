//go:build linux

package process

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// burn uses the processor for d, however long that takes.
func burn(t *testing.T, d time.Duration) {
	t.Helper()
	before, err := Clock(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ; {
		for range 1_000_000 { // in the program's own code
		}
		now, err := Clock(os.Getpid())
		if err != nil || time.Since(begin) > 5*time.Minute {
			t.Fatalf("after %v the clock says %v, %v", before, now, err)
		}
		if now-before >= d {
			return
		}
	}
}

func TestClock(t *testing.T) {
	burn(t, 20*time.Millisecond)
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := Clock(gone.Process.Pid); err == nil {
		t.Error("a process that has ended has a clock")
	}
}

func TestResident(t *testing.T) {
	before, err := Resident(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	large, err := unix.Mmap(-1, 0, 64<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(large)
	for i := 0; i < len(large); i += 4096 {
		large[i] = 1
	}
	after, err := Resident(os.Getpid())
	if err != nil || after-before < int64(len(large))/2 {
		t.Errorf("64 MiB later the resident memory is %d after %d, %v", after, before, err)
	}
}

func TestUserSystem(t *testing.T) {
	user, system, err := UserSystem(os.Getpid())
	if err != nil || user < 0 || system < 0 {
		t.Errorf("%v, %v, %v", user, system, err)
	}
}

func TestStart(t *testing.T) {
	c := exec.Command("grep", "Cpus_allowed_list", "/proc/self/status")
	var out strings.Builder
	c.Stdout = &out
	if err := Start(c, 0); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if fields := strings.Fields(out.String()); len(fields) != 2 || fields[1] != "0" {
		t.Errorf("the child may run on %q, want processor 0", out.String())
	}
}

func TestProbe(t *testing.T) {
	p, err := Watch(os.Getpid())
	if err != nil {
		t.Skip("perf events are not allowed here: ", err)
	}
	defer p.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	const times = 1000
	for range times {
		null.Write([]byte{0})
	}
	burn(t, 50*time.Millisecond)
	seen := p.Seen()
	if _, err := tracepoint("raw_syscalls/sys_enter"); err != nil {
		t.Log("system calls are not counted here:", err)
	} else if seen.Calls["write"] < times || seen.Calls["all"] < seen.Calls["write"] {
		t.Errorf("after %d writes: %v", times, seen.Calls)
	}
	if seen.User == 0 {
		t.Error("no sample found this program in its own code")
	}
}
