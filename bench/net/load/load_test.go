//go:build linux

package load

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestBuckets(t *testing.T) {
	last := -1
	for d := time.Duration(0); d < time.Minute; d += 1 + d/100 {
		b := bucket(uint64(d))
		if b < last || b >= len(histogram{}.buckets) {
			t.Fatalf("%v is in bucket %d, after %d", d, b, last)
		}
		last = b
		if off := middle(b) - d; off > 1+d/fine || -off > 1+d/fine {
			t.Errorf("%v comes back as %v", d, middle(b))
		}
	}
}

func TestQuantiles(t *testing.T) {
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	for part, want := range map[float64]time.Duration{0.5: 500 * time.Microsecond, 0.99: 990 * time.Microsecond} {
		if got := h.quantile(part); got < want-want/50 || got > want+want/50 {
			t.Errorf("quantile %v is %v, want about %v", part, got, want)
		}
	}
}

// serve runs a server for each connection until the test ends.
func serve(t *testing.T, answer func(net.Conn)) (addr string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	return l.Addr().String()
}

func echo(c net.Conn) { io.Copy(c, struct{ io.Reader }{c}) }

func TestRun(t *testing.T) {
	for name, c := range map[string]Config{
		"small": {Size: 64, Conns: 3},
		"byte":  {Size: 1, Conns: 2},
		"large": {Size: 1 << 20, Conns: 2}, // more than the sockets hold
		"churn": {Size: 64, Conns: 3, Churn: true},
		"idle":  {Size: 64, Conns: 1, Idle: 20},
	} {
		t.Run(name, func(t *testing.T) {
			c.Addr = serve(t, echo)
			var r Result
			for c.Duration = 50 * time.Millisecond; r.Requests == 0 && c.Duration < time.Minute; c.Duration *= 4 { // a machine may be busy
				var err error
				if r, err = Run(c); err != nil {
					t.Fatal(err)
				}
			}
			if r.Requests == 0 || r.P50 <= 0 || r.P99 < r.P50 || r.LoadShare <= 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A server that does not echo what it was sent is found out.
func TestWrongAnswers(t *testing.T) {
	change := func(change func([]byte) []byte) func(net.Conn) {
		return func(c net.Conn) {
			message := make([]byte, 64)
			for {
				if _, err := io.ReadFull(c, message); err != nil {
					return
				}
				c.Write(change(message))
			}
		}
	}
	for name, answer := range map[string]func([]byte) []byte{
		"the first byte": func(m []byte) []byte { m[0]++; return m },
		"the last byte":  func(m []byte) []byte { m[63]++; return m },
		"longer":         func(m []byte) []byte { return append(m, 0) },
	} {
		_, err := Run(Config{Addr: serve(t, change(answer)), Size: 64, Conns: 1, Duration: time.Minute})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is wrong: %v", name, err)
		}
	}
	_, err := Run(Config{Addr: serve(t, func(net.Conn) {}), Size: 64, Conns: 1, Duration: time.Minute})
	if err == nil {
		t.Error("a server that closes is no error")
	}
}
