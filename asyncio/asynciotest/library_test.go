package asynciotest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// echo serves lines until the test is over.
func echo(t *testing.T) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer c.Close()
				io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		group.Wait()
	})
	return ln.Addr().String()
}

var errNotTheSame = errors.New("not the same")

// ask is a library that waits in its connection alone.
func ask(ctx context.Context, dial asynciotest.DialFunc, addr string) error {
	c, err := dial(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range 3 {
		line := fmt.Sprintln("line", i)
		if _, err := io.WriteString(c, line); err != nil {
			return err
		}
		if got, err := bufio.NewReader(c).ReadString('\n'); err != nil {
			return err
		} else if got != line {
			return errNotTheSame
		}
	}
	return nil
}

func TestCheckLibrary(t *testing.T) {
	addr, packets := echo(t), echoDatagrams(t)
	for _, c := range []struct {
		name string
		call func(ctx context.Context, dial asynciotest.DialFunc) error
		runs bool
		says string
	}{
		{"in its connection", func(ctx context.Context, dial asynciotest.DialFunc) error { return ask(ctx, dial, addr) },
			true, "runs in tasks"},
		{"behind a channel", func(ctx context.Context, dial asynciotest.DialFunc) error { return behindChannel(dial, addr) },
			false, "works by ToThread; in tasks it stalls the loop at " + this + "behindChannel (library_test.go:"},
		{"behind a lock", func(ctx context.Context, dial asynciotest.DialFunc) error { return behindLock(dial, addr) },
			false, "works by ToThread; in tasks it stalls the loop at " + this + "behindLock (library_test.go:"},
		{"asleep", func(context.Context, asynciotest.DialFunc) error { return asleep() },
			false, "works by ToThread; in tasks it stalls the loop at " + this + "asleep (library_test.go:"},
		{"while others compute", func(ctx context.Context, dial asynciotest.DialFunc) error {
			if loop, err := asyncio.RunningLoop(ctx); err == nil {
				loop.CallLater(time.Millisecond, computes)
			}
			return ask(ctx, dial, addr)
		}, true, "runs in tasks"},
		{"with an error of its own", func(ctx context.Context, dial asynciotest.DialFunc) error { return errNotTheSame },
			false, "fails in tasks: not the same"},
		{"losing errors", func(ctx context.Context, dial asynciotest.DialFunc) error { ask(ctx, dial, addr); return nil },
			true, "runs in tasks"}, // a cancel is not lost by that
		{"on another network", func(ctx context.Context, dial asynciotest.DialFunc) error {
			_, err := dial(ctx, "unixgram", addr)
			return err
		}, false, `fails in tasks: unknown network asynciotest: "unixgram"`},
		{"by datagrams", func(ctx context.Context, dial asynciotest.DialFunc) error { return askDatagrams(ctx, dial, packets) },
			true, "runs in tasks"},
		{"by datagrams, behind a channel", func(ctx context.Context, dial asynciotest.DialFunc) error {
			return datagramsBehindChannel(dial, packets)
		}, false, "works by ToThread; in tasks it stalls the loop at " + this + "datagramsBehindChannel (library_test.go:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := asynciotest.CheckLibrary(t, c.call)
			if found.Runs() != c.runs || !strings.HasPrefix(found.String(), c.says) {
				t.Errorf("%v: %v (%+v)", found.Runs(), found, found)
			}
		})
	}
}

// computes keeps its processor for longer than CheckLibrary waits between two looks.
func computes() {
	for begin := time.Now(); time.Since(begin) < 80*time.Millisecond; {
	}
}

// echoDatagrams sends datagrams back until the test is over.
func echoDatagrams(t *testing.T) (addr string) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for b := make([]byte, 100); ; {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			c.WriteTo(b[:n], from)
		}
	}()
	t.Cleanup(func() {
		c.Close()
		<-over
	})
	return c.LocalAddr().String()
}

// askDatagrams is ask by datagrams, each of which is one.
func askDatagrams(ctx context.Context, dial asynciotest.DialFunc, addr string) error {
	c, err := dial(ctx, "udp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range 3 {
		line := fmt.Sprintln("line", i)
		if _, err := io.WriteString(c, line); err != nil {
			return err
		}
		b := make([]byte, 100)
		if n, err := c.Read(b); err != nil {
			return err
		} else if string(b[:n]) != line {
			return errNotTheSame
		}
	}
	return nil
}

func datagramsBehindChannel(dial asynciotest.DialFunc, addr string) error {
	answer := make(chan error)
	go func() { answer <- askDatagrams(context.Background(), dial, addr) }()
	return <-answer
}

const this = "github.com/go-greenlet/greenlet/asyncio/asynciotest_test."

func behindChannel(dial asynciotest.DialFunc, addr string) error {
	answer := make(chan error)
	go func() { answer <- ask(context.Background(), dial, addr) }()
	return <-answer
}

func behindLock(dial asynciotest.DialFunc, addr string) (err error) {
	var mu sync.Mutex
	mu.Lock()
	go func() {
		defer mu.Unlock()
		err = ask(context.Background(), dial, addr)
	}()
	mu.Lock()
	return err
}

func asleep() error {
	time.Sleep(time.Second) // in which somebody looks, also on a machine that is busy
	return nil
}
