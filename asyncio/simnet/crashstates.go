package simnet

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"iter"
	"maps"
	"slices"
)

// What a crash leaves is a matter of choices, which are made one after the other: for each
// change of a name, is it kept? For each file then, how many truncations, and for each of
// its sectors, how many writes? choose(n) answers with 0 to n, 0 being that all is
// lost. A seed answers them for Crash, and CrashStates goes through all answers.
type chooser func(n int) int

func keepAll(n int) int { return n }

// draws returns a chooser for one crash: one of four loses all, one of four nothing.
func (d *Disk) draws() chooser {
	switch d.rand.IntN(4) {
	case 0:
		return func(int) int { return 0 }
	case 1:
		return keepAll
	}
	return func(n int) int { return d.rand.IntN(n + 1) }
}

// Crash is what a loss of power does: of what was not synced the seed decides what is
// kept, as the comment of Disk says. Files are closed. After it the disk holds what has
// survived, synced. A host calls it for its own disk, when it crashes; it is for one
// that is alone.
func (d *Disk) Crash() {
	lost := len(d.changes) + unsynced(d.root, make(map[*inode]bool))
	d.root = d.surviving(d.draws())
	d.changes = nil
	d.used = d.root.restore()
	d.boots++
	if lost > 0 {
		d.note(DiskLost, fmt.Sprintf("%d not synced", lost), nil)
	}
}

func unsynced(n *inode, seen map[*inode]bool) (count int) {
	if seen[n] {
		return 0
	}
	seen[n] = true
	for _, at := range n.names {
		count += unsynced(at, seen)
	}
	return count + len(n.writes)
}

// CrashStates lists the disks that a crash now may leave: each content once, as a disk of its
// own that is without faults and is not slow. Crash would leave one of them, and after a
// Sync that has failed, too. The first has lost all that was not synced. Then the
// choices count up like the digits of a number, until all is kept: the first is
// the oldest change of a name, later ones are the writes of each file, in the order of
// names and sectors, and the last choice changes first.
//
// Their number is the product of all choices: two for each change of a name that is not
// synced, one more than its writes for each sector. They are made one by one, so a loop
// may break off; the memory that it takes is 32 bytes for each that it has seen. The
// disk must not be changed meanwhile.
func (d *Disk) CrashStates() iter.Seq[*Disk] {
	return func(yield func(*Disk) bool) {
		seen := make(map[[32]byte]bool)
		for choose := range answers() {
			root := d.surviving(choose)
			sum := sha256.New()
			root.digest(sum)
			key := [32]byte(sum.Sum(nil))
			if seen[key] {
				continue
			}
			seen[key] = true
			state := NewDisk(DiskConfig{Seed: d.cfg.Seed, Sector: d.cfg.Sector, Capacity: d.cfg.Capacity})
			state.root = root
			state.used = root.restore()
			if !yield(state) {
				return
			}
		}
	}
}

// answers goes through all series of answers, where later questions may depend on
// earlier answers.
func answers() iter.Seq[chooser] {
	return func(yield func(chooser) bool) {
		type answer struct{ is, max int }
		var given []answer
		for {
			next := 0
			choose := func(n int) int {
				if next == len(given) {
					given = append(given, answer{0, n})
				}
				next++
				return given[next-1].is
			}
			if !yield(choose) {
				return
			}
			for len(given) > 0 && given[len(given)-1].is == given[len(given)-1].max {
				given = given[:len(given)-1]
			}
			if len(given) == 0 {
				return
			}
			given[len(given)-1].is++
		}
	}
}

// surviving returns the tree that a crash leaves, and changes nothing.
func (d *Disk) surviving(choose chooser) *inode {
	kept := make(map[*inode]map[string]*inode) // names of folders that have changes
	var lost []change
	for _, c := range d.changes {
		if slices.ContainsFunc(lost, c.needs) || choose(1) == 0 {
			lost = append(lost, c)
			continue
		}
		for _, s := range c.sets {
			if kept[s.folder] == nil {
				kept[s.folder] = maps.Clone(s.folder.kept)
			}
			s.on(kept[s.folder])
		}
	}
	var copied func(n *inode) *inode
	copied = func(n *inode) *inode {
		if !n.isDir() {
			return &inode{synced: surviving(n.synced, n.writes, int64(d.cfg.Sector), choose)}
		}
		names := kept[n]
		if names == nil {
			names = n.kept
		}
		folder := newFolder()
		for _, name := range slices.Sorted(maps.Keys(names)) {
			folder.kept[name] = copied(names[name])
		}
		return folder
	}
	return copied(d.root)
}

// surviving returns what is left of a file which had the writes since it was data.
func surviving(data []byte, writes []write, sector int64, choose chooser) []byte {
	data = slices.Clone(data)
	cuts := 0
	for _, w := range writes {
		if w.cut {
			cuts++
		}
	}
	if cuts > 0 {
		cuts = choose(cuts)
	}
	end := len(writes) // before the first truncation that is lost
	for i, w := range writes {
		if w.cut {
			if cuts == 0 {
				end = i
				break
			}
			cuts--
		}
	}
	writes = writes[:end]
	left := make(map[int64]int) // how many of a sector's writes are kept
	for _, w := range writes {
		if !w.cut {
			left[w.off/sector]++
		}
	}
	for _, s := range slices.Sorted(maps.Keys(left)) {
		left[s] = choose(left[s])
	}
	for _, w := range writes {
		if !w.cut {
			if left[w.off/sector] == 0 {
				continue
			}
			left[w.off/sector]--
		}
		data = w.on(data)
	}
	return data
}

// restore makes what is on the disk what is read, and returns the bytes of all files.
func (n *inode) restore() (used int64) {
	if !n.isDir() {
		n.data = slices.Clone(n.synced)
		return int64(len(n.data))
	}
	n.names = maps.Clone(n.kept)
	for _, at := range n.kept {
		at.links = 1
		used += at.restore()
	}
	return used
}

// digest writes what tells a tree from all others.
func (n *inode) digest(h hash.Hash) {
	size := func(kind byte, n int) { h.Write(binary.BigEndian.AppendUint64([]byte{kind}, uint64(n))) }
	if !n.isDir() {
		size('f', len(n.synced))
		h.Write(n.synced)
		return
	}
	size('d', len(n.kept))
	for _, name := range slices.Sorted(maps.Keys(n.kept)) {
		size('n', len(name))
		io.WriteString(h, name)
		n.kept[name].digest(h)
	}
}
