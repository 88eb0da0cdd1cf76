package httpd

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"net"
)

const noLimit = math.MaxInt64

// A source is what a connection's buffer reads from. It keeps to the limit of
// heads, and has the head of the present request, for what ReadRequest does not
// tell.
type source struct {
	rwc    net.Conn
	c      *conn // nil after it was hijacked
	remain int64 // how much may be read

	inHead   bool // the head is being read
	keep     bool // it comes in pieces: they are kept
	read     bool // something was read for it
	inBuffer []byte
	pieces   []byte

	has   bool // the watch has read
	ahead byte
}

// begin is called before a head is read by br, of at most limit bytes.
func (s *source) begin(br *bufio.Reader, limit int64) {
	s.remain, s.inHead, s.read = limit, true, false
	p, _ := br.Peek(br.Buffered())
	// What is in the buffer stays there until more is read.
	s.inBuffer = p
	if s.keep = !hasHead(p); s.keep {
		s.pieces = append(s.pieces, p...)
	}
}

// hasHead reports whether all of a head is in p: which ends there, most often.
func hasHead(p []byte) bool {
	const end = "\r\n\r\n"
	return len(p) >= len(end) && string(p[len(p)-len(end):]) == end || bytes.Contains(p, []byte(end)) || bytes.Contains(p, []byte("\n\n"))
}

// end returns the head, which is there until the next read, and what else was
// in the buffer. It reports whether something was read for it.
func (s *source) end() (head []byte, read bool) {
	head = s.inBuffer
	if s.keep {
		head = s.pieces
	}
	s.inHead, s.keep, s.inBuffer, s.pieces = false, false, nil, nil
	return head, s.read
}

func (s *source) Read(p []byte) (n int, err error) {
	if s.remain <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > s.remain {
		p = p[:s.remain]
	}
	if s.has && len(p) > 0 {
		s.has = false
		p[0] = s.ahead
		n = 1
	} else {
		n, err = s.rwc.Read(p)
	}
	s.remain -= int64(n)
	if s.inHead {
		s.read = s.read || n > 0
		if s.keep {
			s.pieces = append(s.pieces, p[:n]...)
		}
	} else if err != nil && s.c != nil {
		s.c.gone()
	}
	return n, err
}
