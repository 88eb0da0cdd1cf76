//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Communicate writes, reads and waits, all at once.
func ExampleCreateSubprocessExec() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		p, err := asyncio.CreateSubprocessExec(ctx, []string{"sort"},
			asyncio.WithStdin(asyncio.Pipe), asyncio.WithStdout(asyncio.Pipe))
		if err != nil {
			return err
		}
		out, _, err := p.Communicate(ctx, []byte("pear\napple\n"))
		code, _ := p.ReturnCode()
		fmt.Printf("%q, code %d, %v\n", out, code, err)

		_, err = asyncio.CreateSubprocessExec(ctx, []string{"no-such-program"})
		fmt.Println(errors.Is(err, fs.ErrNotExist))
		return nil
	})
	// Output:
	// "apple\npear\n", code 0, <nil>
	// true
}

func ExampleCreateSubprocessShell() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		p, err := asyncio.CreateSubprocessShell(ctx, "echo in $PWD; echo oops >&2; exit 3",
			asyncio.WithDir("/"), asyncio.WithStdout(asyncio.Pipe), asyncio.WithStderr(asyncio.Stdout))
		if err != nil {
			return err
		}
		out, _, err := p.Communicate(ctx, nil)
		code, _ := p.ReturnCode()
		fmt.Printf("%q, code %d, %v\n", out, code, err)
		return nil
	})
	// Output:
	// "in /\noops\n", code 3, <nil>
}

// A process can be talked to line by line.
func ExampleProcess() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		p, err := asyncio.CreateSubprocessShell(ctx, "while read x; do echo you said $x; done",
			asyncio.WithStdin(asyncio.Pipe), asyncio.WithStdout(asyncio.Pipe))
		if err != nil {
			return err
		}
		for _, word := range []string{"hello", "goodbye"} {
			p.Stdin.WriteString(word + "\n")
			line, _ := p.Stdout.ReadLine(ctx)
			fmt.Print(string(line))
		}
		p.Stdin.Close()
		code, err := p.Wait(ctx)
		fmt.Println(code, err)
		return nil
	})
	// Output:
	// you said hello
	// you said goodbye
	// 0 <nil>
}

// A wait that takes too long ends the process, by SIGTERM; it has an hour to clean up.
func ExampleWithKillOnCancel() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		p, err := asyncio.CreateSubprocessExec(ctx, []string{"sleep", "1000"}, asyncio.WithKillOnCancel(time.Hour))
		if err != nil {
			return err
		}
		_, err = asyncio.WaitFor(ctx, 10*time.Millisecond, asyncio.Coro[int](p.Wait))
		code, _ := p.ReturnCode()
		fmt.Println(err, code)
		return nil
	})
	// Output: asyncio: timeout -15
}

// A reporter is told what a child does.
type reporter struct{ over *asyncio.Event }

func (r *reporter) ConnectionMade(asyncio.SubprocessTransport) { fmt.Println("it is there") }
func (r *reporter) PipeDataReceived(fd int, data []byte)       { fmt.Printf("it says %q on %d\n", data, fd) }
func (r *reporter) PipeConnectionLost(fd int, err error)       {}
func (r *reporter) ProcessExited()                             {}
func (r *reporter) ConnectionLost(error)                       { r.over.Set() }

// The protocol of a child, in place of streams.
func ExampleSubprocessExec() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		factory := func() *reporter { return &reporter{asyncio.NewEvent()} }
		t, r, err := asyncio.SubprocessExec(ctx, factory, []string{"echo", "hello"}, asyncio.WithStdin(asyncio.DevNull))
		if err != nil {
			return err
		}
		if err := r.over.Wait(ctx); err != nil {
			return err
		}
		fmt.Println(t.ReturnCode())
		return nil
	})
	// Output:
	// it is there
	// it says "hello\n" on 1
	// 0 true
}

// A stream of what is a pipe already: os.Stdin could be another.
func ExampleConnectReadPipe() {
	from, to, err := os.Pipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(to, "one\ntwo\n")
	to.Close()
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		r := asyncio.NewStreamReader(l, 0)
		factory := func() *asyncio.StreamReaderProtocol { return asyncio.NewStreamReaderProtocol(r) }
		if _, _, err := asyncio.ConnectReadPipe(ctx, factory, from); err != nil {
			return err
		}
		for line, err := range r.Lines(ctx) {
			fmt.Printf("%q %v\n", line, err)
		}
		return nil
	})
	// Output:
	// "one\n" <nil>
	// "two\n" <nil>
}

func ExampleConnectWritePipe() {
	from, to, err := os.Pipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer from.Close()
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		t, _, err := asyncio.ConnectWritePipe(ctx, func() asyncio.NopProtocol { return asyncio.NopProtocol{} }, to)
		if err != nil {
			return err
		}
		t.Write([]byte("hello"))
		t.Close()
		return nil
	})
	var word string
	fmt.Fscan(from, &word)
	fmt.Println(word)
	// Output: hello
}
