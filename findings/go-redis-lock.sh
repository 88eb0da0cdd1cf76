#!/usr/bin/env bash
# Two goroutines ask one go-redis client, each on a new connection, and the server is
# slow to answer the handshake of one of them: does the other one wait for it?
#
# The server here speaks just enough RESP. It says no to CLIENT MAINT_NOTIFICATIONS,
# as Redis 7 does, at once on the first connection, and on the second one when it is
# told to.
#
# Guess: connections are independent, so a slow server delays only who has asked it.
# Seen: with go-redis v9.23.0 the first Ping is not answered before the second
# handshake goes on. The client holds a lock for reading while it waits for that
# answer, and the one that was told no wants it for writing. With
# MaintNotificationsConfig.Mode "disabled" it does not wait.
# So where both run on one thread of control, as coroutines do, the first one waits for
# ever: tasks have to disable it.
#
# Needs Go and the module proxy. Traffic is to the loopback.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module lock

go 1.26.0

require github.com/redis/go-redis/v9 v9.23.0
EOF
cat >main.go <<'EOF'
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// command reads a command of RESP.
func command(r *bufio.Reader) (words []string, err error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	for range n {
		if line, err = r.ReadString('\n'); err != nil {
			return nil, err
		}
		size, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
		b := make([]byte, size+2)
		if _, err = io.ReadFull(r, b); err != nil {
			return nil, err
		}
		words = append(words, strings.ToLower(string(b[:size])))
	}
	return words, nil
}

// answer serves a connection. asked is told of its handshake, which waits for proceed.
func answer(c net.Conn, asked chan<- bool, proceed <-chan bool) {
	for r := bufio.NewReader(c); ; {
		words, err := command(r)
		if err != nil {
			return
		}
		switch {
		case words[0] == "hello":
			io.WriteString(c, "%1\r\n$5\r\nproto\r\n:3\r\n")
		case words[0] == "client" && words[1] == "maint_notifications":
			asked <- true
			<-proceed
			io.WriteString(c, "-ERR unknown subcommand\r\n")
		case words[0] == "ping":
			io.WriteString(c, "+PONG\r\n")
		default:
			io.WriteString(c, "+OK\r\n")
		}
	}
}

// waits reports whether the first Ping waits for the handshake of the second.
func waits(mode maintnotifications.Mode) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	asked := make(chan bool, 2)
	proceed := []chan bool{make(chan bool), make(chan bool)}
	go func() {
		for i := range 2 {
			c, err := ln.Accept()
			must(err)
			go answer(c, asked, proceed[i])
		}
	}()
	client := redis.NewClient(&redis.Options{Addr: ln.Addr().String(), ReadTimeout: -1, MaxRetries: -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: mode}})
	ctx := context.Background()
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- client.Ping(ctx).Err() }()
	if mode != maintnotifications.ModeDisabled {
		<-asked
	} else {
		must(<-first)
		return "no"
	}
	go func() { second <- client.Ping(ctx).Err() }()
	<-asked // both wait in their handshake
	close(proceed[0])
	select {
	case err := <-first:
		must(err)
		close(proceed[1])
		must(<-second)
		return "no"
	case <-time.After(3 * time.Second):
	}
	close(proceed[1])
	must(<-first)
	must(<-second)
	return "yes"
}

func main() {
	fmt.Println("by default the first waits for the second:", waits(maintnotifications.ModeAuto))
	fmt.Println("disabled, it is not asked:", waits(maintnotifications.ModeDisabled) == "no")
}
EOF
go mod tidy >/dev/null 2>&1
go run . 2>log | tee seen
diff seen - <<'EOF'
by default the first waits for the second: yes
disabled, it is not asked: true
EOF
echo "as it was seen"
