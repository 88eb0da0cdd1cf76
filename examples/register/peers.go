package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/go-greenlet/greenlet/asyncio"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// receive takes the messages of a peer.
func (n *node) receive(r io.Reader) {
	for {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(r, b); err != nil {
			return
		}
		m := &pb.Message{}
		if proto.Unmarshal(b, m) != nil || n.raft.Step(m) != nil {
			return
		}
		n.work.Set()
	}
}

// dispatch has messages sent; those that a peer is too slow for are lost.
func (n *node) dispatch(messages []*pb.Message) {
	for _, m := range messages {
		if n.peers[m.GetTo()].PutNowait(m) != nil {
			n.raft.ReportUnreachable(m.GetTo())
		}
	}
}

// send keeps a connection to a peer.
func (n *node) send(ctx context.Context, id uint64) error {
	for {
		c, err := asyncio.Dial(ctx, "tcp", n.Addrs[id-1])
		if err == nil {
			err = n.sendTo(ctx, c, n.peers[id])
			c.Close()
		}
		if errors.Is(err, asyncio.ErrCancelled) || ctx.Err() != nil {
			return err
		}
		n.raft.ReportUnreachable(id)
		if err := asyncio.Sleep(ctx, 2*tick); err != nil {
			return err
		}
	}
}

func (n *node) sendTo(ctx context.Context, w io.Writer, messages *asyncio.Queue[*pb.Message]) error {
	_, err := io.WriteString(w, "raft\n")
	for err == nil {
		m, failed := messages.Get(ctx)
		if failed != nil {
			return failed
		}
		var b []byte
		if b, err = (proto.MarshalOptions{}).MarshalAppend(make([]byte, 4), m); err == nil {
			binary.BigEndian.PutUint32(b, uint32(len(b)-4))
			_, err = w.Write(b)
		}
	}
	return err
}
