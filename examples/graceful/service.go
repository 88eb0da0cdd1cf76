package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/go-greenlet/greenlet/asyncio"
)

// quick is how many requests of a connection are answered at once. Those after
// them take until the server was told to stop.
const quick = 2

// A service answers requests, each of which is a line.
type service struct {
	told   asyncio.Event // to stop
	inHand int
	busy   asyncio.Event // every client has a request in hand that takes long
	slow   asyncio.Event // these come to an end
}

// serve answers the requests of a connection. The last answer says that it is
// the last: a client that went on asking would lose the request that is under way
// when the connection is closed.
func (s *service) serve(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	n := 0
	for request, err := range r.Lines(ctx) {
		if err != nil {
			return err
		}
		n++
		if err := s.work(ctx, n > quick); err != nil {
			return err
		}
		answer := "done: " + strings.TrimSpace(string(request))
		if s.told.IsSet() {
			w.WriteString(answer + ", bye\n")
			return w.Drain(ctx) // Close sends what is left
		}
		w.WriteString(answer + "\n")
		if err := w.Drain(ctx); err != nil {
			return err
		}
	}
	return nil
}

// work is what a request takes.
func (s *service) work(ctx context.Context, long bool) error {
	s.inHand++
	defer func() { s.inHand-- }()
	if !long {
		return nil
	}
	if s.inHand == clients {
		s.busy.Set()
	}
	return s.slow.Wait(ctx)
}

// A client counts.
type client struct{ requests, answers int }

// ask asks until the server says that it stops.
func (c *client) ask(ctx context.Context, addr string) error {
	r, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer w.Close()
	for {
		c.requests++
		fmt.Fprintf(w.Writer(ctx), "request %d\n", c.requests)
		answer, err := r.ReadLine(ctx)
		if err == io.EOF {
			return nil // the last request is lost, as the counts will show
		}
		if err != nil {
			return err
		}
		c.answers++
		if strings.HasSuffix(string(answer), "bye\n") {
			return nil
		}
	}
}
