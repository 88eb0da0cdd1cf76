package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

// conn is the way for what is written for package net: only the task waits that
// calls Read, Write or Accept.
func conn(ctx context.Context, lines []string, heard func(line string)) error {
	ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		defer ln.Close() // ends the server; the group waits for its connections
		tg.Go(func(context.Context) error { return serve(ln, tg) })
		c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		answers := bufio.NewScanner(c)
		for _, line := range lines {
			if _, err := fmt.Fprintln(c, line); err != nil {
				return err
			}
			if !answers.Scan() {
				return errors.Join(io.ErrUnexpectedEOF, answers.Err())
			}
			heard(answers.Text())
		}
		return nil
	})
}

// serve accepts connections until the listener is closed.
func serve(ln net.Listener, tg *asyncio.TaskGroup) error {
	for {
		c, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		tg.Go(func(context.Context) error { return echoConn(c) })
	}
}

func echoConn(c net.Conn) error {
	defer c.Close()
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		if _, err := fmt.Fprintln(c, lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}
