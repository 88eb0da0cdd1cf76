// Package files is a small interface to a folder of files, for programs that have
// to know what a crash leaves: databases, logs, registers that are replicated. What
// it asks for, and no more, has two implementations: Dir, a folder of the system, and
// simnet.Disk, which loses in a simulated crash what was not synced. A program that
// takes a Disk runs on both, unchanged, and need not import the simulation.
//
// A write reaches the disk when Sync of the file has returned; that there is a file
// of this name, when SyncDir of its folder has returned. Neither follows from the
// other. So a file is replaced like this, and is then the old one or the new one
// after a crash, whole:
//
//	f, err := disk.Create("state.new")
//	... f.WriteAt(b, 0), f.Sync(ctx), f.Close()
//	... disk.Rename("state.new", "state"), disk.SyncDir(ctx, ".")
//
// Only Sync and SyncDir wait, as tasks do. The other calls return at once, from the
// page cache of the system as a rule, and a loop stands still for as long as they take.
package files

import (
	"context"
	"io"
)

// A Disk is a folder with files and folders in it. Names are as in package io/fs: parts
// with slashes between them, relative to the folder, "." being the folder itself,
// where it is allowed. Other names are refused with fs.ErrInvalid. Errors are
// those of system calls, such as syscall.EIO, syscall.ENOSPC or syscall.EISDIR, with
// the words of an *fs.PathError round them: errors.Is tells fs.ErrNotExist and
// fs.ErrExist.
//
// One goroutine at a time may call it.
type Disk interface {
	// Open opens a file that exists, to read and write.
	Open(name string) (File, error)

	// Create opens a file to read and write. It is made if it does not exist,
	// and is emptied if it does.
	Create(name string) (File, error)

	// Mkdir makes a folder.
	Mkdir(name string) error

	// Rename gives a file or a folder another name, in one step: after a crash it has
	// the old one or the new one. A file that has the new name already is
	// replaced by a file; a folder is not, with fs.ErrExist.
	Rename(from, to string) error

	// Remove removes a file, which those who have it open keep, or an empty folder.
	Remove(name string) error

	// ReadDir returns the names in a folder, sorted. "." is allowed.
	ReadDir(name string) ([]string, error)

	// SyncDir waits until the names in a folder are on the disk: those made, changed
	// and removed by calls that have returned. What is in the files is not its
	// concern, nor what is in folders below. "." is allowed. Only a task may call
	// it; the error may be a CancelledError or that of ctx, then the names may be on
	// the disk or not.
	SyncDir(ctx context.Context, name string) error
}

// A File is an open file of a Disk. After Close, and after a crash, its calls return
// fs.ErrClosed.
type File interface {
	// ReadAt reads len(p) bytes from the offset on. If it reads fewer, there is an
	// error: io.EOF at the end.
	io.ReaderAt

	// WriteAt writes p from the offset on; a gap behind the former end is zeros. If
	// it writes fewer bytes, there is an error.
	io.WriterAt

	// Size returns the length in bytes.
	Size() (int64, error)

	// Truncate makes it so long, in bytes: it cuts off, or appends zeros.
	Truncate(size int64) error

	// Sync waits until the content is on the disk, as far as calls that have
	// returned have written it. Only a task may call it; it switches. The error may be a
	// CancelledError or that of ctx, then the content may be on the disk or not.
	// After any other error it must be taken as lost, even if a later Sync succeeds:
	// so it is with Linux and others.
	Sync(ctx context.Context) error

	// Close closes it. It does not sync.
	Close() error
}
