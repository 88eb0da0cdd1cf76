// Graceful is a server that is told by SIGTERM to stop: it listens no more,
// finishes the requests that it has in hand, and ends. No request is lost.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

const (
	clients = 5
	grace   = time.Minute // for the requests in hand; then they are given up
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		all := make([]client, clients)
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			s := new(service)
			server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", s.serve)
			if err != nil {
				return err
			}
			defer server.Close()
			for i := range all {
				tg.Go(func(ctx context.Context) error { return all[i].ask(ctx, server.Addr().String()) })
			}
			tg.Go(func(ctx context.Context) error { return operator(ctx, s) })
			return untilTold(ctx, w, server, s)
		})
		for i, c := range all {
			fmt.Fprintf(w, "client %d: %d requests, %d answers\n", i, c.requests, c.answers)
		}
		return err
	})
}

// untilTold lets the server serve until SIGTERM comes, and then finish its work.
func untilTold(ctx context.Context, w io.Writer, server *asyncio.Server, s *service) error {
	if err := server.Loop().AddSignalHandler(syscall.SIGTERM, s.told.Set); err != nil {
		return err
	}
	defer server.Loop().RemoveSignalHandler(syscall.SIGTERM)
	if err := s.told.Wait(ctx); err != nil {
		return err
	}
	fmt.Fprintln(w, "told to stop, with", s.inHand, "requests in hand")
	server.Close()
	if _, late, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String()); err == nil {
		late.Close()
		return errors.New("a new client is served")
	}
	fmt.Fprintln(w, "a new client is turned away")
	s.slow.Set()
	err := asyncio.WithTimeout(ctx, grace, func(ctx context.Context, _ *asyncio.Timeout) error {
		return server.Shutdown(ctx)
	})
	fmt.Fprintln(w, "stopped, with", s.inHand, "requests in hand")
	return err
}

// operator does what the command kill does, when the server has work in hand.
func operator(ctx context.Context, s *service) error {
	if err := s.busy.Wait(ctx); err != nil {
		return err
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return self.Signal(syscall.SIGTERM)
}
