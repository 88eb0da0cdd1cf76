package greenlet

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"time"
)

// The pprof format is a gzipped protocol buffer. What is written here is as much of
// it as go tool pprof needs; the numbers of the fields are those of
// github.com/google/pprof/proto/profile.proto.

func writePprof(w io.Writer, groups []*sightGroup) {
	p := pprofWriter{strings: map[string]int{"": 0}, table: []string{""}, places: make(map[pprofPlace]int), functions: make(map[pprofPlace]int)}
	kind := p.pair(1, p.index("greenlets"), 2, p.index("count"))
	p.out.message(1, kind)  // sample_type
	p.out.message(11, kind) // period_type
	p.out.number(12, 1)     // period
	p.out.number(9, uint64(time.Now().UnixNano()))
	for _, g := range groups {
		p.group(g)
	}
	for _, s := range p.table {
		p.out.message(6, []byte(s))
	}
	z := gzip.NewWriter(w)
	z.Write(p.out) // an error of w's is kept by w, a bufio.Writer
	z.Close()
}

// A pprofBuffer is a message that is being written.
type pprofBuffer []byte

func (b *pprofBuffer) number(field int, n uint64) {
	*b = binary.AppendUvarint(*b, uint64(field)<<3)
	*b = binary.AppendUvarint(*b, n)
}

func (b *pprofBuffer) message(field int, m []byte) {
	*b = binary.AppendUvarint(*b, uint64(field)<<3|2)
	*b = binary.AppendUvarint(*b, uint64(len(m)))
	*b = append(*b, m...)
}

// A pprofPlace is a line of a function; a function has the line 0.
type pprofPlace struct {
	function, file string
	line           int
}

type pprofWriter struct {
	out       pprofBuffer
	strings   map[string]int
	table     []string
	places    map[pprofPlace]int
	functions map[pprofPlace]int
}

// index returns the index of s in the table of strings.
func (p *pprofWriter) index(s string) uint64 {
	i, ok := p.strings[s]
	if !ok {
		i = len(p.table)
		p.strings[s] = i
		p.table = append(p.table, s)
	}
	return uint64(i)
}

// pair is a message of two numbers.
func (p *pprofWriter) pair(field1 int, n1 uint64, field2 int, n2 uint64) []byte {
	var m pprofBuffer
	m.number(field1, n1)
	m.number(field2, n2)
	return m
}

func (p *pprofWriter) group(g *sightGroup) {
	var sample pprofBuffer
	for _, f := range g.stack.frames {
		sample.number(1, p.location(pprofPlace{f.Function, f.File, f.Line}))
	}
	sample.number(2, uint64(g.count))
	if g.name != "" {
		sample.message(3, p.pair(1, p.index("name"), 2, p.index(g.name)))
	}
	if g.owner != 0 {
		sample.message(3, p.pair(1, p.index("goroutine"), 3, g.owner))
	}
	if g.abandoned {
		sample.message(3, p.pair(1, p.index("abandoned"), 2, p.index("true")))
	}
	p.out.message(2, sample)
}

// location returns the number of a location, which is written when it is new.
func (p *pprofWriter) location(at pprofPlace) uint64 {
	if id, ok := p.places[at]; ok {
		return uint64(id)
	}
	id := len(p.places) + 1
	p.places[at] = id
	var location pprofBuffer
	location.number(1, uint64(id))
	location.message(4, p.pair(1, p.function(at), 2, uint64(at.line)))
	p.out.message(4, location)
	return uint64(id)
}

func (p *pprofWriter) function(of pprofPlace) uint64 {
	of.line = 0
	if id, ok := p.functions[of]; ok {
		return uint64(id)
	}
	id := len(p.functions) + 1
	p.functions[of] = id
	name := p.index(of.function)
	var function pprofBuffer
	function.number(1, uint64(id))
	function.number(2, name)
	function.number(3, name)
	function.number(4, p.index(of.file))
	p.out.message(5, function)
	return uint64(id)
}
