// Load asks a web server, over connections that it keeps, as fast as it answers.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet/bench/net/process"
)

// A Result is what one run has found.
type Result struct {
	Requests  int64
	PerSecond float64
	ServerUS  float64 // the server's processor time a request
	Allocs    float64 // a request; with -memory
	IdleBytes float64 // of the server for a connection; with -memory
}

func main() {
	addr := flag.String("addr", "", "the server")
	pid := flag.Int("pid", 0, "its process")
	conns := flag.Int("conns", 100, "connections")
	each := flag.Duration("for", time.Second, "how long")
	idle := flag.Int("idle", 0, "connections that ask once, and then wait, for the memory of one; 0: not measured")
	path := flag.String("path", "/", "what is asked for")
	flag.Parse()
	request = fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n", *path)
	r, err := run(*addr, *pid, *conns, *each, *idle)
	if err != nil {
		log.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(r)
}

func run(addr string, pid, conns int, each time.Duration, idle int) (r Result, err error) {
	var clients []*client
	defer func() {
		for _, c := range clients {
			c.Close()
		}
	}()
	for range conns {
		c, err := connect(addr)
		if err != nil {
			return r, err
		}
		clients = append(clients, c)
	}
	if _, err := ask(clients, each/4); err != nil { // to warm up
		return r, err
	}
	var mallocs, held, after, heldAfter int64
	if idle > 0 {
		if mallocs, held, err = memory(addr); err != nil {
			return r, err
		}
	}
	before, err := process.Clock(pid)
	if err != nil {
		return r, err
	}
	begin := time.Now()
	if r.Requests, err = ask(clients, each); err != nil {
		return r, err
	}
	r.PerSecond = float64(r.Requests) / time.Since(begin).Seconds()
	used, err := process.Clock(pid)
	r.ServerUS = float64((used - before).Microseconds()) / float64(r.Requests)
	if err != nil || idle == 0 {
		return r, err
	}
	if after, held, err = memory(addr); err != nil {
		return r, err
	}
	r.Allocs = float64(after-mallocs) / float64(r.Requests)
	for range idle {
		c, err := connect(addr)
		if err != nil {
			return r, err
		}
		clients = append(clients, c)
		if err := c.ask(); err != nil {
			return r, err
		}
	}
	_, heldAfter, err = memory(addr)
	r.IdleBytes = float64(heldAfter-held) / float64(idle)
	return r, err
}

// memory asks the server how many allocations it has made, and what it holds.
func memory(addr string) (mallocs, held int64, err error) {
	resp, err := http.Get("http://" + addr + "/memory")
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	_, err = fmt.Fscan(resp.Body, &mallocs, &held)
	return mallocs, held, err
}

// ask has all clients ask until the time is over.
func ask(clients []*client, each time.Duration) (n int64, err error) {
	var group sync.WaitGroup
	var total atomic.Int64
	var over atomic.Bool
	failed := make(chan error, len(clients))
	for _, c := range clients {
		group.Go(func() {
			for !over.Load() {
				if err := c.ask(); err != nil {
					failed <- err
					return
				}
				total.Add(1)
			}
		})
	}
	time.AfterFunc(each, func() { over.Store(true) })
	group.Wait()
	select {
	case err = <-failed:
	default:
	}
	return total.Load(), err
}

// A client keeps a connection.
type client struct {
	net.Conn
	in *bufio.Reader
}

func connect(addr string) (*client, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{c, bufio.NewReaderSize(c, 1024)}, nil
}

var request []byte

// ask sends a request and reads the answer, of which it knows no more than is needed
// to find the end: the generator shall not be what is slow.
func (c *client) ask() error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && string(line[:12]) != "HTTP/1.1 200" {
			return fmt.Errorf("the server answers %q", line)
		}
		if len(line) <= 2 {
			_, err := c.in.Discard(length)
			return err
		}
		const name = "Content-Length: "
		if len(line) > len(name) && string(line[:len(name)]) == name {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):]))); err != nil {
				return err
			}
		}
	}
}
