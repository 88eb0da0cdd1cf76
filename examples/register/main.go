// Register is a replicated register: five nodes of etcd's raft, of which any two may
// fail, and clients that put and get. Here they run as tasks of one process, on real
// sockets and real files; in the tests the same code runs as hosts of a simulated
// network, whose power fails.
//
//	go run -C examples/register .                   for 3 seconds, then the history is checked
//	go run -C examples/register . -bug done-twice   with a bug, which that finds or not
//	go test -C examples/register -run Simulation    a thousand runs, in simulation
//
// Read node.go for what a node does, journal.go for what it has on its disk.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/files"
)

func main() {
	var bug Bug
	flag.Var(&bug, "bug", "a bug to plant: "+fmt.Sprint(Bugs))
	d := flag.Duration("for", 3*time.Second, "how long the clients ask")
	folder := flag.String("folder", "", "of the nodes' files; without one it is a temporary one")
	flag.Parse()
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error { return run(ctx, *folder, bug, *d) })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run has clients ask a cluster on loopback, one node of which ends now and then and begins anew.
func run(ctx context.Context, folder string, bug Bug, d time.Duration) error {
	if folder == "" {
		var err error
		if folder, err = os.MkdirTemp("", "register"); err != nil {
			return err
		}
		defer os.RemoveAll(folder)
	}
	addrs, err := freeAddrs(5)
	if err != nil {
		return err
	}
	var nodes []*asyncio.Task[asyncio.None]
	start := func(i int) (*asyncio.Task[asyncio.None], error) {
		name := filepath.Join(folder, fmt.Sprint("node", i+1))
		if err := os.MkdirAll(name, 0o777); err != nil {
			return nil, err
		}
		disk, err := files.OpenDir(name)
		if err != nil {
			return nil, err
		}
		return asyncio.Go(ctx, func(ctx context.Context) error {
			defer disk.Close()
			return Serve(ctx, Config{ID: i + 1, Addrs: addrs, Disk: disk, Bug: bug})
		}), nil
	}
	stop := func(t *asyncio.Task[asyncio.None]) error {
		t.Cancel()
		if _, err := t.Await(ctx); err != nil && !t.Cancelled() {
			return err
		}
		return nil
	}
	for i := range addrs {
		t, err := start(i)
		if err != nil {
			return err
		}
		nodes = append(nodes, t)
	}
	var history History
	err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		for i := range 3 {
			name := fmt.Sprint("c", i+1)
			tg.Go(func(ctx context.Context) error {
				return Load(ctx, name, addrs, bug, rand.New(rand.NewPCG(rand.Uint64(), 0)), d, &history)
			})
		}
		for i := range nodes {
			if err := asyncio.Sleep(ctx, d/time.Duration(len(nodes)+1)); err != nil {
				return err
			}
			if err := stop(nodes[i]); err != nil {
				return err
			}
			var err error
			if nodes[i], err = start(i); err != nil {
				return err
			}
		}
		return nil
	})
	for _, t := range nodes {
		if failed := stop(t); err == nil {
			err = failed
		}
	}
	if err != nil {
		return err
	}
	if !history.Linearizable() {
		return fmt.Errorf("the history of %d requests is not linearizable", len(history))
	}
	fmt.Printf("%d requests of 3 clients to 5 nodes, each of which was stopped once: the history is linearizable\n", len(history))
	return nil
}

// freeAddrs returns addresses that nobody listens at, for the moment.
func freeAddrs(n int) (addrs []string, err error) {
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		addrs = append(addrs, ln.Addr().String())
	}
	return addrs, nil
}
