#!/usr/bin/env bash
# A JetStream server that is killed: does it know afterwards what it had delivered,
# and what was acknowledged?
#
# The server is embedded in a process of its own, with a file store, and is killed by
# SIGKILL right after a worker has taken one message, and right after it had another
# one acknowledged, and confirmed (DoubleAck). Then it is started with the same
# folder, and asked for messages.
#
# Guess: messages survive, as they lie in a file; so does what was confirmed; and
# NumDelivered goes on counting, at least with SyncAlways.
# Seen: with nats-server v2.15.3 and nats.go v1.55.0, of ten kills each, SyncAlways off
# and on: nothing that was confirmed comes again, but of what was only delivered some
# comes with NumDelivered 1, as if nobody had ever had it, and with SyncAlways all: it
# makes messages safe, and what was delivered is written down later.
# So a task that seems to come for the first time may have been begun, and done: a
# worker looks among the results first, and a limit of tries that counts deliveries
# (MaxDeliver, NumDelivered) may be passed over.
#
# Needs Go and the module proxy. Traffic is to the loopback.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module kill

go 1.26.0

require (
	github.com/nats-io/nats-server/v2 v2.15.3
	github.com/nats-io/nats.go v1.55.0
)
EOF
cat >main.go <<'EOF'
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// serve is the child: a server with its data in dir.
func serve(dir, sync string) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true,
		StoreDir: dir, NoSigs: true, NoLog: true, SyncAlways: sync == "true"})
	must(err)
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		panic("not ready")
	}
	fmt.Println(s.ClientURL())
	bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends
}

func start(dir, sync string) (*exec.Cmd, *nats.Conn, jetstream.Consumer, jetstream.JetStream) {
	c := exec.Command(os.Args[0], dir, sync)
	c.StdinPipe()
	out, err := c.StdoutPipe()
	must(err)
	must(c.Start())
	url, err := bufio.NewReader(out).ReadString('\n')
	must(err)
	conn, err := nats.Connect(strings.TrimSpace(url), nats.NoReconnect())
	must(err)
	js, err := jetstream.New(conn)
	must(err)
	ctx := context.Background()
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "tasks", Subjects: []string{"tasks"}, Retention: jetstream.WorkQueuePolicy})
	must(err)
	consumer, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: "workers", AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Second})
	must(err)
	return c, conn, consumer, js
}

func next(c jetstream.Consumer, wait time.Duration) jetstream.Msg {
	batch, err := c.Fetch(1, jetstream.FetchMaxWait(wait))
	must(err)
	return <-batch.Messages()
}

func main() {
	if len(os.Args) == 3 {
		serve(os.Args[1], os.Args[2])
		return
	}
	ctx := context.Background()
	for _, sync := range []string{"false", "true"} {
		first, again := 0, 0
		for i := range 20 {
			dir, err := os.MkdirTemp(".", "data")
			must(err)
			srv, conn, consumer, js := start(dir, sync)
			_, err = js.Publish(ctx, "tasks", []byte("x"))
			must(err)
			m := next(consumer, 30*time.Second)
			confirmed := i%2 == 0
			if confirmed {
				must(m.DoubleAck(ctx))
			}
			must(srv.Process.Kill())
			srv.Wait()
			conn.Close()
			srv, conn, consumer, _ = start(dir, sync)
			wait := 30 * time.Second
			if confirmed {
				wait = 2 * time.Second // twice as long as a worker may be silent
			}
			if m := next(consumer, wait); m != nil {
				meta, err := m.Metadata()
				must(err)
				if confirmed {
					again++
				} else if meta.NumDelivered == 1 {
					first++
				}
			}
			srv.Process.Kill()
			srv.Wait()
			conn.Close()
		}
		fmt.Fprintf(os.Stderr, "SyncAlways %s: %d of 10 come as if for the first time\n", sync, first)
		fmt.Printf("SyncAlways %s: confirmed ones that come again: %d\n", sync, again)
		if sync == "true" {
			fmt.Printf("SyncAlways %s: some come as if for the first time: %v\n", sync, first > 0)
		}
	}
}
EOF
go mod tidy >/dev/null 2>&1
go build -o kill .
./kill | tee seen
diff seen - <<'EOF'
SyncAlways false: confirmed ones that come again: 0
SyncAlways true: confirmed ones that come again: 0
SyncAlways true: some come as if for the first time: true
EOF
echo "as it was seen"
