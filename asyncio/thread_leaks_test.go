package asyncio_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// goroutineNumber is the number that runtime.Stack prints.
func goroutineNumber() string {
	var buf [40]byte
	return strings.Fields(string(buf[:runtime.Stack(buf[:], false)]))[1]
}

// goexit ends the goroutine, and has a result for those who want one.
func goexit() error {
	runtime.Goexit()
	return nil
}

// Nothing of this area's goroutines is left when what started them has ended.
func TestThreadsLeaveNothing(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		asyncio.ToThreadFunc(ctx, func(context.Context) error { return nil })
		asyncio.FromChan(l, make(chan int))
		asyncio.FromChan(l, make(chan int)).Cancel()
		asyncio.RunCoroutineThreadsafe(l, number(1)).Await(ctx)
	}, asyncio.WithDebug(true))
	if runtime.GOOS != "js" && runtime.GOOS != "wasip1" {
		p := asyncio.NewProcessPool(1)
		square.Submit(p, 3).Result(-1)
		p.Close()
	}
	var dump string
	defer func() {
		if t.Failed() {
			t.Log(dump)
		}
	}()
	eventually(t, "the end of all goroutines", func() bool {
		buf := make([]byte, 1<<20)
		dump = string(buf[:runtime.Stack(buf, true)])
		for _, part := range []string{"asyncio.(*watchdog)", "asyncio.(*receive", "asyncio.(*poolProcess)", "asyncio.(*ThreadPool)", "asyncio.(*Runner).catch"} {
			if strings.Contains(dump, part) {
				return false
			}
		}
		return true
	})
}
