package simnet

import (
	"math/bits"
	"time"
)

// A segment is a piece of what a connection carries in a direction, numbered by its
// first byte. It is used again when nobody refers to it.
type segment struct {
	seq    uint64
	data   []byte
	fin    bool // the end, which has a number, too
	refs   int32
	sum    uint32
	summed bool
	tries  int
	sent   time.Duration // last
}

// next returns the number of the byte after g.
func (g *segment) next() uint64 {
	if g.fin {
		return g.seq + 1
	}
	return g.seq + uint64(len(g.data))
}

func (g *segment) checksum() uint32 {
	if !g.summed {
		g.sum, g.summed = sumOf(g.data), true
	}
	return g.sum
}

// segments are those that nobody refers to, by the logarithm of what they have
// room for.
type segments [33][]*segment

func sizeClass(n int) int { return bits.Len32(uint32(max(n, 64) - 1)) }

// newSegment makes a segment of a copy of p, for one who refers to it.
func (n *Network) newSegment(seq uint64, p []byte) *segment {
	class := sizeClass(len(p))
	free := &n.segments[class]
	last := len(*free) - 1
	var g *segment
	if last >= 0 {
		g = (*free)[last]
		*free = (*free)[:last]
		*g = segment{data: g.data[:0]}
	} else {
		g = &segment{data: make([]byte, 0, 1<<class)}
	}
	g.seq, g.refs, g.data = seq, 1, append(g.data, p...)
	return g
}

// release is called by who does not refer to g any more.
func (n *Network) release(g *segment) {
	if g.refs--; g.refs == 0 {
		class := sizeClass(cap(g.data))
		n.segments[class] = append(n.segments[class], g)
	}
}

// A fifo is segments in a row.
type fifo struct {
	all   []*segment
	first int
}

func (f *fifo) len() int          { return len(f.all) - f.first }
func (f *fifo) at(i int) *segment { return f.all[f.first+i] }

func (f *fifo) push(g *segment) {
	if f.first > 0 && len(f.all) == cap(f.all) {
		f.all = f.all[:copy(f.all, f.all[f.first:])]
		f.first = 0
	}
	f.all = append(f.all, g)
}

func (f *fifo) pop() *segment {
	g := f.all[f.first]
	f.all[f.first] = nil
	if f.first++; f.first == len(f.all) {
		f.all, f.first = f.all[:0], 0
	}
	return g
}
