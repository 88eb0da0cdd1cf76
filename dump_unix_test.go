//go:build linux || darwin || freebsd

package greenlet_test

import (
	"os"
	"os/signal"
	"regexp"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
)

// What a dump by SIGQUIT and the text of a goroutine profile show of a suspended
// greenlet: see docs/sight.md.

func init() {
	scenes["dump by SIGQUIT"] = func(main *greenlet.Greenlet) {
		greenlet.New(func(any) (any, error) {
			parkHere(main, 2)
			return nil, nil
		}).Switch(nil)
		pprof.Lookup("goroutine").WriteTo(os.Stdout, 2)
		signal.Reset(syscall.SIGQUIT)
		syscall.Kill(os.Getpid(), syscall.SIGQUIT)
		time.Sleep(time.Hour) // the signal may be another thread's
	}
}

func TestDumps(t *testing.T) {
	o := child(t, "dump by SIGQUIT", 2)
	assert.Contains(t, o.stderr, "SIGQUIT: quit")
	for what, dump := range map[string]string{"a goroutine profile": o.stdout, "a dump by SIGQUIT": o.stderr} {
		found := 0
		for block := range strings.SplitSeq(dump, "\n\n") {
			if !strings.Contains(block, "parkHere(") {
				continue
			}
			found++
			assert.Equal(t, 3, strings.Count(block, "parkHere("), what)
			if greenlet.Backend().Name == "assembly" {
				assert.Regexp(t, regexp.MustCompile(`^goroutine \d+ [^\[]*\[coroutine[],]`), block, what)
			}
		}
		assert.Equal(t, 1, found, "%s:\n%s", what, dump)
	}
}
