package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A host stands for one far away.
type host struct {
	name, software string
	addr           string
	faster         *host // it takes longer than this one; nil: it answers at once
	fetched        asyncio.Event
}

// newHosts makes three, of which the one in the middle is the fastest.
func newHosts() []*host {
	fast := &host{name: "www.fast.example", software: "swift/2.1"}
	medium := &host{name: "www.medium.example", software: "steady/0.9", faster: fast}
	slow := &host{name: "www.slow.example", software: "snail/1.0", faster: medium}
	return []*host{medium, fast, slow}
}

// serve answers a request.
func (h *host) serve(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	request, err := r.ReadUntil(ctx, []byte("\r\n\r\n"))
	if err != nil {
		return err
	}
	status := "200 OK"
	if !strings.Contains(string(request), "\r\nHost: "+h.name+"\r\n") {
		status = "421 Misdirected Request"
	}
	if h.faster != nil {
		if err := h.faster.fetched.Wait(ctx); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w.Writer(ctx), "HTTP/1.0 %s\r\nServer: %s\r\n\r\nThis is %s.\n", status, h.software, h.name)
	return err
}
