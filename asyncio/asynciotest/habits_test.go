package asynciotest_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// A habit does something, and sends to a server what comes of it.
type habit func(ctx context.Context, c net.Conn)

// talks has a client do h.
func talks(h habit) func(t testing.TB, ctx context.Context) { return talksTo("server", h) }

// talksTo is talks with a server of that name.
func talksTo(server string, h habit) func(t testing.TB, ctx context.Context) {
	return func(t testing.TB, ctx context.Context) {
		n := simnet.Of(ctx)
		n.Host(server).Start(func(ctx context.Context) error {
			ln, err := asyncio.Listen(ctx, "tcp", ":7000")
			if err != nil {
				return err
			}
			for {
				c, err := ln.Accept()
				if err != nil {
					return err
				}
				io.ReadAll(c)
				c.Close()
			}
		})
		n.Host("client").Go(ctx, func(ctx context.Context) error {
			asyncio.Sleep(ctx, time.Millisecond)
			c, err := asyncio.Dial(ctx, "tcp", server+":7000")
			if err == nil {
				defer c.Close()
				h(ctx, c)
				c.(interface{ CloseWrite() error }).CloseWrite()
				_, err = io.ReadAll(c)
			}
			return err
		}).Await(ctx)
	}
}

// talk has a client send what say returns.
func talk(say func(ctx context.Context) string) func(t testing.TB, ctx context.Context) {
	return talks(func(ctx context.Context, c net.Conn) { io.WriteString(c, say(ctx)) })
}

// The habits that no seed decides are found out, and where the program sends what comes of
// them. What docs/simulation.md has in their place is not: TestCheckPassesWhatSeedsDecide.
func TestCheckFindsHabits(t *testing.T) {
	for name, h := range habits {
		t.Run(name, func(t *testing.T) {
			said := checks(t, talks(h))
			assert.Contains(t, said, "is not the same run twice")
			assert.Contains(t, said, "1: ")
			assert.Contains(t, said, "2: ")
			assert.Regexp(t, regexp.QuoteMeta(runtime.FuncForPC(reflect.ValueOf(h).Pointer()).Name())+`\b`, said)
			assert.Contains(t, said, "habits_test.go:")
		})
	}
}

var pooled = sync.Pool{New: func() any { return new(int) }}

var leaking = make(chan int, 1)

var garbage []byte

// habits are those of the study that no seed decides.
var habits = map[string]habit{
	"range over a map": func(ctx context.Context, c net.Conn) {
		m := make(map[int]int)
		for i := range 100 {
			m[i] = i
		}
		s := ""
		for k := range m {
			s += fmt.Sprint(k, " ")
		}
		io.WriteString(c, s)
	},
	"select with two ready": func(ctx context.Context, c net.Conn) {
		s := ""
		for range 100 {
			a, b := make(chan int, 1), make(chan int, 1)
			a <- 1
			b <- 2
			select {
			case <-a:
				s += "a"
			case <-b:
				s += "b"
			}
		}
		io.WriteString(c, s)
	},
	"math/rand": func(ctx context.Context, c net.Conn) { fmt.Fprint(c, mathrand.Uint64()) },
	"maphash": func(ctx context.Context, c net.Conn) {
		fmt.Fprint(c, maphash.String(maphash.MakeSeed(), "text"))
	},
	"crypto/rand": func(ctx context.Context, c net.Conn) {
		p := make([]byte, 8)
		rand.Read(p)
		c.Write(p)
	},
	"a library's crypto/rand": func(ctx context.Context, c net.Conn) { // as etcd's raft draws the time to an election
		n, _ := rand.Int(rand.Reader, big.NewInt(1<<40))
		fmt.Fprint(c, n)
	},
	"TLS": func(ctx context.Context, c net.Conn) {
		asyncio.WithTimeout(ctx, time.Minute, func(context.Context, *asyncio.Timeout) error {
			return tls.Client(c, &tls.Config{InsecureSkipVerify: true}).Handshake()
		})
	},
	"time.Now": func(ctx context.Context, c net.Conn) { fmt.Fprint(c, time.Now().UnixNano()) },
	"context.WithTimeout": func(ctx context.Context, c net.Conn) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
		n := 0
		for asyncio.Sleep(ctx, time.Microsecond) == nil {
			n++
		}
		fmt.Fprint(c, n)
	},
	"time.AfterFunc": func(ctx context.Context, c net.Conn) {
		l, _ := asyncio.RunningLoop(ctx)
		over := false
		time.AfterFunc(5*time.Millisecond, func() { l.CallSoonThreadsafe(func() { over = true }) })
		n := 0
		for !over {
			asyncio.Sleep(ctx, time.Microsecond)
			n++
		}
		fmt.Fprint(c, n)
	},
	"a pointer": func(ctx context.Context, c net.Conn) {
		fmt.Fprintf(c, "%p", append([]int(nil), int(time.Now().UnixNano())))
	},
	"what a former run has left": func(ctx context.Context, c net.Conn) {
		select {
		case leaking <- 1:
			io.WriteString(c, "first")
		case <-leaking:
			io.WriteString(c, "second")
		}
	},
	"a pool": func(ctx context.Context, c net.Conn) {
		n := pooled.Get().(*int)
		*n++
		fmt.Fprint(c, *n)
		pooled.Put(n)
	},
	"goroutines that post": func(ctx context.Context, c net.Conn) {
		l, _ := asyncio.RunningLoop(ctx)
		all := asyncio.NewQueue[string](0)
		l.Hold()
		defer l.Release()
		for i := range 20 {
			go func() {
				for range mathrand.IntN(1000) {
					runtime.Gosched()
				}
				l.CallSoonThreadsafe(func() { all.PutNowait(fmt.Sprint(i, " ")) })
			}()
		}
		s := ""
		for range 20 {
			one, _ := all.Get(ctx)
			s += one
		}
		io.WriteString(c, s)
	},
	"ToThread beside other tasks": func(ctx context.Context, c net.Conn) {
		over := false
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() { over = true }()
			return asyncio.ToThreadFunc(ctx, func(context.Context) error {
				for range 1000 + mathrand.IntN(1000) {
					runtime.Gosched()
				}
				return nil
			})
		})
		n := 0
		for !over {
			asyncio.Sleep(ctx, 0)
			n++
		}
		task.Await(ctx)
		fmt.Fprint(c, n)
	},
	"AddCleanup that posts": func(ctx context.Context, c net.Conn) {
		l, _ := asyncio.RunningLoop(ctx)
		over := false
		runtime.AddCleanup(new([100]int), func(l *asyncio.Loop) { l.CallSoonThreadsafe(func() { over = true }) }, l)
		n := 0
		for ; !over; n++ { // until the collector comes by itself
			garbage = make([]byte, 64<<10)
			asyncio.Sleep(ctx, 0)
		}
		fmt.Fprint(c, n)
	},
}

// overHTTP has a server of net/http and four clients of it, all on goroutines, as libraries
// have them, and notes who came in which order.
func overHTTP(t testing.TB, ctx context.Context) {
	n := simnet.Of(ctx)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.URL.Path, body)
	})}
	served := make(chan error, 1)
	up := n.Host("server").Go(ctx, func(ctx context.Context) error {
		ln, err := asyncio.Listen(ctx, "tcp", ":80")
		go func() { served <- server.Serve(ln) }()
		return err
	})
	_, err := up.Await(ctx)
	require.NoError(t, err)
	for i := range 4 {
		n.Host(fmt.Sprint("client", i)).Start(func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			transport := &http.Transport{DialContext: (&asyncio.Dialer{Loop: l}).DialContext}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			return asyncio.ToThreadFunc(ctx, func(ctx context.Context) error {
				for k := range 5 {
					q, err := http.NewRequestWithContext(ctx, "POST", fmt.Sprintf("http://server/%d/%d", i, k), strings.NewReader(strings.Repeat("x", 1000*i)))
					if err != nil {
						return err
					}
					r, err := client.Do(q)
					if err != nil {
						return err
					}
					body, err := io.ReadAll(r.Body)
					r.Body.Close()
					if want := fmt.Sprintf("/%d/%d %s", i, k, strings.Repeat("x", 1000*i)); err != nil || string(body) != want {
						return fmt.Errorf("%d bytes, %w", len(body), err)
					}
					l.CallSoonThreadsafe(func() { simnet.Note(ctx, "client", i, "has", k) })
				}
				return nil
			})
		})
	}
	answered := func() (all int) {
		for _, e := range n.Events() {
			if e.Kind == simnet.Noted {
				all++
			}
		}
		return all
	}
	for answered() < 20 {
		if err := asyncio.Sleep(ctx, time.Second); err != nil || asynciotest.Now(ctx) > time.Minute {
			t.Fatalf("after %v there are %d answers", asynciotest.Now(ctx), answered())
		}
	}
	require.NoError(t, asyncio.ToThreadFunc(ctx, func(context.Context) error {
		server.Close() // it waits for its goroutines, which need the loop
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}))
}

var withGoroutines = simnet.Config{Latency: simnet.Uniform(0, 100*time.Millisecond), Goroutines: true}

// net/http on goroutines of its own is refused, unless it is asked for. What it does then
// no seed decides, outside of strict mode.
func TestHTTPOnGoroutines(t *testing.T) {
	var refused error
	asynciotest.Run(t, func(ctx context.Context) {
		ln, err := asyncio.Listen(ctx, "tcp", ":80")
		require.NoError(t, err)
		defer ln.Close()
		refused = asyncio.ToThreadFunc(ctx, func(context.Context) error { return http.Serve(ln, nil) })
	}, asynciotest.WithNetwork(simnet.Config{}))
	require.ErrorIs(t, refused, errors.ErrUnsupported)
	assert.Contains(t, refused.Error(), "a connection used by another goroutine")

	for range 3 {
		asynciotest.Run(t, func(ctx context.Context) { overHTTP(t, ctx) }, asynciotest.WithNetwork(withGoroutines), asynciotest.WithSeed(1))
	}
}
