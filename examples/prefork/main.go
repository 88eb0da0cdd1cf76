// Prefork serves one address with several processes, which are also each other's
// clients: nobody knows who answers. With -serve they do so until Ctrl-C or
// SIGTERM, and SIGHUP starts them anew without a gap.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"strings"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio"
)

var (
	addr      = flag.String("addr", "127.0.0.1:0", "where to listen")
	processes = flag.Int("processes", 2, "how many serve")
	forever   = flag.Bool("serve", false, "serve until told to end")
)

func main() {
	flag.Parse()
	err := asyncio.RunProcesses(context.Background(), *processes, []string{"tcp:" + *addr}, serve)
	if err != nil && !errors.Is(err, asyncio.ErrKeyboardInterrupt) {
		log.Fatal(err)
	}
}

// serve is what each of the processes does.
func serve(ctx context.Context, listeners []net.Listener) error {
	ln := listeners[0]
	srv, err := asyncio.StartServer(ctx, "", "", shout, asyncio.WithSocket(ln.(syscall.Conn)))
	if err != nil {
		return err
	}
	ln.Close() // srv has its own
	if *forever {
		fmt.Println("serving at", srv.Addr())
		asyncio.NewEvent().Wait(ctx) // until the process is told to end
		return srv.Shutdown(ctx)     // which lets requests in flight be finished
	}
	answer, err := ask(ctx, srv.Addr().String(), "hello")
	if err != nil {
		return err
	}
	fmt.Println("one of us said", answer)
	return srv.Shutdown(ctx)
}

// shout answers a line with the same in capitals.
func shout(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	line, err := r.ReadLine(ctx)
	if err != nil {
		return err
	}
	w.WriteString(strings.ToUpper(string(line)))
	return w.Drain(ctx)
}

// ask is a client.
func ask(ctx context.Context, addr, text string) (string, error) {
	r, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer w.Close()
	w.WriteString(text + "\n")
	line, err := r.ReadLine(ctx)
	return strings.TrimSpace(string(line)), err
}
