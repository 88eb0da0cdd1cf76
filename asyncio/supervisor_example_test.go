//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A program of two processes that serve one address, each until it has had an
// answer.
func runGreeters() {
	if _, child := asyncio.SupervisedProcess(); !child {
		fmt.Println("this is done once")
	}
	err := asyncio.RunProcesses(context.Background(), 2, []string{"tcp:127.0.0.1:0"}, func(ctx context.Context, listeners []net.Listener) error {
		ln := listeners[0]
		greet := func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			w.WriteString("hello\n")
			w.Close()
			return nil
		}
		srv, err := asyncio.StartServer(ctx, "", "", greet, asyncio.WithSocket(ln.(syscall.Conn)))
		if err != nil {
			return err
		}
		ln.Close() // srv has its own
		r, w, err := asyncio.OpenConnection(ctx, "tcp", srv.Addr().String())
		if err != nil {
			return err
		}
		line, err := r.ReadLine(ctx)
		fmt.Print("one of us says ", string(line))
		w.Close()
		srv.Shutdown(ctx)
		return err
	})
	fmt.Println("the end:", err)
}

// The test binary is that program, if the environment says so.
var _ = addChild("greeters", runGreeters)

func ExampleRunProcesses() {
	os.Setenv("ASYNCIO_TEST_CHILD", "greeters")
	defer os.Unsetenv("ASYNCIO_TEST_CHILD")
	runGreeters()
	// Output:
	// this is done once
	// one of us says hello
	// one of us says hello
	// the end: <nil>
}
