package main

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"math"

	"github.com/go-greenlet/greenlet/asyncio/files"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// A journal is a file to which is appended what raft must not forget: entries, and the
// hard state, which is the term, the vote and how far entries are committed. Each
// record is its kind, its length, a checksum and the content. Reading ends at the first
// record that is not whole: what follows was never synced, so nothing was promised.
//
// When it has become much longer than what is in it, it is written anew under another name,
// which then takes the place of the first.
type journal struct {
	disk    files.Disk
	bug     Bug
	storage *raft.MemoryStorage // the same, in memory
	file    files.File
	end     int64
	rewrite int64 // at this length
}

const (
	journalName  = "journal"
	entryRecord  = 'e'
	stateRecord  = 's'
	headSize     = 9
	rewriteFirst = 4 << 10
)

// openJournal reads the journal into storage, or begins one.
func openJournal(ctx context.Context, disk files.Disk, bug Bug, storage *raft.MemoryStorage) (*journal, error) {
	j := &journal{disk: disk, bug: bug, storage: storage, rewrite: rewriteFirst}
	f, err := disk.Open(journalName)
	if errors.Is(err, fs.ErrNotExist) {
		return j, j.write(ctx) // an empty one
	}
	if err != nil {
		return nil, err
	}
	j.file = f
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); size > 0 && err != nil {
		return nil, err
	}
	for {
		n, err := j.load(b[j.end:])
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		j.end += int64(n)
	}
	return j, f.Truncate(j.end)
}

// load takes one record into storage and returns its length; 0 if it is not whole.
func (j *journal) load(b []byte) (int, error) {
	if len(b) < headSize {
		return 0, nil
	}
	kind, size, sum := b[0], int64(binary.BigEndian.Uint32(b[1:])), binary.BigEndian.Uint32(b[5:])
	if int64(len(b)-headSize) < size {
		return 0, nil
	}
	content := b[headSize : headSize+size]
	if crc32.ChecksumIEEE(append([]byte{kind}, content...)) != sum {
		return 0, nil
	}
	var err error
	if kind == entryRecord {
		e := &pb.Entry{}
		if err = proto.Unmarshal(content, e); err == nil {
			err = j.storage.Append([]*pb.Entry{e})
		}
	} else {
		s := &pb.HardState{}
		if err = proto.Unmarshal(content, s); err == nil {
			err = j.storage.SetHardState(s)
		}
	}
	return headSize + int(size), err
}

// add takes what is new into storage and appends it to the file.
func (j *journal) add(ctx context.Context, entries []*pb.Entry, state *pb.HardState, sync bool) error {
	if err := j.storage.Append(entries); err != nil {
		return err
	}
	if raft.IsEmptyHardState(state) {
		state = nil
	} else if err := j.storage.SetHardState(state); err != nil {
		return err
	}
	b, err := j.records(entries, state)
	if err != nil {
		return err
	}
	if j.end+int64(len(b)) > j.rewrite {
		return j.write(ctx)
	}
	if len(b) > 0 {
		if _, err := j.file.WriteAt(b, j.end); err != nil {
			return err
		}
		j.end += int64(len(b))
	}
	if sync {
		return j.file.Sync(ctx)
	}
	return nil
}

// write puts all of storage into a new file, which becomes the journal.
func (j *journal) write(ctx context.Context) error {
	first, err := j.storage.FirstIndex()
	if err != nil {
		return err
	}
	last, err := j.storage.LastIndex()
	if err != nil {
		return err
	}
	var entries []*pb.Entry
	if first <= last {
		if entries, err = j.storage.Entries(first, last+1, math.MaxUint64); err != nil {
			return err
		}
	}
	state, _, err := j.storage.InitialState()
	if err != nil {
		return err
	}
	b, err := j.records(entries, state)
	if err != nil {
		return err
	}
	f, err := j.disk.Create(journalName + ".new")
	if err != nil {
		return err
	}
	j.close()
	j.file, j.end = f, int64(len(b))
	j.rewrite = max(rewriteFirst, 2*j.end)
	if _, err := f.WriteAt(b, 0); err != nil {
		return err
	}
	if err := f.Sync(ctx); err != nil {
		return err
	}
	if err := j.disk.Rename(journalName+".new", journalName); err != nil {
		return err
	}
	if j.bug == LostRename {
		return nil
	}
	return j.disk.SyncDir(ctx, ".")
}

func (j *journal) close() {
	if j.file != nil {
		j.file.Close()
	}
}

// records returns the records of entries and of a state, which may be nil.
func (j *journal) records(entries []*pb.Entry, state *pb.HardState) (b []byte, err error) {
	for _, e := range entries {
		if b, err = appendRecord(b, entryRecord, e); err != nil {
			return nil, err
		}
	}
	if state != nil {
		if j.bug == LostVote {
			state = &pb.HardState{Commit: state.Commit}
		}
		b, err = appendRecord(b, stateRecord, state)
	}
	return b, err
}

func appendRecord(b []byte, kind byte, m proto.Message) ([]byte, error) {
	content, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	b = append(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(content)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(append([]byte{kind}, content...)))
	return append(b, content...), nil
}
