package main

import (
	"context"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/files"
	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// The program, on real sockets and real files.
func TestRun(t *testing.T) {
	err := asyncio.RunFunc(t.Context(), func(ctx context.Context) error { return run(ctx, t.TempDir(), NoBug, 500*time.Millisecond) })
	require.NoError(t, err)
}

// What stands in a journal is there when it is opened again, also when it has been
// written anew many times, and what follows a record that is not whole is not.
func TestJournal(t *testing.T) {
	dir, err := files.OpenDir(t.TempDir())
	require.NoError(t, err)
	defer dir.Close()
	asynciotest.Run(t, func(ctx context.Context) {
		storage := raft.NewMemoryStorage()
		j, err := openJournal(ctx, dir, NoBug, storage)
		require.NoError(t, err)
		for i := range uint64(1000) {
			e := &pb.Entry{Index: proto.Uint64(i + 1), Term: proto.Uint64(i/100 + 1), Data: []byte("a line of some length")}
			s := &pb.HardState{Term: proto.Uint64(i/100 + 1), Vote: proto.Uint64(2), Commit: proto.Uint64(i)}
			require.NoError(t, j.add(ctx, []*pb.Entry{e}, s, false))
		}
		end := j.end
		_, err = j.file.WriteAt([]byte("e and then nothing that makes sense"), end)
		require.NoError(t, err)
		j.close()

		again := raft.NewMemoryStorage()
		j, err = openJournal(ctx, dir, NoBug, again)
		require.NoError(t, err)
		require.Equal(t, end, j.end)
		size, err := j.file.Size()
		require.NoError(t, err)
		require.Equal(t, end, size)
		state, _, err := again.InitialState()
		require.NoError(t, err)
		require.Equal(t, []uint64{10, 2, 999}, []uint64{state.GetTerm(), state.GetVote(), state.GetCommit()})
		want, err := storage.Entries(1, 1001, 1<<30)
		require.NoError(t, err)
		got, err := again.Entries(1, 1001, 1<<30)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range got {
			require.True(t, proto.Equal(want[i], got[i]), i)
		}
		j.close()
	})
}

func TestBugsByName(t *testing.T) {
	var b Bug
	for _, known := range Bugs {
		require.NoError(t, b.Set(known.String()))
		require.Equal(t, known, b)
	}
	require.EqualError(t, b.Set("none"), "there is early-send, stale-read, lost-vote, lost-rename, done-twice, waits-for-ever")
}
