//go:build linux

// Echo is the echo server in Go, in several modes: ours, and package net as it
// comes. It prints "ready HOST:PORT" when it can be asked.
//
// With -spawn it starts `true` over and over instead, waits for it each time, and
// prints how often it did so. With -modes it prints the modes.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// chunk is how much a server reads at once.
const chunk = 64 << 10

// A mode is one way to write the server.
type mode struct {
	// serve serves for ever. It calls ready when it listens.
	serve func(addr string, ready func(net.Addr)) error

	// spawn starts children, one after the other, for as long as more says; nil
	// if that is no different from another mode.
	spawn func(more func() bool) error
}

var modes = map[string]mode{
	"conn":         {serveConn, spawnConn},
	"streams":      {serveStreams(stream), nil},
	"streams-into": {serveStreams(streamInto), nil},
	"protocol":     {serveProtocol, nil},
	"net":          {serveNet, spawnNet},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("echo: ")
	name := flag.String("mode", "net", "one of the modes")
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	spawn := flag.Duration("spawn", 0, "start children for so long, and serve nothing")
	list := flag.Bool("modes", false, "print the modes")
	flag.Parse()

	m, ok := modes[*name]
	names := slices.Sorted(maps.Keys(modes))
	var err error
	switch {
	case *list:
		fmt.Println(strings.Join(names, "\n"))
	case !ok:
		log.Fatalf("no mode %q: want one of %v", *name, names)
	case *spawn == 0:
		err = m.serve(*addr, func(a net.Addr) { fmt.Println("ready", a) })
	case m.spawn == nil:
		log.Fatalf("mode %s starts no children", *name)
	default:
		err = measureSpawn(m, *spawn)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func measureSpawn(m mode, span time.Duration) error {
	count, begin := -2, time.Now() // the first child is to warm up
	err := m.spawn(func() bool {
		if count++; count == 0 {
			begin = time.Now()
		}
		return count < 1 || time.Since(begin) < span
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"count": float64(count), "seconds": time.Since(begin).Seconds(),
	})
}
