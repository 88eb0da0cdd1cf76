package httpd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// alive fails the test unless the server answers: not always at once, as it may
// have little patience with a client on a slow machine.
func alive(t *testing.T, addr string) {
	t.Helper()
	var got string
	for begin := time.Now(); time.Since(begin) < patience; {
		if got = ask(t, addr, get("/hello", "Connection: close")); strings.HasSuffix(got, "hello") {
			return
		}
	}
	t.Errorf("afterwards the server answers %q", got)
}

// routes serves hello, and h for the rest.
func routes(h http.HandlerFunc) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/hello", hello)
	m.HandleFunc("/", h)
	return m
}

const soon = 50 * time.Millisecond

// Who is slow with the head, the body or reading is dropped at the time that the
// Config says, and nobody else is kept waiting.
func TestSlowClients(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(cfg *http.Server)
		says string
		want string // in the answer
	}{
		{"no head", func(cfg *http.Server) { cfg.ReadHeaderTimeout = soon }, "", ""},
		{"half a head", func(cfg *http.Server) { cfg.ReadHeaderTimeout = soon }, "GET / HTTP/1.1\r\nHo", "400 Bad Request"},
		{"half a head, by ReadTimeout", func(cfg *http.Server) { cfg.ReadTimeout = soon }, "GET / HTTP/1.1\r\nHo", "400 Bad Request"},
		{"no second request", func(cfg *http.Server) { cfg.IdleTimeout = soon }, get("/hello"), "hello"},
		{"no second request, by ReadTimeout", func(cfg *http.Server) { cfg.ReadTimeout = soon }, get("/hello"), "hello"},
		{"half a second head", func(cfg *http.Server) { cfg.ReadHeaderTimeout = soon }, get("/hello") + "GET /he", "hello"},
		{"half a body", func(cfg *http.Server) { cfg.ReadTimeout = soon }, post("/", "ab", "Content-Length: 4"), "i/o timeout"},
		{"half a body that nobody reads", func(cfg *http.Server) { cfg.ReadTimeout = soon }, post("/hello", "ab", "Content-Length: 4"), "hello"},
		{"half a body, by the handler", func(cfg *http.Server) {}, post("/deadline", "ab", "Content-Length: 4"), "i/o timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, k kind) {
				cfg := &http.Server{Handler: routes(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/deadline" {
						http.NewResponseController(w).SetReadDeadline(time.Now().Add(soon))
					}
					echo(w, r)
				})}
				c.set(cfg)
				addr := k.serve(t, cfg)
				conn := dial(t, addr)
				io.WriteString(conn, c.says)
				alive(t, addr)
				got := closed(t, conn)
				for begin := time.Now(); got == "" && c.want != "" && time.Since(begin) < patience; {
					got = ask(t, addr, c.says) // this machine was slower still
				}
				if !strings.Contains(got, c.want) || c.want == "" && got != "" {
					t.Errorf("the answer is %q", got)
				}
			})
		})
	}
}

// A client that does not read is dropped by WriteTimeout, or the handler's
// deadline.
func TestClientThatDoesNotRead(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		failed := make(chan error, 1)
		addr := k.serve(t, &http.Server{
			WriteTimeout: soon,
			Handler: routes(func(w http.ResponseWriter, r *http.Request) {
				var err error
				for err == nil {
					_, err = io.WriteString(w, big)
				}
				failed <- err
			})})
		send(t, dial(t, addr), get("/"))
		alive(t, addr)
		if err := within(t, failed); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the handler gets %v", err)
		}
	})
}

// A client that goes away ends the request's context, whatever the handler does
// meanwhile.
func TestClientGoesAway(t *testing.T) {
	waits := map[string]func(r *http.Request) error{
		"Done": func(r *http.Request) error { <-r.Context().Done(); return r.Context().Err() },
		"derived": func(r *http.Request) error {
			ctx, end := context.WithCancel(r.Context())
			defer end()
			<-ctx.Done()
			return ctx.Err()
		},
		"AfterFunc": func(r *http.Request) error {
			over := make(chan bool)
			context.AfterFunc(r.Context(), func() { close(over) })
			<-over
			return r.Context().Err()
		},
	}
	says := map[string]string{
		"without a body": get("/"), "with a body": post("/", "body", withLength("body")), "in chunks": post("/", "4\r\nbody\r\n0\r\n\r\n", chunkedField),
	}
	// On the loop the wait is the task's: what blocks is called elsewhere.
	inTask := func(wait func(r *http.Request) error, r *http.Request) error {
		if asyncio.CurrentTask(r.Context()) == nil {
			return wait(r)
		}
		return asyncio.Sleep(r.Context(), time.Hour)
	}
	inThread := func(wait func(r *http.Request) error, r *http.Request) error {
		if asyncio.CurrentTask(r.Context()) == nil {
			return wait(r)
		}
		return asyncio.ToThreadFunc(context.WithoutCancel(r.Context()), func(context.Context) error { return wait(r) })
	}
	for how, call := range map[string]func(func(*http.Request) error, *http.Request) error{"in the task": inTask, "in a thread": inThread} {
		for name, wait := range waits {
			for what, text := range says {
				t.Run(strings.Join([]string{how, name, what}, ", "), func(t *testing.T) {
					t.Parallel()
					onBoth(t, func(t *testing.T, k kind) {
						begun, ended := make(chan bool, 1), make(chan error, 1)
						addr := k.serve(t, &http.Server{Handler: routes(func(w http.ResponseWriter, r *http.Request) {
							io.Copy(io.Discard, r.Body)
							if err := r.Context().Err(); err != nil {
								t.Error("at the beginning:", err)
							}
							begun <- true
							ended <- call(wait, r)
						})})
						c := dial(t, addr)
						send(t, c, text)
						within(t, begun)
						alive(t, addr)
						c.Close()
						if err := within(t, ended); !errors.Is(err, context.Canceled) {
							t.Errorf("the handler gets %v", err)
						}
					})
				})
			}
		}
	}
}

// A client that goes away in the middle of an answer ends it: the next Write fails,
// and the context has ended.
func TestClientGoesAwayInAnswer(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		ended := make(chan error, 1)
		addr := k.serve(t, &http.Server{Handler: routes(func(w http.ResponseWriter, r *http.Request) {
			var err error
			for err == nil {
				_, err = io.WriteString(w, big)
			}
			ended <- errors.Join(err, r.Context().Err())
		})})
		c := dial(t, addr)
		send(t, c, get("/"))
		if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		c.SetLinger(0)
		c.Close()
		if err := within(t, ended); !errors.Is(err, context.Canceled) {
			t.Errorf("the handler gets %v", err)
		}
		alive(t, addr)
	})
}

// Who closes the connection below the server ends the request, too.
func TestClosedBelow(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		var below net.Conn
		ended := make(chan error, 1)
		addr := k.serve(t, &http.Server{
			ConnState: func(c net.Conn, state http.ConnState) {
				if state == http.StateNew {
					below = c
				}
			},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				ctx.Done() // the client is watched
				below.Close()
				if asyncio.CurrentTask(ctx) == nil {
					<-ctx.Done()
				} else {
					asyncio.Sleep(ctx, time.Hour)
				}
				ended <- ctx.Err()
			}),
		})
		send(t, dial(t, addr), get("/"))
		if err := within(t, ended); !errors.Is(err, context.Canceled) {
			t.Errorf("the handler gets %v", err)
		}
	})
}

// The next request, sent before the answer to this one, is no end of the client,
// and nothing of it is lost to who watches.
func TestPipelinedWhileWatched(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		begun, proceed := make(chan bool), make(chan bool)
		addr := k.serve(t, &http.Server{Handler: routes(func(w http.ResponseWriter, r *http.Request) {
			begun <- true //asyncvet:ignore GL102 the test waits for it
			wait := func(context.Context) error { <-proceed; return nil }
			if asyncio.CurrentTask(r.Context()) == nil {
				r.Context().Done()
				wait(nil)
			} else if err := asyncio.ToThreadFunc(r.Context(), wait); err != nil {
				t.Error(err)
			}
			fmt.Fprint(w, r.URL.Path, r.Context().Err())
		})})
		c := dial(t, addr)
		send(t, c, get("/first"))
		<-begun
		send(t, c, get("/second")+get("/third", "Connection: close"))
		alive(t, addr)
		go func() { <-begun; <-begun }()
		close(proceed)
		got := closed(t, c)
		for _, path := range []string{"/first<nil>", "/second<nil>", "/third<nil>"} {
			if !strings.Contains(got, path) {
				t.Errorf("no answer %s in %q", path, got)
			}
		}
	})
}

// CloseNotify, which some handlers still use, tells of the end.
func TestCloseNotify(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		begun, ended := make(chan bool), make(chan bool, 1)
		addr := k.serve(t, &http.Server{Handler: routes(func(w http.ResponseWriter, r *http.Request) {
			//lint:ignore SA1019 it is what is tested
			gone := w.(http.CloseNotifier).CloseNotify()
			go func() { ended <- <-gone }()
			begun <- true //asyncvet:ignore GL102 the test waits for it
			if asyncio.CurrentTask(r.Context()) == nil {
				<-r.Context().Done()
			} else {
				asyncio.Sleep(r.Context(), time.Hour)
			}
		})})
		c := dial(t, addr)
		send(t, c, get("/"))
		<-begun
		c.Close()
		within(t, ended)
	})
}

// A body can be read, and an answer written, by goroutines that the handler waits
// for.
func TestGoroutinesOfHandler(t *testing.T) {
	onBoth(t, func(t *testing.T, k kind) {
		addr := k.serve(t, &http.Server{Handler: routes(func(w http.ResponseWriter, r *http.Request) {
			in, out := io.Pipe()
			work := func(context.Context) error {
				go func() {
					_, err := io.Copy(out, r.Body)
					out.CloseWithError(err)
				}()
				text, err := io.ReadAll(in)
				fmt.Fprint(w, len(text), err)
				http.NewResponseController(w).Flush()
				return nil
			}
			if asyncio.CurrentTask(r.Context()) == nil {
				work(nil)
			} else if err := asyncio.ToThreadFunc(r.Context(), work); err != nil {
				t.Error(err)
			}
		})})
		for _, says := range []string{post("/", big, withLength(big)), post("/", big, withLength(big), "Expect: 100-continue"),
			post("/", "4000\r\n"+big+"\r\n0\r\n\r\n", chunkedField)} {
			if got := ask(t, addr, says+get("/hello", "Connection: close")); !strings.Contains(got, "16384 <nil>") || !strings.HasSuffix(got, "hello") {
				t.Errorf("the answer is %q", got)
			}
		}
	})
}

// A goroutine that still reads the body when the handler has returned does not keep
// anybody: its Read ends.
func TestReaderThatStays(t *testing.T) {
	ended := make(chan error, 1)
	reading := make(chan bool)
	s := serve(t, &http.Server{Handler: routes(func(w http.ResponseWriter, r *http.Request) {
		go func() {
			if _, err := io.ReadFull(r.Body, make([]byte, 2)); err != nil {
				t.Error(err)
			}
			close(reading)
			_, err := r.Body.Read(make([]byte, 2))
			ended <- err
		}()
		if err := asyncio.ToThreadFunc(r.Context(), func(context.Context) error { <-reading; return nil }); err != nil {
			t.Error(err)
		}
		io.WriteString(w, "answered")
	})})
	c := dial(t, s.addr)
	send(t, c, post("/", "ab", "Content-Length: 4"))
	if got := closed(t, c); !strings.Contains(got, "answered") {
		t.Errorf("the answer is %q", got)
	}
	if err := within(t, ended); err == nil {
		t.Error("the goroutine has read on")
	}
	alive(t, s.addr)
}

// Two tasks that read one body do not stop the loop: the second is refused.
func TestTwoReaders(t *testing.T) {
	s := serve(t, &http.Server{Handler: routes(func(w http.ResponseWriter, r *http.Request) {
		first := asyncio.CreateTask(r.Context(), func(context.Context) (string, error) {
			text, err := io.ReadAll(r.Body)
			return string(text), err
		})
		asyncio.Sleep(r.Context(), 0)
		_, err := r.Body.Read(make([]byte, 1))
		w.WriteHeader(100)
		fmt.Fprint(w, err, "; ")
		text, err := first.Await(context.WithoutCancel(r.Context()))
		fmt.Fprint(w, text, err)
	})})
	c := dial(t, s.addr)
	send(t, c, post("/", "", "Content-Length: 4", "Connection: close"))
	lines := bufio.NewReader(c)
	if line, err := lines.ReadString('\n'); !strings.Contains(line, "100 Continue") {
		t.Fatal(line, err)
	}
	send(t, c, "body")
	rest, _ := io.ReadAll(lines)
	if want := "is read by somebody else; body<nil>"; !strings.HasSuffix(string(rest), want) {
		t.Errorf("the answer is %q, want %q", rest, want)
	}
}

// The hooks are called as net/http calls them.
func TestHooks(t *testing.T) {
	var seen [2]string
	for i, k := range kinds {
		var mu sync.Mutex
		var states []string
		type key string
		cfg := &http.Server{
			BaseContext: func(ln net.Listener) context.Context {
				return context.WithValue(context.Background(), key("base"), ln.Addr().Network())
			},
			ConnContext: func(ctx context.Context, c net.Conn) context.Context {
				return context.WithValue(ctx, key("conn"), fmt.Sprint(ctx.Value(key("base")), ctx.Value(http.ServerContextKey) != nil))
			},
			ConnState: func(c net.Conn, s http.ConnState) {
				mu.Lock()
				defer mu.Unlock()
				states = append(states, s.String())
			},
		}
		cfg.Handler = routes(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/hijack" {
				c, _, _ := w.(http.Hijacker).Hijack()
				c.Close()
				return
			}
			ctx := r.Context()
			fmt.Fprint(w, ctx.Value(key("base")), ctx.Value(key("conn")), ctx.Value(http.ServerContextKey) == cfg,
				ctx.Value(http.LocalAddrContextKey).(net.Addr).String() == r.Host, r.RemoteAddr != "", r.TLS)
		})
		addr := k.serve(t, cfg)
		host := "Host: " + addr + "\r\n"
		c := dial(t, addr)
		lines := bufio.NewReader(c)
		for range 3 { // one after the other
			send(t, c, "GET / HTTP/1.1\r\n"+host+"\r\n")
			resp, err := http.ReadResponse(lines, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			seen[i] = string(text)
		}
		// One connection after the other: the hook is told of an end when it is over.
		seen := func(want ...string) {
			t.Helper()
			for begin := time.Now(); ; time.Sleep(time.Millisecond) {
				mu.Lock()
				got := slices.Clone(states)
				mu.Unlock()
				if slices.Equal(got, want) {
					break
				}
				if time.Since(begin) > patience {
					t.Fatalf("%s: the states are\n%v, want\n%v", k.name, got, want)
				}
			}
			mu.Lock()
			states = nil
			mu.Unlock()
		}
		c.CloseWrite()
		closed(t, c)
		seen("new", "active", "idle", "active", "idle", "active", "idle", "closed")
		exchange(t, addr, "GET /hijack HTTP/1.1\r\n"+host+"\r\n")
		seen("new", "active", "hijacked")
		exchange(t, addr, "")
		seen("new", "closed")
	}
	if want := "tcptcp truetruetruetrue<nil>"; strings.ReplaceAll(seen[0], " ", "") != strings.ReplaceAll(want, " ", "") || seen[0] != seen[1] {
		t.Errorf("the contexts have %q and %q, want %q", seen[0], seen[1], want)
	}
}
