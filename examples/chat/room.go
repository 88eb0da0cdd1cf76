package main

import (
	"context"
	"slices"
	"strings"

	"github.com/go-greenlet/greenlet/asyncio"
)

// patience is how many bytes may wait for somebody, beyond what the system takes.
const patience = 256 << 10

// A room is the server. Nothing runs between two waits, so it needs no lock.
type room struct{ members []*member }

type member struct {
	name string
	w    *asyncio.StreamWriter
}

// serve is a member's stay. The first line is the name.
func (r *room) serve(ctx context.Context, in *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	name, err := in.ReadLine(ctx)
	if err != nil {
		return err
	}
	m := &member{text(name), w}
	r.members = append(r.members, m)
	r.tell("* " + m.name + " is here")
	defer r.leave(m, "has left")
	for line, err := range in.Lines(ctx) {
		switch {
		case asyncio.IsException(err):
			return nil // the connection is broken: that is a way to leave, too
		case err != nil:
			return err
		}
		r.tell(m.name + ": " + text(line))
	}
	return nil
}

// tell writes a line to everybody. It does not wait for anybody: there is no
// Drain. Instead it looks at how much waits to be sent.
func (r *room) tell(line string) {
	var slow []*member
	for _, m := range r.members {
		m.w.WriteString(line + "\n")
		if m.w.Transport().WriteBufferSize() > patience {
			slow = append(slow, m)
		}
	}
	for _, m := range slow {
		m.w.Transport().Abort()
		r.leave(m, "is too slow")
	}
}

// leave ends a membership, and tells why, if it has not ended before.
func (r *room) leave(m *member, why string) {
	if i := slices.Index(r.members, m); i >= 0 {
		r.members = slices.Delete(r.members, i, i+1)
		r.tell("* " + m.name + " " + why)
	}
}

func text(line []byte) string { return strings.TrimSpace(string(line)) }
