package look

import "encoding/binary"

// A Memory is the memory of a process. ReadAt fills b, or fails. ReadBoth fills a, and
// after that b: for the cost of one read.
type Memory interface {
	ReadAt(b []byte, at uint64) error
	ReadBoth(a []byte, aAt uint64, b []byte, bAt uint64) error
}

// A view is a memory of which parts are kept: what is in them stays as it was. Where
// nothing can be read there are zeros.
type view struct {
	mem    Memory
	blocks map[uint64][]byte
	pages  map[uint64][]byte // where a block cannot be read whole
	kept   int
}

const (
	blockSize = 1 << 16
	pageSize  = 1 << 12
	keepMost  = 1 << 28 // bytes
)

func newView(mem Memory) *view {
	v := &view{mem: mem}
	v.forget()
	return v
}

// forget has everything read anew.
func (v *view) forget() {
	v.blocks, v.pages, v.kept = make(map[uint64][]byte), make(map[uint64][]byte), 0
}

// fill reads len(b) bytes. It reports whether all could be read.
func (v *view) fill(b []byte, at uint64) bool {
	whole := true
	for len(b) > 0 && at+uint64(len(b)) >= at {
		from, ok := v.part(at)
		n := copy(b, from)
		if !ok {
			n = min(len(b), int(pageSize-at%pageSize))
			clear(b[:n])
			whole = false
		}
		b, at = b[n:], at+uint64(n)
	}
	clear(b)
	return whole && len(b) == 0
}

// part returns some bytes from at on.
func (v *view) part(at uint64) (b []byte, ok bool) {
	start := at &^ (blockSize - 1)
	block, known := v.blocks[start]
	if !known {
		if v.kept > keepMost {
			v.forget()
		}
		block = make([]byte, blockSize)
		if v.mem.ReadAt(block, start) != nil {
			block = nil
		}
		v.blocks[start] = block
		v.kept += len(block)
	}
	if block != nil {
		return block[at-start:], true
	}
	start = at &^ (pageSize - 1)
	page, known := v.pages[start]
	if !known {
		page = make([]byte, pageSize)
		if v.mem.ReadAt(page, start) != nil {
			page = nil
		}
		v.pages[start] = page
		v.kept += len(page)
	}
	if page == nil {
		return nil, false
	}
	return page[at-start:], true
}

func (v *view) bytes(at uint64, n int) []byte {
	b := make([]byte, n)
	v.fill(b, at)
	return b
}

func (v *view) word(at uint64) uint64 {
	var b [8]byte
	v.fill(b[:], at)
	return binary.LittleEndian.Uint64(b[:])
}

// text reads a string of which the header is at at.
func (v *view) text(at uint64) string {
	if at == 0 {
		return ""
	}
	n := v.word(at + 8)
	if n == 0 || n > textMost {
		return ""
	}
	return string(v.bytes(v.word(at), int(n)))
}

const textMost = 4096 // bytes of a name

// wordIn returns the word of b at off: 0 if there is none.
func wordIn(b []byte, off uint64) uint64 {
	if off > uint64(len(b)) || uint64(len(b))-off < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b[off:])
}

func halfIn(b []byte, off uint64) uint32 {
	if off > uint64(len(b)) || uint64(len(b))-off < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(b[off:])
}

func byteIn(b []byte, off uint64) byte {
	if off >= uint64(len(b)) {
		return 0
	}
	return b[off]
}
