// Lease shows a lock for several machines: who has it holds it for a time only, and what
// it protects asks whose turn it is. Three workers add to one number; no step is lost,
// whatever befalls the network, the power and the clocks: the test has that happen.
//
//	go run ./examples/lease                          for a second, on real sockets
//	go test ./examples/lease -run Simulation         a hundred runs, in simulation
//	ASYNCIOTEST_SEED=7 go test ./examples/lease ...  one of them again
//
// Read worker.go for what a worker must heed, service.go for who grants leases, store.go
// for what they protect, and bugs.go for what is easily done wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/files"
)

func main() {
	if err := run(os.Stdout, time.Second); err != nil {
		log.Fatal(err)
	}
}

// run has workers add for a time, on loopback.
func run(out io.Writer, d time.Duration) error {
	folder, err := os.MkdirTemp("", "lease")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	disk, err := files.OpenDir(folder)
	if err != nil {
		return err
	}
	defer disk.Close()
	where, err := freeAddrs()
	if err != nil {
		return err
	}
	var store Store
	err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return asyncio.WithTimeout(ctx, d, func(ctx context.Context, _ *asyncio.Timeout) error {
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(func(ctx context.Context) error { return ServeLeases(ctx, where.Leases, d/5, disk, NoBug) })
				tg.Go(func(ctx context.Context) error { return store.Serve(ctx, where.Store, NoBug) })
				for range 3 {
					w := Worker{Addrs: where, Term: d / 5, Rand: rand.New(rand.NewPCG(rand.Uint64(), 0))}
					tg.Go(w.Run)
				}
				return nil
			})
		})
	})
	if !errors.Is(err, asyncio.ErrTimeout) {
		return err
	}
	fmt.Fprintf(out, "the number has come to %d, one at a time\n", store.Value)
	return store.Broken
}

// freeAddrs returns addresses that nobody listens at, for the moment.
func freeAddrs() (a Addrs, err error) {
	for _, addr := range []*string{&a.Leases, &a.Store} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return a, err
		}
		defer ln.Close()
		*addr = ln.Addr().String()
	}
	return a, nil
}
