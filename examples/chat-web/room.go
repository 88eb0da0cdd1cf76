package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/go-greenlet/greenlet/asyncio"
)

// limits are what the room bears.
type limits struct {
	history  int           // messages that a newcomer is shown
	waiting  int           // messages that may wait for a member who reads slowly
	size     int64         // of a message, in bytes
	ping     time.Duration // how often all are asked whether they are there
	silence  time.Duration // who is not heard of for so long is gone: answers to pings count
	farewell time.Duration // how long the end of a connection may take
}

var usual = limits{
	history: 50, waiting: 64, size: 4096,
	ping: 20 * time.Second, silence: time.Minute, farewell: 2 * time.Second,
}

// A room is what its members share. Only the tasks of one loop touch it, and
// nothing runs between two waits, so it needs no lock.
type room struct {
	limits  limits
	members []*member
	history []message // what was said last
}

// A message is what the page gets, as JSON.
type message struct {
	Kind    string    `json:"kind"` // hello, said, joined or left
	Name    string    `json:"name"`
	Text    string    `json:"text,omitempty"` // what was said, or why somebody has left
	Time    time.Time `json:"time"`
	Here    []string  `json:"here,omitempty"`    // of hello: who is there
	History []message `json:"history,omitempty"` // of hello
}

// frame returns m as it goes over the network. All members share the bytes.
func (m message) frame() []byte {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // there is nothing in it that cannot be JSON
	}
	return ws.MustCompileFrame(ws.NewTextFrame(text))
}

// tell tells everybody. It does not wait for anybody.
func (r *room) tell(m message) {
	frame := m.frame()
	for _, to := range r.members {
		to.send(frame)
	}
}

// enter lets m in, if nobody else has the name.
func (r *room) enter(m *member) error {
	if err := checkName(m.name); err != nil {
		return err
	}
	var here []string
	for _, other := range r.members {
		if strings.EqualFold(other.name, m.name) {
			return errors.New("somebody of this name is here already")
		}
		here = append(here, other.name)
	}
	r.tell(message{Kind: "joined", Name: m.name, Time: time.Now()})
	r.members = append(r.members, m)
	m.send(message{Kind: "hello", Name: m.name, Time: time.Now(), Here: append(here, m.name), History: r.history}.frame())
	return nil
}

const longestName = 40 // the page has it, too

func checkName(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return errors.New("a name is missing")
	case n > longestName:
		return errors.New("the name is too long")
	case strings.ContainsFunc(name, func(c rune) bool { return c == utf8.RuneError || !unicode.IsPrint(c) }):
		return errors.New("the name has characters that cannot be seen")
	}
	return nil
}

// leave tells the others why m is not there any more, if it was.
func (r *room) leave(m *member, why string) {
	if i := slices.Index(r.members, m); i >= 0 {
		r.members = slices.Delete(r.members, i, i+1)
		r.tell(message{Kind: "left", Name: m.name, Text: why, Time: time.Now()})
	}
}

// say passes on what m says, and keeps it for those who come later.
func (r *room) say(m *member, text string) {
	said := message{Kind: "said", Name: m.name, Text: text, Time: time.Now()}
	r.history = append(r.history, said)
	r.history = r.history[max(0, len(r.history)-r.limits.history):]
	r.tell(said)
}

// ping asks all members whether they are there, again and again. Browsers answer by
// themselves. It is a task.
func (r *room) ping(ctx context.Context) error {
	ping := ws.MustCompileFrame(ws.NewPingFrame(nil))
	for asyncio.Sleep(ctx, r.limits.ping) == nil {
		for _, m := range r.members {
			m.send(ping)
		}
	}
	return nil
}
