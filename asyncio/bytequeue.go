package asyncio

import "bytes"

// A byteQueue is bytes in the order in which they came. The zero byteQueue is
// empty, and an empty one holds no memory.
type byteQueue struct {
	buf  []byte
	from int // what is before is gone
}

func (q *byteQueue) len() int { return len(q.buf) - q.from }

// bytes returns all there is. It is the queue's, and only until it changes.
func (q *byteQueue) bytes() []byte { return q.buf[q.from:] }

// push puts a copy of p at the end. An empty queue allocates what p needs, and no
// more: it may be taken as a whole.
func (q *byteQueue) push(p []byte) {
	switch {
	case len(p) == 0:
	case q.len() == 0:
		q.buf, q.from = bytes.Clone(p), 0
	case len(q.buf)+len(p) > cap(q.buf) && q.from >= q.len():
		// Half of it is free: so each byte is moved once on the average.
		q.buf = append(q.buf[:copy(q.buf, q.bytes())], p...)
		q.from = 0
	case len(q.buf)+len(p) > cap(q.buf):
		grown := make([]byte, 0, 2*q.len()+len(p))
		q.buf = append(append(grown, q.bytes()...), p...)
		q.from = 0
	default:
		q.buf = append(q.buf, p...)
	}
}

// unshift puts a copy of p back before all there is.
func (q *byteQueue) unshift(p []byte) {
	q.buf, q.from = append(bytes.Clone(p), q.bytes()...), 0
}

// drop removes the first n bytes.
func (q *byteQueue) drop(n int) {
	if q.from += n; q.from == len(q.buf) {
		*q = byteQueue{}
	}
}

// take removes the first n bytes, or all if there are fewer, and returns them.
// They are the caller's: a copy, or the queue's memory if that has nothing else
// in it.
func (q *byteQueue) take(n int) []byte {
	if n >= q.len() && q.from == 0 && 2*len(q.buf) >= cap(q.buf) {
		all := q.buf
		*q = byteQueue{}
		return all
	}
	p := bytes.Clone(q.bytes()[:min(n, q.len())])
	q.drop(len(p))
	return p
}

// read removes bytes to p, as many as there is room for, and returns how many.
func (q *byteQueue) read(p []byte) int {
	n := copy(p, q.bytes())
	q.drop(n)
	return n
}
