package simnet

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"time"
)

// A Kind says what an Event tells of.
type Kind uint8

// The kinds of events.
const (
	_ Kind = iota

	Step // a task of the loop goes on; Size is its number

	Delivered // a packet has arrived; Text says which: SYN, ACK, FIN, RST, data, datagram ...
	Lost      // a packet was lost; Text says how, too: by chance, by a cut, for want of room
	Held      // a packet waits for Release

	Listening // connections are accepted at Text
	Connected // a connection was made to Text
	Broken    // a connection was reset or given up; Text is the error

	HostUp      // a host is up
	HostDown    // a host is down; Text says how
	HostPaused  // a host stands still
	HostResumed // a host goes on
	HostFailed  // a host's main function has returned an error, which is Text
	ClockSet    // a wall clock was changed; Text says how
	LinksSet    // links were changed; Text says how

	DiskWritten // a disk was written to; Text has the file
	DiskSynced  // what was written is on the disk for good
	DiskLost    // a crash has undone a write, or torn one
	DiskFailed  // a disk has refused something

	Drawn // a random number of Rand was drawn; Sum is of it
	Noted // Note was called with Text

	SetOut // a packet sets out, if Config.Steps is set; Text says which

	Refused // an address was not free: see Config.TimeWait; Text says which
)

var kindNames = [...]string{"?", "step", "delivered", "lost", "held", "listening", "connected", "broken", "up", "down", "paused", "resumed", "failed", "clock", "links",
	"disk written", "disk synced", "disk lost", "disk failed", "drawn", "note", "sent", "refused"}

// String names the kind, in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "?"
}

// An Event is something that has happened in a Network. Two runs that are the same
// have the same events.
type Event struct {
	At   time.Duration // on the loop's clock
	Sent time.Duration // of a packet: when it set out
	From *Host         // where; nil is nowhere in particular
	To   *Host         // of a packet and of a link: the other host
	Conn int           // the number of the connection, from one; 0: none
	Size int           // in bytes, of a payload
	Sum  uint32        // CRC-32C of the payload
	Kind Kind          // what has happened
	Text string        // more words
}

// String tells the event in a line, without its end.
func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%12.6f %-10s", e.At.Seconds(), e.Kind)
	if e.From != nil {
		fmt.Fprintf(&b, " %s", e.From.name)
	}
	if e.To != nil && e.To != e.From {
		fmt.Fprintf(&b, " > %s", e.To.name)
	}
	if e.Conn != 0 {
		fmt.Fprintf(&b, " #%d", e.Conn)
	}
	if e.Kind == Step {
		fmt.Fprintf(&b, " task %d", e.Size)
	} else if e.Size != 0 {
		fmt.Fprintf(&b, " %d bytes %08x", e.Size, e.Sum)
	}
	if e.Text != "" {
		fmt.Fprintf(&b, " %s", e.Text)
	}
	if e.Kind == Delivered {
		fmt.Fprintf(&b, " (sent %.6f)", e.Sent.Seconds())
	}
	return b.String()
}

// same reports whether e and f are the same in two runs.
func (e *Event) same(f *Event) bool {
	return e.At == f.At && e.Sent == f.Sent && e.Kind == f.Kind && e.From.number() == f.From.number() && e.To.number() == f.To.number() &&
		e.Conn == f.Conn && e.Size == f.Size && e.Sum == f.Sum && e.Text == f.Text
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf returns the checksum of a payload.
func sumOf(p []byte) uint32 { return crc32.Update(0, castagnoli, p) }

// An eventLog is the events of a network: their hash, and the last of them.
type eventLog struct {
	hash  uint64
	count uint64
	now   Event
	keep  int // how many; below zero: all
	kept  []Event
	first int // of kept, which goes round
	steps bool
	check *checked
}

// fold mixes x into the hash.
func (l *eventLog) fold(x uint64) {
	h := (l.hash ^ x) * 0x9e3779b97f4a7c15
	l.hash = h ^ h>>32
}

func (l *eventLog) foldText(s string) {
	for len(s) >= 8 {
		l.fold(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56)
		s = s[8:]
	}
	var x uint64
	for i := range len(s) {
		x = x<<8 | uint64(s[i])
	}
	l.fold(x<<8 | uint64(len(s)))
}

func (l *eventLog) add(e *Event) {
	l.fold(uint64(e.At))
	l.fold(uint64(e.Sent)<<8 | uint64(e.Kind))
	l.fold(uint64(e.From.number())<<48 ^ uint64(e.To.number())<<32 ^ uint64(e.Conn))
	l.fold(uint64(e.Size)<<32 | uint64(e.Sum))
	if e.Text != "" {
		l.foldText(e.Text)
	}
	l.count++
	if l.check != nil {
		l.check.compare(e)
	}
	switch {
	case l.keep == 0:
	case l.keep < 0 || len(l.kept) < l.keep:
		l.kept = append(l.kept, *e)
	default:
		l.kept[l.first] = *e
		if l.first++; l.first == l.keep {
			l.first = 0
		}
	}
}

// record notes that e happens now.
func (n *Network) record(e Event) {
	e.At = n.now()
	n.log.now = e // so that no event is an allocation
	n.log.add(&n.log.now)
}

// Events returns what has happened, the oldest first: the last events, as many as
// Config.Keep says. Steps of tasks are among them if Config.Steps is set. The
// network's loop or, when that has ended, any goroutine may call it.
func (n *Network) Events() []Event {
	l := &n.log
	return append(append(make([]Event, 0, len(l.kept)), l.kept[l.first:]...), l.kept[:l.first]...)
}

// Hash returns a number that all events so far have gone into, steps of tasks
// included. Two runs with the same hash were the same; the seed of a program that
// keeps the rules has one hash.
func (n *Network) Hash() uint64 { return n.log.hash }

// WriteText writes the Events to w, each on a line.
func (n *Network) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, e := range n.Events() {
		fmt.Fprintln(b, e)
	}
	return b.Flush()
}
