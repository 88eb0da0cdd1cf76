package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/files"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

const (
	tick     = 50 * time.Millisecond // an election takes 10 to 20 of them
	patience = time.Second           // with a request, until it is asked again
	sendMost = 1000                  // messages that wait to be sent to a peer
)

// Config says which node it is.
type Config struct {
	ID    int        // 1, 2, ...
	Addrs []string   // of all nodes
	Disk  files.Disk // its own
	Bug   Bug
}

// A node is a member of the cluster: it keeps the registers together with the others, by
// etcd's raft, which decides in which order the requests are done. All that it does
// is done by tasks of one loop, so it needs no locks.
type node struct {
	Config
	raft    *raft.RawNode
	storage *raft.MemoryStorage
	journal *journal
	work    *asyncio.Event // there is something for raft's Ready
	peers   map[uint64]*asyncio.Queue[*pb.Message]

	values  map[string]string                  // the registers
	clients map[string]done                    // the last request of each client
	waiting map[string]*asyncio.Future[string] // replies, by request
}

// done is a request that was done, and what it was answered.
type done struct {
	serial int
	reply  string
}

// Serve is a node's program. It serves until ctx ends or its task is cancelled, or the disk fails.
func Serve(ctx context.Context, c Config) error {
	n := &node{Config: c, storage: raft.NewMemoryStorage(), work: asyncio.NewEvent(), peers: make(map[uint64]*asyncio.Queue[*pb.Message]),
		values: make(map[string]string), clients: make(map[string]done), waiting: make(map[string]*asyncio.Future[string])}
	// Who the members are is not up for change: it is in a snapshot that all begin with.
	first := &pb.SnapshotMetadata{ConfState: &pb.ConfState{}, Index: proto.Uint64(1), Term: proto.Uint64(1)}
	for i := range c.Addrs {
		first.ConfState.Voters = append(first.ConfState.Voters, uint64(i+1))
	}
	err := n.storage.ApplySnapshot(&pb.Snapshot{Metadata: first})
	if err != nil {
		return err
	}
	if n.journal, err = openJournal(ctx, c.Disk, c.Bug, n.storage); err != nil {
		return err
	}
	defer n.journal.close()
	n.raft, err = raft.NewRawNode(&raft.Config{ID: uint64(c.ID), ElectionTick: 10, HeartbeatTick: 1, Storage: n.storage,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, CheckQuorum: c.Bug != StaleRead, PreVote: true, Logger: quiet{}})
	if err != nil {
		return err
	}
	ln, err := asyncio.Listen(ctx, "tcp", c.Addrs[c.ID-1])
	if err != nil {
		return err
	}
	defer ln.Close()
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		for i := range c.Addrs {
			if id := uint64(i + 1); id != uint64(c.ID) {
				n.peers[id] = asyncio.NewQueue[*pb.Message](sendMost)
				tg.Go(func(ctx context.Context) error { return n.send(ctx, id) })
			}
		}
		tg.Go(n.tick)
		tg.Go(func(ctx context.Context) error { return n.accept(ctx, tg, ln) })
		return n.run(ctx)
	})
}

// run does what raft says, in the order that it must be done in.
func (n *node) run(ctx context.Context) error {
	for {
		if err := n.work.Wait(ctx); err != nil {
			return err
		}
		n.work.Clear()
		for n.raft.HasReady() {
			rd := n.raft.Ready()
			if n.Bug == EarlySend {
				n.dispatch(rd.Messages)
			}
			if err := n.journal.add(ctx, rd.Entries, rd.HardState, rd.MustSync); err != nil {
				return err
			}
			if n.Bug != EarlySend {
				n.dispatch(rd.Messages) // they promise what is on the disk now
			}
			for _, e := range rd.CommittedEntries {
				n.apply(string(e.GetData()))
			}
			n.raft.Advance(rd)
		}
	}
}

func (n *node) tick(ctx context.Context) error {
	for {
		if err := asyncio.Sleep(ctx, tick); err != nil {
			return err
		}
		n.raft.Tick()
		n.work.Set()
	}
}

// apply does a request. Each is done once, however often it was asked.
func (n *node) apply(line string) {
	q, ok := parse(line)
	if !ok {
		return // a leader has been elected
	}
	last := n.clients[q.client]
	if q.serial > last.serial || n.Bug == DoneTwice {
		if q.op == "put" {
			n.values[q.key] = q.value
		}
		last = done{q.serial, "ok " + n.values[q.key]}
		n.clients[q.client] = last
	}
	if f := n.waiting[q.id()]; f != nil && !f.Done() && last.serial == q.serial {
		f.SetResult(last.reply)
	}
}

// answer returns the reply to a request: "ok" and a value, "ask" and the number of
// another node or 0, or "late" if it may still be done.
func (n *node) answer(ctx context.Context, line string) string {
	q, ok := parse(line)
	if !ok {
		return "wrong"
	}
	st := n.raft.BasicStatus()
	if st.RaftState != raft.StateLeader {
		return fmt.Sprint("ask ", st.Lead)
	}
	if n.Bug == StaleRead && q.op == "get" {
		return "ok " + n.values[q.key]
	}
	if last := n.clients[q.client]; q.serial == last.serial && n.Bug != DoneTwice {
		return last.reply
	}
	if err := n.raft.Propose([]byte(line)); err != nil {
		return "ask 0"
	}
	n.work.Set()
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return "late"
	}
	f := asyncio.NewFuture[string](loop)
	n.waiting[q.id()] = f
	defer func() {
		if n.waiting[q.id()] == f {
			delete(n.waiting, q.id())
		}
	}()
	reply, err := asyncio.WaitFor(ctx, patience, asyncio.Awaitable[string](f))
	if err != nil {
		return "late"
	}
	return reply
}

// accept serves peers and clients.
func (n *node) accept(ctx context.Context, tg *asyncio.TaskGroup, ln net.Listener) error {
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		tg.Go(func(ctx context.Context) error {
			defer c.Close()
			r := bufio.NewReader(c)
			line, err := r.ReadString('\n')
			if line == "raft\n" {
				n.receive(r)
				return ctx.Err()
			}
			for ; err == nil; line, err = r.ReadString('\n') {
				if _, err = io.WriteString(c, n.answer(ctx, strings.TrimSuffix(line, "\n"))+"\n"); err != nil {
					break
				}
			}
			return ctx.Err() // what befalls a connection is no fault of the node
		})
	}
}
