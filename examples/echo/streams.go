package main

import (
	"context"
	"strings"

	"github.com/go-greenlet/greenlet/asyncio"
)

// streams is the usual way: a task for each connection, which waits for lines.
func streams(ctx context.Context, lines []string, heard func(line string)) error {
	server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", echoLines)
	if err != nil {
		return err
	}
	defer server.Close()
	r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
	if err != nil {
		return err
	}
	defer w.Close()
	for _, line := range lines {
		w.WriteString(line + "\n")
		answer, err := r.ReadLine(ctx)
		if err != nil {
			return err
		}
		heard(strings.TrimSpace(string(answer)))
	}
	w.Close()
	return server.Shutdown(ctx) // waits until the other side has seen the end
}

func echoLines(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	for line, err := range r.Lines(ctx) {
		if err != nil {
			return err
		}
		w.Write(line)
		if err := w.Drain(ctx); err != nil { // waits while the client does not read
			return err
		}
	}
	return nil
}
