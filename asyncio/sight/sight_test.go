package sight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// In these tests a look is fresh until it is forgotten.
func init() { theLooker.now = func() time.Time { return time.Time{} } }

// during calls f on this goroutine while a loop runs main on another one, and has been
// looked at.
func during(t *testing.T, main func(ctx context.Context) error, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	begun, over := make(chan struct{}), make(chan error, 1)
	go func() {
		over <- asyncio.RunFunc(ctx, func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			later(l, 5, func() { close(begun) }) // when the tasks of main wait
			return main(ctx)
		}, asyncio.WithSignals(false), asyncio.WithLoopName("tested"))
	}()
	<-begun
	for whole := false; !whole; { // on a busy machine the loop may be taken for blocked
		theLooker.forget()
		s, err := theLooker.look()
		require.NoError(t, err)
		whole = !s.Partial
	}
	defer func() {
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("the program has ended with %v", err)
		}
	}()
	f()
}

// later calls f some turns later.
func later(l *asyncio.Loop, turns int, f func()) {
	if turns == 0 {
		f()
		return
	}
	l.CallSoon(func() { later(l, turns-1, f) })
}

// forget has the next look be a new one.
func (k *looker) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = nil
}

func forever(ctx context.Context) error { return asyncio.Sleep(ctx, 10000*time.Hour) }

// get asks h, as a browser of this machine does.
func get(h http.Handler, url string, change ...func(r *http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", url, nil)
	r.Host = "localhost:8080"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestViews(t *testing.T) {
	during(t, func(ctx context.Context) error {
		asyncio.CurrentTask(ctx).SetName("main")
		asyncio.Go(ctx, forever, asyncio.WithTaskName("leaf"))
		return forever(ctx)
	}, func() {
		h := Handler()
		for url, c := range map[string]struct{ kind, has string }{
			"/":                          {"text/html; charset=utf-8", "<title>greenlet</title>"},
			"/debug/sight/":              {"text/html; charset=utf-8", "<title>greenlet</title>"},
			"/icon.svg":                  {"image/svg+xml", "<svg"},
			"/tasks.txt":                 {"text/plain; charset=utf-8", "leaf: waits in asyncio.Sleep, called by sight.forever at sight_test.go:"},
			"/debug/sight/tasks.txt":     {"text/plain; charset=utf-8", "main: "},
			"/tasks.json":                {"application/json; charset=utf-8", `"v":1`},
			"/tasks.dot":                 {"text/vnd.graphviz; charset=utf-8", "digraph tasks {"},
			"/task?id=1":                 {"text/plain; charset=utf-8", "sight.forever"},
			"/task?id=1&loop=tested":     {"text/plain; charset=utf-8", "task 1 of loop tested: main\nstate: waiting\n"},
			"/greenlets?debug=1":         {"text/plain; charset=utf-8", "sight.forever"},
			"/greenlets":                 {"application/octet-stream", "\x1f\x8b"},
			"/debug/sight/metrics":       {"application/openmetrics-text; version=1.0.0; charset=utf-8", "asyncio_tasks{loop=\"tested\"} 2\n"},
			"/anything/at/all/tasks.txt": {"text/plain; charset=utf-8", "leaf"},
		} {
			w := get(h, url)
			assert.Equal(t, 200, w.Code, url)
			assert.Equal(t, c.kind, w.Header().Get("Content-Type"), url)
			assert.Contains(t, w.Body.String(), c.has, url)
		}
		for url, code := range map[string]int{"/nothing": 404, "/task": 400, "/task?id=x": 400, "/task?id=99": 404, "/task?id=1&loop=other": 404} {
			assert.Equal(t, code, get(h, url).Code, url)
		}
	})
	during(t, forever, func() {})
	theLooker.forget()
	assert.Equal(t, "no loop runs\n", get(Handler(), "/tasks.txt").Body.String())
}

// The loop is not asked, so that a blocked one can be looked at, too.
func TestBlockedLoop(t *testing.T) {
	block, blocked, release := make(chan struct{}), make(chan struct{}), make(chan struct{})
	during(t, func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			if _, err := asyncio.ToThread(ctx, func(context.Context) (int, error) { <-block; return 0, nil }); err != nil {
				return err
			}
			close(blocked)
			<-release //asyncvet:ignore GL102 the test is about it
			return nil
		}, asyncio.WithTaskName("culprit"))
		return forever(ctx)
	}, func() {
		close(block)
		<-blocked
		theLooker.forget()
		h := Handler()
		var doc struct {
			Partial bool
			Loops   []struct {
				State   string
				Blocked struct{ Name, At string }
			}
		}
		require.NoError(t, json.Unmarshal(get(h, "/tasks.json").Body.Bytes(), &doc))
		require.Len(t, doc.Loops, 1)
		assert.True(t, doc.Partial)
		assert.Equal(t, "blocked", doc.Loops[0].State)
		assert.Equal(t, "culprit", doc.Loops[0].Blocked.Name)
		assert.Contains(t, doc.Loops[0].Blocked.At, "sight_test.go:")
		assert.Contains(t, get(h, "/tasks.txt").Body.String(), "the loop is blocked for")
		assert.Contains(t, get(h, "/metrics").Body.String(), `asyncio_tasks{loop="tested"} 2`)
		assert.Equal(t, 200, get(h, "/greenlets?debug=1").Code)
		close(release)
	})
}

// It only reads: there is no other method.
func TestReadsOnly(t *testing.T) {
	h := Handler()
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get", "BREW"} {
		w := get(h, "/", func(r *http.Request) { r.Method = method })
		assert.Equal(t, 405, w.Code, method)
		assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	}
	assert.Equal(t, 200, get(h, "/", func(r *http.Request) { r.Method = "HEAD" }).Code)
}

// A page of another site, whose name was made to lead here, gets nothing.
func TestHost(t *testing.T) {
	ask := func(h http.Handler, host string) int {
		return get(h, "/metrics", func(r *http.Request) { r.Host = host }).Code
	}
	for _, host := range []string{"localhost", "LOCALHOST:80", "app.localhost:8080", "127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "[::1]", "10.1.2.3:9", "localhost."} {
		assert.Equal(t, 200, ask(Handler(), host), host)
	}
	for _, host := range []string{"evil.example", "evil.example:8080", "", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost", "1.2.3"} {
		assert.Equal(t, 403, ask(Handler(), host), host)
	}
	h := Handler(WithHosts("Intern.example"))
	assert.Equal(t, 200, ask(h, "intern.example:8080"))
	assert.Equal(t, 403, ask(h, "evil.example"))
	assert.Equal(t, 200, ask(Handler(WithHosts("*")), "evil.example"))
}

// What keeps other sites from showing and reading it is said of every answer, and nothing
// that lets them.
func TestHeaders(t *testing.T) {
	h := Handler()
	for _, url := range []string{"/", "/icon.svg", "/tasks.json", "/tasks.txt", "/tasks.dot", "/task?id=0", "/greenlets", "/metrics", "/nothing"} {
		w := get(h, url, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") })
		policy := w.Header().Get("Content-Security-Policy")
		assert.True(t, strings.HasPrefix(policy, "default-src 'self'; "), "%s: %s", url, policy)
		assert.NotContains(t, policy, "unsafe")
		assert.Contains(t, policy, "frame-ancestors 'none'")
		for key, value := range map[string]string{"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"} {
			assert.Equal(t, value, w.Header().Get(key), url)
		}
		for key := range w.Header() {
			assert.False(t, strings.HasPrefix(key, "Access-Control-"), "%s: %s", url, key)
		}
	}
}

// The page is one file: there is nothing in it that is loaded from elsewhere, nor a
// script outside of the one that the policy names.
func TestPageIsOneFile(t *testing.T) {
	text := get(Handler(), "/").Body.String()
	assert.Equal(t, 1, strings.Count(text, "<script"))
	assert.Equal(t, 1, strings.Count(text, "<style"))
	for _, bad := range []string{"src=", "//cdn", "https://", "@import", "url(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " onclick=\"", " style=\""} {
		assert.NotContains(t, text, bad)
	}
	assert.Equal(t, 1, strings.Count(text, "http://"), "the name of SVG's elements")
}

func TestWithoutErrors(t *testing.T) {
	const secret = "password=hunter2"
	during(t, func(ctx context.Context) error {
		lost := asyncio.Go(ctx, func(context.Context) error { return errors.New(secret) }, asyncio.WithTaskName("loser"))
		defer runtime.KeepAlive(lost)
		return forever(ctx)
	}, func() {
		shows := func(h http.Handler, text string) {
			t.Helper()
			for _, url := range []string{"/tasks.json", "/tasks.json?all=1", "/tasks.json?name=l", "/tasks.txt", "/tasks.dot"} {
				body := get(h, url).Body.String()
				if url != "/tasks.dot" {
					assert.Contains(t, body, "loser", url)
					assert.Contains(t, body, text, url)
				}
				if text != secret {
					assert.NotContains(t, body, secret, url)
				}
			}
		}
		shows(Handler(), secret)
		shows(Handler(WithoutErrors()), errHidden.Error())
		shows(Handler(), secret) // what is shared was not changed
	})
}

// There is one look at a time, and a fresh one serves all.
func TestOneLookAtATime(t *testing.T) {
	var now atomic.Int64
	var looks, most, at int
	begun, goOn := make(chan struct{}, 100), make(chan struct{})
	k := &looker{
		now: func() time.Time { return time.Unix(0, now.Load()) },
		take: func(context.Context) (*asyncio.Snapshot, error) {
			looks, at = looks+1, at+1
			most = max(most, at)
			begun <- struct{}{}
			<-goOn
			at--
			long := []asyncio.TaskSnapshot{{Name: strings.Repeat("x", 2*maxName)}}
			return &asyncio.Snapshot{PID: looks, Loops: []*asyncio.LoopSnapshot{{Tasks: long}}}, nil
		},
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			s, err := k.look()
			assert.NoError(t, err)
			assert.Equal(t, 1, s.PID)
			assert.Less(t, len(s.Loops[0].Tasks[0].Name), maxName+10, "it is bounded")
		})
	}
	<-begun
	close(goOn)
	all.Wait()
	assert.Equal(t, 1, most)
	// In a second there are four.
	for range 1000 {
		now.Add(int64(time.Millisecond))
		_, err := k.look()
		require.NoError(t, err)
	}
	assert.Equal(t, 1+4, looks)
	// A look that has failed is not kept.
	failure := errors.New("closed")
	now.Add(int64(freshness))
	k.take = func(context.Context) (*asyncio.Snapshot, error) { return nil, failure }
	_, err := k.look()
	assert.Equal(t, failure, err)
	k.take = func(context.Context) (*asyncio.Snapshot, error) { return &asyncio.Snapshot{}, nil }
	_, err = k.look()
	assert.NoError(t, err)
}

// Names and texts are the program's, or its users'; an answer has a size all the same.
func TestBounds(t *testing.T) {
	long := strings.Repeat("é", 5000)
	l := &asyncio.LoopSnapshot{
		Tasks:    make([]asyncio.TaskSnapshot, maxTasks+1),
		Locks:    []asyncio.LockSnapshot{{HolderName: long}},
		Lost:     []asyncio.LostError{{Name: long, Err: errors.New(long)}},
		Warnings: []asyncio.Warning{{Text: long}},
	}
	l.Tasks[0].Name = long
	bound(&asyncio.Snapshot{Loops: []*asyncio.LoopSnapshot{l}})
	assert.Len(t, l.Tasks, maxTasks)
	for _, text := range []string{l.Tasks[0].Name, l.Locks[0].HolderName, l.Lost[0].Name} {
		assert.Equal(t, strings.Repeat("é", maxName/2)+"…", text)
	}
	for _, text := range []string{l.Lost[0].Err.Error(), l.Warnings[0].Text} {
		assert.Equal(t, strings.Repeat("é", maxText/2)+"…", text)
	}
	var none *strconv.NumError
	bound(&asyncio.Snapshot{Loops: []*asyncio.LoopSnapshot{{Lost: []asyncio.LostError{{Err: none}}}}}) // whose Error panics
	assert.Equal(t, "é…", shortened("éé", 3), "no half a letter")
	assert.Equal(t, "éé", shortened("éé", 4))
}

// Of many tasks those that matter are sent, all of them on demand, and those of a name.
func TestManyTasks(t *testing.T) {
	const n = 3000
	during(t, func(ctx context.Context) error {
		for i := range n {
			asyncio.Go(ctx, forever, asyncio.WithTaskName(fmt.Sprint("Leaf ", i)))
		}
		return forever(ctx)
	}, func() {
		count := func(url string) int {
			var doc struct{ Loops []struct{ Tasks []any } }
			require.NoError(t, json.Unmarshal(get(Handler(), url).Body.Bytes(), &doc))
			return len(doc.Loops[0].Tasks)
		}
		assert.Less(t, count("/tasks.json"), 10)
		assert.Equal(t, n+1, count("/tasks.json?all=1"))
		assert.Equal(t, 1, count("/tasks.json?name=leaf+2999"))
		assert.Equal(t, 1000, count("/tasks.json?name=leaf"))
		assert.Zero(t, count("/tasks.json?name=nobody"))
	})
}

func TestOpenMetrics(t *testing.T) {
	loops := []asyncio.LoopStats{{ID: 1, Name: "a\"b\\c\nd\xff"}, {ID: 2, Name: "x"}, {ID: 3, Name: "x"}}
	loops[0].Tasks, loops[0].Steps, loops[0].Idle = 5, 3_000_000_000, 1500*time.Millisecond
	loops[0].Stalled = true
	loops[0].Lag = &asyncio.LagHistogram{Sum: 2 * time.Second}
	loops[0].Lag.Counts[1], loops[0].Lag.Counts[len(asyncio.LagBounds())] = 3, 1
	tellApart(loops)
	text := string(openMetrics(loops, greenlet.Counts{Live: 7}, greenlet.BackendInfo{Name: "generic", Reason: "asked for"}))
	for _, line := range []string{
		`asyncio_tasks{loop="a\"b\\c\nd` + "\uFFFD" + `"} 5`,
		`asyncio_steps_total{loop="a\"b\\c\nd` + "\uFFFD" + `"} 3000000000`,
		`asyncio_loop_idle_seconds_total{loop="a\"b\\c\nd` + "\uFFFD" + `"} 1.5`,
		`asyncio_stalled{loop="a\"b\\c\nd` + "\uFFFD" + `"} 1`,
		`asyncio_stalled{loop="x"} 0`,
		`asyncio_stalled{loop="x#3"} 0`,
		`asyncio_loop_lag_seconds_bucket{loop="a\"b\\c\nd` + "\uFFFD" + `",le="0.0001"} 0`,
		`asyncio_loop_lag_seconds_bucket{loop="a\"b\\c\nd` + "\uFFFD" + `",le="5.0"} 3`,
		`asyncio_loop_lag_seconds_bucket{loop="a\"b\\c\nd` + "\uFFFD" + `",le="+Inf"} 4`,
		`asyncio_loop_lag_seconds_sum{loop="a\"b\\c\nd` + "\uFFFD" + `"} 2`,
		`# UNIT asyncio_loop_lag_seconds seconds`,
		`greenlet_live 7`,
		`greenlet_build_info{backend="generic",reason="asked for",go="` + runtime.Version() + `"} 1`,
	} {
		assert.Contains(t, text, "\n"+line+"\n")
	}
	assert.True(t, strings.HasSuffix(text, "\n# EOF\n"))
}

// The variables are for package expvar, which makes JSON of them.
func TestVars(t *testing.T) {
	during(t, forever, func() {
		text, err := json.Marshal(Vars())
		require.NoError(t, err)
		assert.Contains(t, string(text), `"tested"`)
	})
}

// A program that imports the package and serves nothing has no goroutine more, and
// nothing was computed.
func TestImportedOnly(t *testing.T) {
	before := runtime.NumGoroutine()
	h := Handler()
	assert.Equal(t, before, runtime.NumGoroutine())
	assert.Less(t, testing.AllocsPerRun(100, func() { h = Handler() }), 2.0)
	_ = h
}

// It is served as handlers are, below a path.
func TestMux(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/debug/sight/", Handler())
	server := httptest.NewServer(mux)
	defer server.Close()
	resp, err := http.Get(server.URL + "/debug/sight")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), "<title>greenlet</title>")
	assert.Equal(t, "/debug/sight/", resp.Request.URL.Path)
}
