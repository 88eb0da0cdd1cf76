//go:build !portable

package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// interrupting sends signals to all threads of the process, without a pause, until
// stop is called: every system call that waits is interrupted again and again. The
// signal is one that does nothing by itself.
func interrupting(t *testing.T) (stop func() (sent int)) {
	end, sent := make(chan bool), make(chan int)
	go func() {
		n := 0
		for {
			threads, err := os.ReadDir("/proc/self/task")
			assert.NoError(t, err)
			for _, thread := range threads {
				tid, _ := strconv.Atoi(thread.Name())
				if unix.Tgkill(os.Getpid(), tid, syscall.SIGWINCH) == nil {
					n++
				}
			}
			select {
			case <-end:
				sent <- n
				return
			case <-time.After(50 * time.Microsecond):
			}
		}
	}()
	return func() int { close(end); return <-sent }
}

// A call that a signal has interrupted is made again: nothing is lost, nothing
// comes twice, and no wait ends early.
func TestInterruptedCalls(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		seen := 0
		if err := l.AddSignalHandler(syscall.SIGWINCH, func() { seen++ }); err != nil {
			return err
		}
		stop := interrupting(t)
		data := counted(much)
		server := serving(t, ctx, echo)
		for range 20 { // with a socket that is watched
			start := l.Time()
			if err := asyncio.Sleep(ctx, 2*time.Millisecond); err != nil || l.Time()-start < 2*time.Millisecond {
				t.Errorf("a sleep of 2ms ends after %v, %v", l.Time()-start, err)
			}
		}
		r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		if err != nil {
			return err
		}
		if err := sendsAndGets(ctx, r, w, data); err != nil {
			t.Error("a stream:", err)
		}

		a, b := connectedSockets(ctx, t)
		received := asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) {
			var all []byte
			for len(all) < 2*len(data) {
				p, err := b.Recv(ctx, 1<<16)
				if all = append(all, p...); err != nil {
					return all, err
				}
			}
			return all, nil
		})
		assert.NoError(t, a.SendAll(ctx, data))
		if n, err := a.SendFile(ctx, testFile(t, data), 0, 0); n != int64(len(data)) || err != nil {
			t.Errorf("of a file %d bytes are sent, %v", n, err)
		}
		if got, err := received.Await(ctx); err != nil || !bytes.Equal(got, append(data, data...)) {
			t.Errorf("sockets: %d bytes have come of %d, %v", len(got), 2*len(data), err)
		}

		p, err := asyncio.CreateSubprocessExec(ctx, []string{"cat"}, asyncio.WithStdin(asyncio.Pipe), asyncio.WithStdout(asyncio.Pipe))
		if err != nil {
			return err
		}
		if out, _, err := p.Communicate(ctx, data); err != nil || !bytes.Equal(out, data) {
			t.Errorf("a child has echoed %d bytes of %d, %v", len(out), len(data), err)
		}
		n := stop()
		for range 1000 { // Go tells of a signal when a goroutine of its own comes to it
			if seen > 0 {
				break
			}
			asyncio.Sleep(ctx, 10*time.Millisecond)
		}
		if n == 0 || seen == 0 {
			t.Errorf("of %d signals %d were seen", n, seen)
		}
		return nil
	})
}

// Who is told that there is something to read, and finds nothing since somebody
// else was quicker, waits on.
func TestNothingThereAfterAll(t *testing.T) {
	const readers, total = 8, 5000
	onSockets(t, func(ctx context.Context) error {
		a, b := connectedSockets(ctx, t)
		got, empty := make([]int, total), 0
		var tasks []*asyncio.Task[asyncio.None]
		for range readers {
			same, err := asyncio.SocketOf(b) // another descriptor of the same socket
			if err != nil {
				return err
			}
			defer same.Close()
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				for {
					p, err := same.Recv(ctx, 2)
					switch {
					case errors.Is(err, asyncio.ErrCancelled):
						return err
					case err != nil || len(p) != 2:
						empty++
						return err
					}
					got[int(p[0])<<8|int(p[1])]++
				}
			}))
		}
		for i := range total {
			if err := a.SendAll(ctx, []byte{byte(i >> 8), byte(i)}); err != nil {
				return err
			}
			asyncio.Sleep(ctx, 0)
		}
		for missing := true; missing; {
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
			missing = false
			for _, n := range got {
				missing = missing || n == 0
			}
		}
		for _, task := range tasks {
			if task.Done() {
				t.Error("a reader has ended")
			}
			task.Cancel()
			task.Await(ctx)
		}
		for i, n := range got {
			if n != 1 {
				t.Errorf("%d has come %d times", i, n)
			}
		}
		if empty > 0 {
			t.Errorf("%d reads have returned without all of a message", empty)
		}
		return nil
	})
}
