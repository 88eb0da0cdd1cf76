package files

import (
	"context"
	"io/fs"
	"os"
	"runtime"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A Dir is a Disk that is a folder of the system. Nothing outside the folder can be
// named, not even through symbolic links that are in it: see os.Root.
type Dir struct{ root *os.Root }

var _ Disk = (*Dir)(nil)

// OpenDir opens a folder, which must exist. The name is one of the system. The error
// is that of os.OpenRoot. It is to be closed in the end.
func OpenDir(name string) (*Dir, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &Dir{root}, nil
}

// Close gives the folder back. Files of it that are open stay so.
func (d *Dir) Close() error { return d.root.Close() }

// Open is that of Disk.
func (d *Dir) Open(name string) (File, error) { return d.open("open", name, os.O_RDWR) }

// Create is that of Disk.
func (d *Dir) Create(name string) (File, error) {
	return d.open("create", name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

func (d *Dir) open(op, name string, flag int) (File, error) {
	if err := valid(op, name); err != nil {
		return nil, err
	}
	f, err := d.root.OpenFile(name, flag, 0o666)
	if err != nil {
		return nil, err
	}
	return dirFile{f}, nil
}

// Mkdir is that of Disk.
func (d *Dir) Mkdir(name string) error {
	if err := valid("mkdir", name); err != nil {
		return err
	}
	return d.root.Mkdir(name, 0o777)
}

// Rename is that of Disk.
func (d *Dir) Rename(from, to string) error {
	if err := valid("rename", from); err != nil {
		return err
	}
	if err := valid("rename", to); err != nil {
		return err
	}
	return d.root.Rename(from, to)
}

// Remove is that of Disk.
func (d *Dir) Remove(name string) error {
	if err := valid("remove", name); err != nil {
		return err
	}
	return d.root.Remove(name)
}

// ReadDir is that of Disk.
func (d *Dir) ReadDir(name string) ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), name)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// SyncDir calls fsync for the folder, in a thread. Windows has no such call and writes
// down names by itself: there it only looks whether the folder exists.
func (d *Dir) SyncDir(ctx context.Context, name string) error {
	if !fs.ValidPath(name) {
		return &fs.PathError{Op: "sync", Path: name, Err: fs.ErrInvalid}
	}
	f, err := d.root.Open(name + "/.")
	if err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return f.Close()
	}
	return syncAndThen(ctx, f, f.Close)
}

// valid refuses what is no name of a file.
func valid(op, name string) error {
	if !fs.ValidPath(name) || name == "." {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}

type dirFile struct{ *os.File }

func (f dirFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Sync calls fsync in a thread, which goes on when the wait is cancelled.
func (f dirFile) Sync(ctx context.Context) error {
	return syncAndThen(ctx, f.File, func() error { return nil })
}

func syncAndThen(ctx context.Context, f *os.File, then func() error) error {
	_, err := asyncio.ToThread(ctx, func(context.Context) (asyncio.None, error) {
		err := f.Sync()
		if failed := then(); err == nil {
			err = failed
		}
		return asyncio.None{}, err
	})
	return err
}
