package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// serve runs a server of its own until SIGTERM or Ctrl-C, and prints its URL. A
// cluster is made of NATS's own servers.
func serve(o options) error {
	host, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	if number == 0 {
		number = server.RANDOM_PORT
	}
	dir := o.dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tasks"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	s, err := server.NewServer(&server.Options{
		Host: host, Port: number, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
	})
	if err != nil {
		return err
	}
	over := make(chan os.Signal, 1)
	signal.Notify(over, os.Interrupt, syscall.SIGTERM)
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(20 * time.Second) {
		return errors.New("the queue's server does not start: is the address in use?")
	}
	fmt.Println(s.ClientURL())
	<-over
	return nil
}
