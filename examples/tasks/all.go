package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// all runs a server, workers and a producer, each a process of this program, and
// shows how the work goes on.
func all(ctx context.Context, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "tasks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := start(ctx, "server", "-dir", dir, "-addr", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer end(ctx, server)
	line, err := server.Stdout.ReadLine(ctx)
	if err != nil {
		return err
	}
	o.url = strings.TrimSpace(string(line))

	workers, err := start(ctx, "work", "-url", o.url, "-workers", fmt.Sprint(o.workers),
		"-slots", fmt.Sprint(o.slots), "-ackwait", o.ackWait.String())
	if err != nil {
		return err
	}
	defer end(ctx, workers)
	producer, err := start(ctx, "produce", "-url", o.url, "-n", fmt.Sprint(o.n), "-ackwait", o.ackWait.String())
	if err != nil {
		return err
	}
	defer end(ctx, producer)

	var said asyncio.Queue[string]
	for _, r := range []*asyncio.StreamReader{workers.Stdout, workers.Stderr} {
		reading := asyncio.Go(ctx, func(ctx context.Context) error { return listen(ctx, r, &said) })
		defer reading.Cancel()
	}
	begin := time.Now()
	c, err := watch(ctx, o, out, &said)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d tasks are done, %d set aside, in %.1f s\n", c.done, c.aside, time.Since(begin).Seconds())
	return report(ctx, o, out)
}

// report prints who has done how much, and what was set aside.
func report(ctx context.Context, o options, out io.Writer) error {
	q, err := connect(ctx, o)
	if err != nil {
		return err
	}
	defer q.close()
	done, err := outcomes(ctx, q.done)
	if err != nil {
		return err
	}
	aside, err := outcomes(ctx, q.aside)
	if err != nil {
		return err
	}
	by := make(map[string]int)
	for _, r := range done {
		by[r.Worker]++
	}
	var names []string
	for name := range by {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(out, "%s: %d\n", name, by[name])
	}
	for _, r := range aside {
		fmt.Fprintf(out, "set aside: task %s, after %d tries: %s\n", r.ID, r.Try, r.Reason)
	}
	return nil
}

// start starts a part of this program as a process.
func start(ctx context.Context, args ...string) (*asyncio.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return asyncio.CreateSubprocessExec(ctx, append([]string{self}, args...),
		asyncio.WithStdout(asyncio.Pipe), asyncio.WithStderr(asyncio.Pipe))
}

// end tells a process to end, and waits until it has.
func end(ctx context.Context, p *asyncio.Process) {
	if _, over := p.ReturnCode(); over {
		return
	}
	p.Terminate()
	p.Wait(ctx)
}
