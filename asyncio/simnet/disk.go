package simnet

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/files"
)

// DiskConfig says how a Disk is. The zero value is one without faults, whose Sync
// takes no time.
type DiskConfig struct {
	// Seed decides what a crash leaves, how long a Sync takes and which calls fail, of
	// a disk that is alone. One of a host has a stream of the network's seed.
	Seed uint64

	// Sync is how long Sync and SyncDir take: the zero Latency is no time. Other
	// calls take none.
	Sync Latency

	// Sector is how many bytes reach the disk together or not at all; 0 is 512.
	Sector int

	// Capacity is how many bytes all files may have together, else a call is
	// ENOSPC; 0 is no limit.
	Capacity int64

	// Faults are the rates at which calls fail; none if it is zero.
	Faults DiskFaults
}

// DiskFaults are rates, from 0 to 1, at which calls fail: see DiskConfig and
// Disk.SetFaults. A call that fails with EIO may have done a part: a read or a write
// may be short, with the error.
type DiskFaults struct {
	Read    float64 // ReadAt is EIO
	Write   float64 // WriteAt is EIO
	Sync    float64 // Sync and SyncDir are EIO; what the file had unsynced is lost or not, for good
	Corrupt float64 // of each sector that is read: a bit of it turns over, and stays so
}

// A Disk is a simulated disk: what was not synced when its host crashes is lost, torn or
// kept, as the seed decides. It is a files.Disk, the twin of files.Dir. Its methods
// do not switch and do not wait but for Sync and SyncDir. One goroutine at a time
// may use it.
//
// What a crash may leave:
//   - Names. Of the changes to folders since SyncDir, each may be kept or lost; but of
//     those that concern one name, a rename concerning both, the first few are kept. One
//     change is kept or lost as a whole. Folders are renamed after all that was before.
//   - Content. Of the writes to each sector of a file since Sync, the first few are
//     kept, whatever becomes of other sectors. A file is as long as what is kept has
//     made it, with zeros in gaps. Of the truncations the first few are kept, and what
//     was written after one that is lost is lost.
//   - The two do not depend on each other: a file may be there without its content, and
//     content without its name is lost.
//
// File systems do less of this than they may: what is right here is right on all
// that keep their promises. CrashStates lists all of it.
type Disk struct {
	cfg     DiskConfig
	rand    *rand.Rand
	root    *inode
	changes []change // of names, since they were synced
	serial  uint64   // of the last change or write
	used    int64    // bytes of all files that have names
	boots   int      // files of an earlier one are closed
	host    *Host    // nil: it is alone
}

var _ files.Disk = (*Disk)(nil)

// An inode is a file or a folder, under whatever name.
type inode struct {
	names map[string]*inode // of a folder
	kept  map[string]*inode // those that are on the disk

	data   []byte // of a file
	synced []byte // what is on the disk
	writes []write
	links  int
}

func (n *inode) isDir() bool { return n.names != nil }

func newFolder() *inode {
	return &inode{names: make(map[string]*inode), kept: make(map[string]*inode)}
}

// A place is where a name stands.
type place struct {
	folder *inode
	name   string
}

func (p place) inode() *inode { return p.folder.names[p.name] }

// A change sets names, all of them or none.
type change struct {
	serial uint64
	sets   []setting
	after  bool // it comes after all that were before
}

type setting struct {
	place
	to *inode // nil: the name goes
}

// NewDisk returns an empty disk. It belongs to a host by WithDisk, or is used alone:
// then Crash is called for it.
func NewDisk(cfg DiskConfig) *Disk {
	if cfg.Sector <= 0 {
		cfg.Sector = 512
	}
	return &Disk{cfg: cfg, rand: rand.New(rand.NewPCG(cfg.Seed, 0xd15c)), root: newFolder()}
}

// WithDisk gives a host a disk: it is the host's when the power fails, and its random
// numbers come from the network's seed. A host may have several. The host's programs
// are told of it as they are told of everything else.
func WithDisk(d *Disk) HostOption {
	return func(h *Host) {
		d.host = h
		d.rand = h.net.stream(fmt.Sprint("disk ", len(h.onDown), " of ", h.name))
		h.onDown = append(h.onDown, func(how Down) {
			if how == Crashed {
				d.Crash()
			} else {
				d.boots++ // the files are closed, and nothing is lost
			}
		})
	}
}

// note makes an event of the host.
func (d *Disk) note(k Kind, text string, p []byte) {
	if d.host != nil {
		d.host.net.record(Event{Kind: k, From: d.host, Text: text, Size: len(p), Sum: sumOf(p)})
	}
}

// SetFaults has calls fail at these rates from now on.
func (d *Disk) SetFaults(f DiskFaults) { d.cfg.Faults = f }

// happens draws whether something of this rate happens.
func (d *Disk) happens(rate float64) bool { return rate > 0 && d.rand.Float64() < rate }

func refuse(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// find returns where a name stands or would stand.
func (d *Disk) find(name string) (place, error) {
	if !fs.ValidPath(name) || name == "." {
		return place{}, fs.ErrInvalid
	}
	dir, last := path.Split(name)
	at, err := d.folder(path.Clean(dir))
	return place{at, last}, err
}

func (d *Disk) folder(name string) (*inode, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	at := d.root
	for part := range strings.SplitSeq(name, "/") {
		if part == "." {
			break
		}
		switch at = at.names[part]; {
		case at == nil:
			return nil, syscall.ENOENT
		case !at.isDir():
			return nil, syscall.ENOTDIR
		}
	}
	return at, nil
}

// set changes names.
func (d *Disk) set(after bool, sets ...setting) {
	d.serial++
	for _, s := range sets {
		if old := s.inode(); old != nil {
			if old.links--; old.links == 0 {
				d.used -= int64(len(old.data))
			}
		}
		if s.to == nil {
			delete(s.folder.names, s.name)
			continue
		}
		s.folder.names[s.name] = s.to
		if s.to.links++; s.to.links == 1 {
			d.used += int64(len(s.to.data))
		}
	}
	d.changes = append(d.changes, change{d.serial, sets, after})
}

// Open is that of files.Disk.
func (d *Disk) Open(name string) (files.File, error) {
	at, err := d.find(name)
	if err != nil {
		return nil, refuse("open", name, err)
	}
	n := at.inode()
	switch {
	case n == nil:
		return nil, refuse("open", name, syscall.ENOENT)
	case n.isDir():
		return nil, refuse("open", name, syscall.EISDIR)
	}
	return d.open(n, name), nil
}

// Create is that of files.Disk.
func (d *Disk) Create(name string) (files.File, error) {
	at, err := d.find(name)
	if err != nil {
		return nil, refuse("create", name, err)
	}
	n := at.inode()
	switch {
	case n == nil:
		n = &inode{}
		d.set(false, setting{at, n})
	case n.isDir():
		return nil, refuse("create", name, syscall.EISDIR)
	}
	f := d.open(n, name)
	return f, f.Truncate(0)
}

// Mkdir is that of files.Disk.
func (d *Disk) Mkdir(name string) error {
	at, err := d.find(name)
	if err != nil {
		return refuse("mkdir", name, err)
	}
	if at.inode() != nil {
		return refuse("mkdir", name, syscall.EEXIST)
	}
	d.set(false, setting{at, newFolder()})
	return nil
}

// Rename is that of files.Disk.
func (d *Disk) Rename(from, to string) error {
	old, err := d.find(from)
	if err != nil {
		return refuse("rename", from, err)
	}
	at, err := d.find(to)
	if err != nil {
		return refuse("rename", to, err)
	}
	n, there := old.inode(), at.inode()
	switch {
	case n == nil:
		return refuse("rename", from, syscall.ENOENT)
	case there != nil && there.isDir():
		return refuse("rename", to, syscall.EEXIST)
	case n == there:
		return nil
	case n.isDir() && strings.HasPrefix(to, from+"/"):
		return refuse("rename", to, syscall.EINVAL)
	case n.isDir() && there != nil:
		return refuse("rename", to, syscall.ENOTDIR)
	}
	d.set(n.isDir(), setting{old, nil}, setting{at, n})
	return nil
}

// Remove is that of files.Disk.
func (d *Disk) Remove(name string) error {
	at, err := d.find(name)
	if err != nil {
		return refuse("remove", name, err)
	}
	n := at.inode()
	switch {
	case n == nil:
		return refuse("remove", name, syscall.ENOENT)
	case len(n.names) > 0:
		return refuse("remove", name, syscall.ENOTEMPTY)
	}
	d.set(false, setting{at, nil})
	return nil
}

// ReadDir is that of files.Disk.
func (d *Disk) ReadDir(name string) ([]string, error) {
	at, err := d.folder(name)
	if err != nil {
		return nil, refuse("readdir", name, err)
	}
	return slices.Sorted(maps.Keys(at.names)), nil
}

// SyncDir is that of files.Disk.
func (d *Disk) SyncDir(ctx context.Context, name string) error {
	at, err := d.folder(name)
	if err != nil {
		return refuse("sync", name, err)
	}
	upTo := d.serial
	if err := d.wait(ctx, name); err != nil {
		return err
	}
	d.keepNames(at, upTo)
	return nil
}

// wait is how long a sync takes; then it fails or not.
func (d *Disk) wait(ctx context.Context, name string) error {
	boot := d.boots
	if d.cfg.Sync != (Latency{}) {
		if err := asyncio.Sleep(ctx, d.cfg.Sync.draw(d.rand)); err != nil {
			return err
		}
	}
	switch {
	case boot != d.boots:
		return refuse("sync", name, fs.ErrClosed)
	case d.happens(d.cfg.Faults.Sync):
		d.note(DiskFailed, "sync "+name, nil)
		return refuse("sync", name, syscall.EIO)
	}
	d.note(DiskSynced, name, nil)
	return nil
}

// keepNames puts the changes of a folder on the disk, and those that they need.
func (d *Disk) keepNames(at *inode, upTo uint64) {
	keep := make([]bool, len(d.changes))
	for i := len(d.changes) - 1; i >= 0; i-- {
		c := d.changes[i]
		of := func(s setting) bool { return s.folder == at }
		keep[i] = c.serial <= upTo && slices.ContainsFunc(c.sets, of)
		for j := i + 1; j < len(keep) && !keep[i]; j++ {
			keep[i] = keep[j] && d.changes[j].needs(c)
		}
	}
	var left []change
	for i, c := range d.changes {
		if !keep[i] {
			left = append(left, c)
			continue
		}
		for _, s := range c.sets {
			s.on(s.folder.kept)
		}
	}
	d.changes = left
}

// needs says whether c is kept only if the earlier one is.
func (c change) needs(earlier change) bool {
	return c.after || slices.ContainsFunc(c.sets, func(s setting) bool {
		return slices.ContainsFunc(earlier.sets, func(e setting) bool { return s.place == e.place })
	})
}

func (s setting) on(names map[string]*inode) {
	if s.to == nil {
		delete(names, s.name)
	} else {
		names[s.name] = s.to
	}
}
