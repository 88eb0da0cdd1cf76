package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// patience is how long an answer is waited for.
const patience = 2 * time.Second

// ask sends one line and returns the line that is the answer.
func ask(ctx context.Context, addr, line string) (string, error) {
	d := asyncio.Dialer{}
	d.Net.Timeout = patience
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(asyncio.Now(ctx).Add(patience))
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return "", err
	}
	reply, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSuffix(reply, "\n"), err
}

// serve answers lines.
func serve(ctx context.Context, addr string, answer func(ctx context.Context, line string) (string, error)) error {
	ln, err := asyncio.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			tg.Go(func(ctx context.Context) error { return answerOn(ctx, c, answer) })
		}
	})
}

// answerOn answers on one connection. What befalls a connection is no fault of the server.
func answerOn(ctx context.Context, c net.Conn, answer func(ctx context.Context, line string) (string, error)) error {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return ctx.Err()
		}
		reply, err := answer(ctx, strings.TrimSuffix(line, "\n"))
		if err != nil {
			return err
		}
		if _, err := io.WriteString(c, reply+"\n"); err != nil {
			return ctx.Err()
		}
	}
}
