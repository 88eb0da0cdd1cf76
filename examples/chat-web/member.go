package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A member is one connection. The connection's task waits for the end; a task of
// its own reads, and one writes what lies in the queue, so nobody ever waits for a
// member but these two.
type member struct {
	room *room
	name string
	conn net.Conn
	in   *bufio.Reader // of conn: it may have more than the request
	out  *asyncio.Queue[[]byte]
	over asyncio.Event
	why  string
}

func newMember(r *room, name string, conn net.Conn, in *bufio.Reader) *member {
	return &member{room: r, name: strings.TrimSpace(name), conn: conn, in: in, out: asyncio.NewQueue[[]byte](r.limits.waiting)}
}

// nameRefused closes the connection of somebody who is asked for another name.
const nameRefused ws.StatusCode = 4000 // those from 4000 on are applications' own

// stay is the task of the connection, from the upgrade to the end.
func (m *member) stay(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // the server cancels the task, and that is enough
	defer m.conn.Close()
	if err := m.room.enter(m); err != nil {
		m.end(nameRefused, err.Error())
	}
	writing := asyncio.Go(ctx, m.write)
	reading := asyncio.Go(ctx, m.read)
	if err := m.over.Wait(ctx); err != nil { // the task is cancelled
		m.end(ws.StatusGoingAway, "the server ends")
	}
	m.room.leave(m, m.why)
	asyncio.CleanUp(ctx, m.room.limits.farewell, func(ctx context.Context) error {
		_, err := asyncio.Gather(ctx, writing, reading).Await(ctx)
		return err
	})
}

// end has the connection end with a close frame, behind what waits to be sent,
// which is dropped if it is too much. Only the first call counts.
func (m *member) end(code ws.StatusCode, why string) {
	if m.over.IsSet() {
		return
	}
	m.why = why
	m.over.Set()
	if m.out.Full() {
		for !m.out.Empty() {
			m.out.GetNowait()
		}
	}
	var body []byte
	if !code.Empty() {
		body = ws.NewCloseFrameBody(code, why)
	}
	m.out.PutNowait(ws.MustCompileFrame(ws.NewCloseFrame(body)))
	m.out.Shutdown(false)
}

// send has a frame sent some time. It does not wait: who does not read in time is
// let go.
func (m *member) send(frame []byte) {
	if err := m.out.PutNowait(frame); errors.Is(err, asyncio.ErrQueueFull) {
		m.end(ws.StatusPolicyViolation, "too slow")
	}
}

// write is the task that writes. It ends with the close frame.
func (m *member) write(ctx context.Context) error {
	for {
		frame, err := m.out.Get(ctx)
		if err != nil {
			break // that was the last one
		}
		if _, err := m.conn.Write(frame); err != nil {
			m.end(ws.StatusGoingAway, "") // nobody is there to read it
			return nil
		}
	}
	// Now the client closes the connection. If we did, and it had sent more, its
	// system would forget what it has not read yet.
	if half, ok := m.conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	return nil
}

// read is the task that reads, until the client has closed the connection.
func (m *member) read(ctx context.Context) error {
	m.end(m.listen(ctx))
	m.conn.SetReadDeadline(time.Time{})
	io.Copy(io.Discard, m.in)
	return nil
}

// listen passes on what the member says. It returns with what the connection is to
// be closed.
func (m *member) listen(ctx context.Context) (code ws.StatusCode, why string) {
	limits := m.room.limits
	r := &wsutil.Reader{
		Source: m.in, State: ws.StateServerSide, CheckUTF8: true, MaxMessageSize: limits.size, OnIntermediate: m.control,
	}
	for {
		m.conn.SetReadDeadline(time.Now().Add(limits.silence))
		h, err := r.NextFrame()
		switch {
		case err != nil:
		case h.OpCode.IsControl():
			err = m.control(h, r)
		case h.OpCode == ws.OpBinary:
			return ws.StatusUnsupportedData, "only text is understood"
		default:
			var text []byte
			if text, err = io.ReadAll(r); err == nil {
				m.said(string(text))
				// A client may send a thousand messages at once: those who write shall
				// keep up.
				err = asyncio.Sleep(ctx, 0)
			}
		}
		if err != nil {
			return reason(err)
		}
	}
}

func (m *member) said(text string) {
	if text = strings.TrimSpace(text); text != "" && !m.over.IsSet() {
		m.room.say(m, text)
	}
}

// control answers a control frame, of which r has the payload.
func (m *member) control(h ws.Header, r io.Reader) error {
	payload, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch h.OpCode {
	case ws.OpPing:
		m.send(ws.MustCompileFrame(ws.NewPongFrame(payload)))
	case ws.OpClose:
		if len(payload) == 0 {
			return wsutil.ClosedError{}
		}
		code, text := ws.ParseCloseFrameData(payload)
		if err := ws.CheckCloseFrameData(code, text); err != nil {
			return err
		}
		return wsutil.ClosedError{Code: code}
	}
	return nil
}

// reason returns how a connection is closed that brings no more messages.
func reason(err error) (code ws.StatusCode, why string) {
	var closed wsutil.ClosedError
	var violation ws.ProtocolError
	switch {
	case errors.As(err, &closed):
		return closed.Code, ""
	case errors.Is(err, wsutil.ErrMessageTooLarge):
		return ws.StatusMessageTooBig, "the message is too long"
	case errors.Is(err, wsutil.ErrInvalidUTF8):
		return ws.StatusInvalidFramePayloadData, "this is not UTF-8"
	case errors.As(err, &violation), errors.Is(err, ws.ErrHeaderLengthMSB):
		return ws.StatusProtocolError, err.Error()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ws.StatusPolicyViolation, "silent for too long"
	}
	return ws.StatusGoingAway, "" // the client is gone, or the server ends
}
