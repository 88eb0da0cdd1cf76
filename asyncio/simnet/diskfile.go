package simnet

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio/files"
)

// A write is one of a sector, or a truncation. It is on the disk as a whole or not.
type write struct {
	serial uint64
	cut    bool   // a truncation, to the offset
	off    int64  // in the file
	data   []byte // within one sector
}

// on applies w to what a file has.
func (w write) on(data []byte) []byte {
	if w.cut {
		return resize(data, w.off)
	}
	if end := w.off + int64(len(w.data)); end > int64(len(data)) {
		data = resize(data, end)
	}
	copy(data[w.off:], w.data)
	return data
}

func resize(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		return data[:size:size]
	}
	return append(data, make([]byte, size-int64(len(data)))...)
}

// A diskFile is an open file.
type diskFile struct {
	disk   *Disk
	inode  *inode
	name   string // that it was opened by
	boot   int
	closed bool
}

var _ files.File = (*diskFile)(nil)

func (d *Disk) open(n *inode, name string) *diskFile {
	return &diskFile{disk: d, inode: n, name: name, boot: d.boots}
}

func (f *diskFile) usable(op string) error {
	if f.closed || f.boot != f.disk.boots {
		return refuse(op, f.name, fs.ErrClosed)
	}
	return nil
}

func (f *diskFile) Close() error {
	err := f.usable("close")
	f.closed = true
	return err
}

func (f *diskFile) Size() (int64, error) { return int64(len(f.inode.data)), f.usable("stat") }

func (f *diskFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.usable("read"); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, refuse("read", f.name, syscall.EINVAL)
	}
	d, n := f.disk, f.inode
	from, to := min(off, int64(len(n.data))), min(off+int64(len(p)), int64(len(n.data)))
	if d.cfg.Faults.Corrupt > 0 {
		for s := range d.sectors(from, to) {
			if d.happens(d.cfg.Faults.Corrupt) {
				d.flip(n, f.name, s+d.rand.Int64N(min(int64(d.cfg.Sector), int64(len(n.data))-s)))
			}
		}
	}
	if len(p) > 0 && d.happens(d.cfg.Faults.Read) {
		d.note(DiskFailed, "read "+f.name, nil)
		return copy(p[:d.rand.IntN(len(p))], n.data[from:to]), refuse("read", f.name, syscall.EIO)
	}
	got := copy(p, n.data[from:to])
	if got < len(p) {
		return got, io.EOF
	}
	return got, nil
}

func (f *diskFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.usable("write"); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, refuse("write", f.name, syscall.EINVAL)
	}
	d := f.disk
	n, failed := len(p), error(nil)
	if room := d.room(f.inode) - off; int64(n) > room {
		n, failed = int(max(room, 0)), refuse("write", f.name, syscall.ENOSPC)
	}
	if n > 0 && d.happens(d.cfg.Faults.Write) {
		n, failed = d.rand.IntN(n), refuse("write", f.name, syscall.EIO)
	}
	if failed != nil {
		d.note(DiskFailed, "write "+f.name, p[:n])
	}
	if n == 0 {
		return 0, failed
	}
	d.note(DiskWritten, f.name, p[:n])
	end := off + int64(n)
	for s := range d.sectors(off, end) {
		from, to := max(s, off), min(s+int64(d.cfg.Sector), end)
		f.do(write{off: from, data: append([]byte(nil), p[from-off:to-off]...)})
	}
	return n, failed
}

func (f *diskFile) Truncate(size int64) error {
	if err := f.usable("truncate"); err != nil {
		return err
	}
	d, now := f.disk, int64(len(f.inode.data))
	switch {
	case size < 0:
		return refuse("truncate", f.name, syscall.EINVAL)
	case size > now && size > d.room(f.inode):
		return refuse("truncate", f.name, syscall.ENOSPC)
	case size != now:
		f.do(write{cut: true, off: size})
	}
	return nil
}

func (f *diskFile) do(w write) {
	d, n := f.disk, f.inode
	d.serial++
	w.serial = d.serial
	before := len(n.data)
	n.data = w.on(n.data)
	n.writes = append(n.writes, w)
	if n.links > 0 {
		d.used += int64(len(n.data) - before)
	}
}

func (f *diskFile) Sync(ctx context.Context) error {
	if err := f.usable("sync"); err != nil {
		return err
	}
	d, n := f.disk, f.inode
	upTo := d.serial
	err := d.wait(ctx, f.name)
	choose := keepAll
	switch {
	case isEIO(err):
		choose = d.draws()
	case err != nil:
		return err
	}
	first := n.writesUpTo(upTo)
	n.synced = surviving(n.synced, n.writes[:first], int64(d.cfg.Sector), choose)
	n.writes = n.writes[first:]
	return err
}

func isEIO(err error) bool {
	e, ok := err.(*fs.PathError)
	return ok && e.Err == syscall.EIO
}

// writesUpTo counts those that were before.
func (n *inode) writesUpTo(serial uint64) int {
	for i, w := range n.writes {
		if w.serial > serial {
			return i
		}
	}
	return len(n.writes)
}

// room returns how long a file may be.
func (d *Disk) room(n *inode) int64 {
	if d.cfg.Capacity == 0 {
		return 1 << 62
	}
	if n.links == 0 {
		return d.cfg.Capacity - d.used
	}
	return d.cfg.Capacity - d.used + int64(len(n.data))
}

// sectors returns where those begin that lie between two offsets.
func (d *Disk) sectors(from, to int64) func(func(int64) bool) {
	size := int64(d.cfg.Sector)
	return func(yield func(int64) bool) {
		for s := from - from%size; s < to; s += size {
			if !yield(s) {
				return
			}
		}
	}
}

// flip turns a bit over, of what is read and of what is on the disk.
func (d *Disk) flip(n *inode, name string, off int64) {
	bit := byte(1) << d.rand.IntN(8)
	n.data[off] ^= bit
	if off < int64(len(n.synced)) {
		n.synced[off] ^= bit
	}
	d.note(DiskFailed, fmt.Sprintf("a bit of %s turns over at %d", name, off), nil)
}

// Corrupt turns over a bit of the byte at off in a file, as it is read and as it is on
// the disk. The error is that of Open, or io.EOF if the file is not so long.
func (d *Disk) Corrupt(name string, off int64) error {
	f, err := d.Open(name)
	if err != nil {
		return err
	}
	n := f.(*diskFile).inode
	if off < 0 || off >= int64(len(n.data)) {
		return refuse("corrupt", name, io.EOF)
	}
	d.flip(n, name, off)
	return nil
}
