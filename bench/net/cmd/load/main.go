//go:build linux

// Load asks an echo server as fast as it answers and prints one line of JSON.
// The benchmark starts it on a processor of its own; see package load.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/bench/net/load"
)

func main() {
	var c load.Config
	flag.StringVar(&c.Addr, "addr", "127.0.0.1:9000", "the server")
	flag.IntVar(&c.Conns, "conns", 50, "busy connections")
	flag.IntVar(&c.Idle, "idle", 0, "connections that are held besides")
	flag.IntVar(&c.Size, "size", 64, "bytes of a message")
	flag.DurationVar(&c.Warmup, "warmup", 200*time.Millisecond, "before the clock starts")
	flag.DurationVar(&c.Duration, "duration", time.Second, "of the measurement")
	flag.BoolVar(&c.Churn, "churn", false, "a new connection for each request")
	flag.IntVar(&c.Server, "server", 0, "process of the server, whose time and memory is read")
	flag.BoolVar(&c.Probe, "probe", false, "count the server's system calls and sample its user time")
	flag.Parse()

	r, err := load.Run(c)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
