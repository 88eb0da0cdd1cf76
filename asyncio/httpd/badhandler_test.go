package httpd_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

// What a handler does to itself is nobody else's matter, and is logged once.
func TestHandlersThatPanic(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		var logged logs
		addr := k.serve(t, &http.Server{ErrorLog: log.New(&logged, "", 0), Handler: routes(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/abort":
				panic(http.ErrAbortHandler)
			case "/error":
				panic(errors.New("an error that is broken"))
			}
			var none []int
			none[len(r.URL.Path)] = 1
		})})
		for path, want := range map[string]string{"/abort": "", "/error": "an error that is broken", "/nil": "index out of range"} {
			logged.reset()
			if got := exchange(t, addr, get(path)); got != "" {
				t.Errorf("%s is answered with %q", path, got)
			}
			alive(t, addr)
			text := logged.String()
			if want == "" && text != "" || !strings.Contains(text, want) {
				t.Errorf("%s is logged as %q", path, text)
			}
			if want != "" && (strings.Count(text, "panic serving 127.0.0.1:") != 1 || !strings.Contains(text, "badhandler_test.go")) {
				t.Errorf("%s is logged as %q", path, text)
			}
		}
	})
}

// Handlers that do what they should not are told so in the log, with the place.
func TestMistakesAreLogged(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		var logged logs
		addr := k.serve(t, &http.Server{ErrorLog: log.New(&logged, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/twice":
				w.WriteHeader(200)
				w.WriteHeader(201)
			case "/hijacked":
				c, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
				}
				w.WriteHeader(200)
				io.WriteString(w, "x")
				c.Close()
			case "/length":
				w.Header().Set("Content-Length", "x")
				w.WriteHeader(200)
			case "/both":
				w.Header().Set("Content-Length", "1")
				w.Header().Set("Transfer-Encoding", "gzip")
				w.WriteHeader(200)
			}
		})})
		for path, want := range map[string][]string{
			"/twice":    {"http: superfluous response.WriteHeader call from ", "(badhandler_test.go:"},
			"/hijacked": {"http: response.WriteHeader on hijacked connection from ", "http: response.Write on hijacked connection from ", "(badhandler_test.go:"},
			"/length":   {`http: invalid Content-Length of "x"`},
			"/both":     {`http: WriteHeader called with both Transfer-Encoding of "gzip" and a Content-Length of 1`},
		} {
			logged.reset()
			exchange(t, addr, get(path))
			for _, part := range want {
				if !strings.Contains(logged.String(), part) {
					t.Errorf("%s is logged as %q, without %q", path, &logged, part)
				}
			}
		}
	})
}

// logs is a log that several goroutines write to.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logs) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// A handler that hijacks and leaves: the connection is whose it has given it to,
// here a goroutine and a task.
func TestHijackedAndLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		addr := k.serve(t, &http.Server{ReadTimeout: soon, Handler: routes(func(w http.ResponseWriter, r *http.Request) {
			c, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			talk := func(context.Context) error {
				defer c.Close()
				for {
					line, err := rw.ReadString('\n')
					if err != nil {
						return nil
					}
					io.WriteString(c, strings.ToUpper(line))
				}
			}
			if r.URL.Path == "/task" && asyncio.CurrentTask(r.Context()) != nil {
				asyncio.Go(context.WithoutCancel(r.Context()), talk)
			} else {
				go talk(nil)
			}
		})})
		for _, path := range []string{"/task", "/goroutine"} {
			var c net.Conn
			var lines *bufio.Reader
			for begin := time.Now(); time.Since(begin) < patience; {
				c = dial(t, addr)
				send(t, c, get(path)+"early\n")
				lines = bufio.NewReader(c)
				if _, err := lines.Peek(1); err == nil {
					break // else this machine was slower than ReadTimeout
				}
			}
			for _, want := range []string{"EARLY\n", "LATE\n", "LATER\n"} {
				if got, err := lines.ReadString('\n'); got != want || err != nil {
					t.Errorf("%s: %q, %v, want %q", path, got, err, want)
				}
				time.Sleep(2 * soon) // no deadline of the server's is left
				send(t, c, map[string]string{"EARLY\n": "late\n", "LATE\n": "later\n", "LATER\n": "end\n"}[want])
			}
			alive(t, addr)
		}
	})
}

// A handler that panics when some of the answer was sent: that ends there. One that
// panics when it has hijacked leaves the connection to whoever has it.
func TestHandlersThatPanicLate(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		var logged logs
		taken := make(chan net.Conn, 1)
		addr := k.serve(t, &http.Server{ErrorLog: log.New(&logged, "", 0), Handler: routes(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/hijacked" {
				c, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
				}
				taken <- c
			} else {
				io.WriteString(w, "some")
				w.(http.Flusher).Flush()
			}
			panic("too late")
		})})
		got := exchange(t, addr, get("/"))
		if !strings.HasSuffix(got, "\r\n\r\n4\r\nsome\r\n") { // no last chunk: the client knows
			t.Errorf("the answer is %q", got)
		}
		alive(t, addr)

		c := dial(t, addr)
		send(t, c, get("/hijacked"))
		mine := within(t, taken)
		alive(t, addr)
		for begin := time.Now(); strings.Count(logged.String(), "panic serving 127.0.0.1:") != 2; time.Sleep(time.Millisecond) {
			if time.Since(begin) > patience {
				t.Fatalf("it is logged as %q", &logged)
			}
		}
		io.WriteString(mine, "hello")
		mine.Close()
		if got := closed(t, c); got != "hello" {
			t.Errorf("the connection brings %q", got)
		}
	})
}

// A handler that blocks keeps the whole loop waiting, by mistake: the watchdog names
// it. When it goes on the others are answered, and nothing is lost.
func TestHandlerBlocksTheLoop(t *testing.T) {
	var reported logs
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&reported, nil)))
	defer slog.SetDefault(was)
	begun, proceed := make(chan bool), make(chan bool)
	addrs, over := make(chan string, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		over <- asyncio.RunFunc(ctx, func(ctx context.Context) error {
			ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			addrs <- ln.Addr().String()
			return httpd.Serve(ctx, ln, routes(func(w http.ResponseWriter, r *http.Request) {
				begun <- true
				<-proceed
				io.WriteString(w, "at last")
			}))
		}, asyncio.WithSignals(false), asyncio.WithWatchdog(10*time.Millisecond))
	}()
	addr := within(t, addrs)
	blocking, other := dial(t, addr), dial(t, addr)
	send(t, blocking, get("/", "Connection: close"))
	within(t, begun)
	send(t, other, get("/hello", "Connection: close"))
	for begin := time.Now(); !strings.Contains(reported.String(), "TestHandlerBlocksTheLoop"); time.Sleep(time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("the watchdog says %q", &reported)
		}
	}
	close(proceed)
	for c, want := range map[net.Conn]string{blocking: "at last", other: "hello"} {
		if got := closed(t, c); !strings.HasSuffix(got, want) {
			t.Errorf("the answer is %q, want %q", got, want)
		}
	}
	cancel()
	if err := within(t, over); !errors.Is(err, context.Canceled) {
		t.Errorf("the loop has ended with %v", err)
	}
}

// A handler that blocks is for InThread: then nobody else waits.
func TestHandlersThatBlock(t *testing.T) {
	begun, proceed := make(chan bool), make(chan bool)
	m := http.NewServeMux()
	m.HandleFunc("/hello", hello)
	m.Handle("/", httpd.InThread(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-proceed
		io.WriteString(w, "done")
	})))
	addr := serve(t, &http.Server{Handler: m}).addr
	c := dial(t, addr)
	send(t, c, get("/", "Connection: close"))
	<-begun
	alive(t, addr)
	close(proceed)
	if got := closed(t, c); !strings.HasSuffix(got, "done") {
		t.Errorf("the answer is %q", got)
	}
}
