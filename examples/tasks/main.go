// Tasks spreads work over processes, and over machines, by a queue: a server, a
// producer and four workers, of which each may be killed at any moment.
//
//	go run .                      all of it, with a server of its own
//	go run . server               the parts, each in a terminal or on a machine
//	go run . work -url URL
//	go run . produce -url URL -n 1000
//	go run . watch -url URL
//
// Read queue.go for what is promised, worker.go for how it is kept.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// options are the choices of all parts.
type options struct {
	url      string        // of the queue's server, or of several, with commas
	replicas int           // how many servers keep each task
	dir      string        // where a server keeps the tasks
	addr     string        // where it listens
	n        int           // tasks to produce
	workers  int           // processes
	slots    int           // tasks at a time in each
	ackWait  time.Duration // how long a worker may be silent before a task is another's
}

func parse(args []string) (part string, o options) {
	flags := flag.NewFlagSet("tasks", flag.ExitOnError)
	flags.StringVar(&o.url, "url", "nats://127.0.0.1:4222", "the queue's server; several are separated by commas")
	flags.IntVar(&o.replicas, "replicas", 1, "how many servers of a cluster keep each task")
	flags.StringVar(&o.dir, "dir", "", "where the server keeps the tasks (a temporary folder)")
	flags.StringVar(&o.addr, "addr", "127.0.0.1:4222", "where the server listens; port 0 is any")
	flags.IntVar(&o.n, "n", 200, "how many tasks to produce")
	flags.IntVar(&o.workers, "workers", 4, "processes that work")
	flags.IntVar(&o.slots, "slots", 8, "tasks at a time in each of them")
	flags.DurationVar(&o.ackWait, "ackwait", 3*time.Second, "a task whose worker is silent for so long is given to another")
	part = "all"
	if len(args) > 0 && args[0][0] != '-' {
		part, args = args[0], args[1:]
	}
	flags.Parse(args)
	if part == "watch" {
		o.n = 0
	}
	return part, o
}

func main() {
	part, o := parse(os.Args[1:])
	ctx := context.Background()
	var err error
	switch part {
	case "all":
		err = asyncio.RunFunc(ctx, func(ctx context.Context) error { return all(ctx, o, os.Stdout) })
	case "server":
		err = serve(o)
	case "work":
		err = asyncio.RunProcesses(ctx, o.workers, nil, func(ctx context.Context, _ []net.Listener) error {
			return work(ctx, o, os.Stdout)
		})
	case "produce":
		err = asyncio.RunFunc(ctx, func(ctx context.Context) error { return produce(ctx, o) })
	case "watch":
		err = asyncio.RunFunc(ctx, func(ctx context.Context) error {
			_, err := watch(ctx, o, os.Stdout, asyncio.NewQueue[string](0))
			return err
		})
	default:
		err = fmt.Errorf("there is no part %q: server, work, produce or watch", part)
	}
	if err != nil && !errors.Is(err, asyncio.ErrKeyboardInterrupt) {
		log.Fatal(err)
	}
}
