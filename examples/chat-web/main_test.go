package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/go-greenlet/greenlet/asyncio"
)

// patient is limits for tests that do not try them: nothing depends on how quick
// the machine is.
func patient() limits {
	l := usual
	l.farewell = time.Minute
	return l
}

// start runs the program until the test is over, or end is called.
func start(t *testing.T, l limits) (addr string, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addrs, over := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		over <- asyncio.RunFunc(ctx, func(ctx context.Context) error {
			return run(ctx, "127.0.0.1:0", l, func(a net.Addr) { addrs <- a })
		}, asyncio.WithSignals(false))
	}()
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("it has ended with %v", err)
		}
	}
	t.Cleanup(end)
	return (<-addrs).String(), end
}

// A client is a program with a plain connection, on goroutines. What lies in its
// way is answered as wsutil does.
type client struct {
	t    *testing.T
	conn *net.TCPConn
	in   io.Reader
}

func dial(t *testing.T, addr, name string) *client {
	t.Helper()
	conn, br, _, err := ws.Dial(t.Context(), "ws://"+addr+"/ws?name="+url.QueryEscape(name))
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(time.Minute)) // so that no test hangs
	t.Cleanup(func() { conn.Close() })
	c := &client{t, conn.(*net.TCPConn), conn}
	if br != nil { // something has come with the handshake
		c.in = br
	}
	return c
}

// enter is dial, and what follows.
func enter(t *testing.T, addr, name string) (c *client, hello message) {
	t.Helper()
	c = dial(t, addr, name)
	hello = c.next()
	if hello.Kind != "hello" || hello.Name != name {
		t.Fatalf("%s is welcomed by %+v", name, hello)
	}
	return c, hello
}

func (c *client) read() (m message, err error) {
	data, err := wsutil.ReadServerText(struct {
		io.Reader
		io.Writer
	}{c.in, c.conn})
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	return m, err
}

func (c *client) next() message {
	c.t.Helper()
	m, err := c.read()
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *client) wants(kind, name, text string) {
	c.t.Helper()
	if m := c.next(); m.Kind != kind || m.Name != name || m.Text != text {
		c.t.Errorf("got %s %q %.40q, want %s %q %.40q", m.Kind, m.Name, m.Text, kind, name, text)
	}
}

func (c *client) say(text string) {
	c.t.Helper()
	if err := wsutil.WriteClientText(c.conn, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// send sends frames as they are, masked.
func (c *client) send(frames ...ws.Frame) {
	c.t.Helper()
	var all bytes.Buffer
	for _, f := range frames {
		ws.MustWriteFrame(&all, ws.MaskFrame(f))
	}
	if _, err := c.conn.Write(all.Bytes()); err != nil {
		c.t.Fatal(err)
	}
}

// isClosed reads on, and wants a close frame with code, and then the end.
func (c *client) isClosed(code ws.StatusCode, reason string) {
	c.t.Helper()
	for {
		_, err := c.read()
		if err == nil {
			continue
		}
		if closed := (wsutil.ClosedError{}); !errors.As(err, &closed) || closed.Code != code || closed.Reason != reason {
			c.t.Errorf("the end is %v, want %d %s", err, code, reason)
		}
		break
	}
	if n, err := io.Copy(io.Discard, c.in); n != 0 || err != nil {
		c.t.Errorf("%d bytes come after the close frame, %v", n, err)
	}
}

func names(hello message) string { return strings.Join(hello.Here, ", ") }

func TestChat(t *testing.T) {
	addr, _ := start(t, patient())
	ann, hello := enter(t, addr, "Ann")
	if names(hello) != "Ann" || len(hello.History) != 0 {
		t.Errorf("Ann finds %+v", hello)
	}
	ann.say("is anybody here?")
	ann.wants("said", "Ann", "is anybody here?")
	bob, hello := enter(t, addr, "Bob")
	if names(hello) != "Ann, Bob" || len(hello.History) != 1 || hello.History[0].Text != "is anybody here?" {
		t.Errorf("Bob finds %+v", hello)
	}
	ann.wants("joined", "Bob", "")
	bob.say("  yes, <b>I</b> am 🙂\n")
	for _, c := range []*client{ann, bob} {
		c.wants("said", "Bob", "yes, <b>I</b> am 🙂")
	}
	bob.say(" ") // nothing
	bob.send(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "bye")))
	bob.isClosed(ws.StatusNormalClosure, "")
	ann.wants("left", "Bob", "")
	// A frame in the middle of a message, and a message in pieces.
	ann.send(
		ws.NewFrame(ws.OpText, false, []byte("in ")),
		ws.NewPingFrame([]byte("there?")),
		ws.NewFrame(ws.OpContinuation, false, []byte("three ")),
		ws.NewFrame(ws.OpContinuation, true, []byte("pieces")),
	)
	f, err := ws.ReadFrame(ann.in)
	if err != nil || f.Header.OpCode != ws.OpPong || string(f.Payload) != "there?" {
		t.Errorf("the ping is answered by %+v, %v", f, err)
	}
	ann.wants("said", "Ann", "in three pieces")
	ann.send(ws.NewCloseFrame(nil)) // without a code
	ann.isClosed(ws.StatusNoStatusRcvd, "")
}

func TestHistory(t *testing.T) {
	l := patient()
	l.history = 3
	addr, _ := start(t, l)
	ann, _ := enter(t, addr, "Ann")
	for i := range 5 {
		ann.say(fmt.Sprint(i))
		ann.wants("said", "Ann", fmt.Sprint(i))
	}
	var shown []string
	_, hello := enter(t, addr, "Bob")
	for _, m := range hello.History {
		shown = append(shown, m.Text)
	}
	if want := []string{"2", "3", "4"}; !slices.Equal(shown, want) {
		t.Errorf("a newcomer is shown %q, want %q", shown, want)
	}
}

func TestNames(t *testing.T) {
	addr, _ := start(t, patient())
	ann, _ := enter(t, addr, "Ann")
	for name, reason := range map[string]string{
		"":                      "a name is missing",
		" ":                     "a name is missing",
		"aNN":                   "somebody of this name is here already",
		strings.Repeat("é", 41): "the name is too long",
		"A\u202enn":             "the name has characters that cannot be seen",
		"A\nnn":                 "the name has characters that cannot be seen",
		"A\xffnn":               "the name has characters that cannot be seen",
	} {
		dial(t, addr, name).isClosed(nameRefused, reason)
	}
	enter(t, addr, strings.Repeat("é", 40))
	ann.wants("joined", strings.Repeat("é", 40), "") // nothing was heard of the others
}

// What is against the rules ends the connection of who does it, with a code that
// says why.
func TestViolations(t *testing.T) {
	addr, _ := start(t, patient())
	ann, _ := enter(t, addr, "Ann")
	long := bytes.Repeat([]byte("x"), int(usual.size)+1)
	unmasked := ws.MustCompileFrame(ws.NewTextFrame([]byte("x")))
	for what, c := range map[string]struct {
		send   func(c *client)
		code   ws.StatusCode
		reason string
	}{
		"too long": {func(c *client) { c.send(ws.NewTextFrame(long)) }, 1009, "the message is too long"},
		"too long in pieces": {func(c *client) {
			c.send(ws.NewFrame(ws.OpText, false, long[:3000]), ws.NewFrame(ws.OpContinuation, true, long[:3000]))
		}, 1009, "the message is too long"},
		"far too long": {func(c *client) {
			ws.WriteHeader(c.conn, ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Length: 1 << 40})
		}, 1009, "the message is too long"},
		"not UTF-8":          {func(c *client) { c.send(ws.NewTextFrame([]byte("\xff"))) }, 1007, "this is not UTF-8"},
		"binary":             {func(c *client) { c.send(ws.NewBinaryFrame([]byte("x"))) }, 1003, "only text is understood"},
		"not masked":         {func(c *client) { c.conn.Write(unmasked) }, 1002, ws.ErrProtocolMaskRequired.Error()},
		"a piece of nothing": {func(c *client) { c.send(ws.NewFrame(ws.OpContinuation, true, nil)) }, 1002, ws.ErrProtocolContinuationUnexpected.Error()},
		"a code of nobody":   {func(c *client) { c.send(ws.NewCloseFrame(ws.NewCloseFrameBody(1005, ""))) }, 1002, ws.ErrProtocolStatusCodeApplicationLevel.Error()},
	} {
		t.Run(what, func(t *testing.T) {
			eve, _ := enter(t, addr, "Eve")
			ann.wants("joined", "Eve", "")
			c.send(eve)
			eve.isClosed(c.code, c.reason)
			ann.wants("left", "Eve", c.reason)
		})
	}
	ann.say(string(long[1:]))
	ann.wants("said", "Ann", string(long[1:])) // as long as is allowed
}

// Requests that are no WebSocket's are answered, and those of other sites' pages.
func TestHandshake(t *testing.T) {
	addr, _ := start(t, patient())
	for _, c := range []struct {
		header string
		status int
	}{
		{"", 400},
		{"Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 12", 426},
		{"Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\nOrigin: http://evil.example", 403},
		{"Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\nOrigin: null", 403},
		{"Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\nOrigin: http://" + addr, 101},
	} {
		req, err := http.NewRequest("GET", "http://"+addr+"/ws?name=Ann", nil)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(c.header) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			req.Header.Set(key, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%q is answered with %s, want %d", c.header, resp.Status, c.status)
		}
	}
}

// Who does not read is let go, and nobody waits for him; when he reads again, he
// learns why.
func TestSlowReader(t *testing.T) {
	addr, _ := start(t, patient())
	ann, _ := enter(t, addr, "Ann")
	eve, _ := enter(t, addr, "Eve")
	ann.wants("joined", "Eve", "")
	song := strings.Repeat("la ", 1300)
	for left := false; !left; {
		ann.say(song)
		for said := false; !said; { // as she waits for the echo, she is not slow herself
			switch m := ann.next(); m.Kind {
			case "said":
				said = true
			case "left":
				left = true
				if m.Name != "Eve" || m.Text != "too slow" {
					t.Errorf("got %+v", m)
				}
			}
		}
	}
	eve.isClosed(ws.StatusPolicyViolation, "too slow")
}

// Many messages at once are no reason to let those go who read.
func TestBurst(t *testing.T) {
	const n = 1000
	addr, _ := start(t, patient())
	ann, _ := enter(t, addr, "Ann")
	bob, _ := enter(t, addr, "Bob")
	ann.wants("joined", "Bob", "")
	var frames []ws.Frame
	for i := range n {
		frames = append(frames, ws.NewTextFrame(fmt.Append(nil, i)))
	}
	bob.send(frames...)
	for i := range n {
		ann.wants("said", "Bob", fmt.Sprint(i))
		bob.wants("said", "Bob", fmt.Sprint(i))
	}
}

// Who vanishes without a word is missed: at once if the connection breaks, after a
// while if it does not.
func TestVanishes(t *testing.T) {
	l := patient()
	l.ping, l.silence = 100*time.Millisecond, 2*time.Second
	addr, _ := start(t, l)
	ann, _ := enter(t, addr, "Ann")
	bob, _ := enter(t, addr, "Bob")
	ann.wants("joined", "Bob", "")
	bob.conn.SetLinger(0)
	bob.conn.Close() // a reset
	ann.wants("left", "Bob", "")
	eve, _ := enter(t, addr, "Eve") // she answers no ping
	ann.wants("joined", "Eve", "")
	ann.wants("left", "Eve", "silent for too long")
	eve.isClosed(ws.StatusPolicyViolation, "silent for too long")
}

// The end of the server is told to all, behind what was said before.
func TestShutdown(t *testing.T) {
	addr, end := start(t, patient())
	ann, _ := enter(t, addr, "Ann")
	bob, _ := enter(t, addr, "Bob")
	ann.wants("joined", "Bob", "")
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		ann.isClosed(ws.StatusGoingAway, "the server ends")
		bob.isClosed(ws.StatusGoingAway, "the server ends")
		ann.conn.Close()
		bob.conn.Close()
	}()
	end()
	<-closed
}

// A client that does not answer the close frame does not keep the server from its
// end.
func TestShutdownUnanswered(t *testing.T) {
	l := patient()
	l.farewell = 10 * time.Millisecond
	addr, end := start(t, l)
	ann, _ := enter(t, addr, "Ann")
	end()
	ann.isClosed(ws.StatusGoingAway, "the server ends")
}

func TestPage(t *testing.T) {
	addr, _ := start(t, patient())
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/chat.js": "text/javascript; charset=utf-8",
		"/chat.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml",
	} {
		resp, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		policy := resp.Header.Get("Content-Security-Policy")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != kind || !strings.HasPrefix(policy, "default-src 'none'; ") ||
			strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s, %v", path, resp.Status, resp.Header)
		}
	}
}
