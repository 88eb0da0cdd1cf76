package asyncio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The test's own program is a child that there is on every system. By copyChild it is
// told to copy its input, by writeChild to write to an address, and nothing else.
const (
	copyChild  = "ASYNCIO_TEST_COPIES"
	writeChild = "ASYNCIO_TEST_WRITES"
)

// writesMuch is how much is written: a system takes it at once.
const writesMuch = 32 << 10

func init() {
	if os.Getenv(copyChild) != "" {
		n, err := io.Copy(os.Stdout, os.Stdin)
		fmt.Fprintln(os.Stderr, n, err)
		os.Exit(7)
	}
	if addr := os.Getenv(writeChild); addr != "" {
		err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			_, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
			if err == nil {
				w.Write(make([]byte, writesMuch))
				w.Close()
			}
			return err
		})
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
}

func TestSubprocessItself(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no processes there")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	argv := append(append([]string(nil), asyncio.Emulator...), self)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		child := func(ctx context.Context) (*asyncio.Process, error) {
			return asyncio.CreateSubprocessExec(ctx, argv, asyncio.WithEnv(append(os.Environ(), copyChild+"=1")),
				asyncio.WithStdin(asyncio.Pipe), asyncio.WithStdout(asyncio.Pipe), asyncio.WithStderr(asyncio.Pipe))
		}
		p, err := child(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		out, told, err := p.Communicate(ctx, data)
		code, ended := p.ReturnCode()
		if !bytes.Equal(out, data) || string(told) != fmt.Sprintln(len(data), nil) || err != nil || code != 7 || !ended {
			t.Errorf("%d bytes came back, %q, code %d, %v, %v", len(out), told, code, ended, err)
		}
		if p, err = child(ctx); err != nil { // with its pipes open
			t.Error(err)
			return
		}
		assert.NoError(t, p.Kill())
		if code, err := p.Wait(ctx); code == 7 || err != nil {
			t.Errorf("killed: code %d, %v", code, err)
		}
	})
}

// What was written to a connection is not lost when the program ends at once.
func TestWrittenBeforeExit(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no processes there")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	argv := append(append([]string(nil), asyncio.Emulator...), self)
	for range 5 {
		child := exec.Command(argv[0], argv[1:]...)
		child.Env = append(os.Environ(), writeChild+"="+ln.Addr().String(), "GOMAXPROCS=1") // so that a goroutine may come too late
		require.NoError(t, child.Start())
		c, err := ln.Accept()
		require.NoError(t, err)
		p, err := io.ReadAll(c)
		c.Close()
		if err := child.Wait(); err != nil {
			t.Error("the child:", err)
		}
		if len(p) != writesMuch || err != nil {
			t.Errorf("%d bytes of %d have come, %v", len(p), writesMuch, err)
		}
	}
}

// What is written to a pipe is read from it, on every system that has them.
func TestPipeThroughSystem(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no pipes there")
	}
	r, w, err := os.Pipe()
	require.NoError(t, err)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		_, in, err := asyncio.ConnectReadPipe(ctx, newRecorder, r)
		if err != nil {
			t.Error(err)
			return
		}
		tr, out, err := asyncio.ConnectWritePipe(ctx, newRecorder, w)
		if err != nil {
			t.Error(err)
			return
		}
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		tr.Write(data)
		tr.Close()
		out.lost.Wait(ctx)
		in.lost.Wait(ctx)
		if !bytes.Equal(in.data.Bytes(), data) || in.lostErr != nil || out.lostErr != nil {
			t.Errorf("%d bytes came, %v, %v", in.data.Len(), in.lostErr, out.lostErr)
		}
	})
}
