package asyncio_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The scenarios of streams, transports and protocols. Their clock is the
// system's, because what they wait for is.

// Ordered answers come in the order into which the originals put them by delays: each waits
// until the one before it was received.
type orderedAnswers struct {
	before   map[string]string
	received map[string]*asyncio.Event
}

func answersInOrder(names ...string) orderedAnswers {
	o := orderedAnswers{make(map[string]string), make(map[string]*asyncio.Event)}
	for i, name := range names {
		if i > 0 {
			o.before[name] = names[i-1]
		}
		o.received[name] = asyncio.NewEvent()
	}
	return o
}

// wait waits for the turn of an answer.
func (o orderedAnswers) wait(ctx context.Context, name string) error {
	before, ok := o.before[name]
	if !ok {
		return nil
	}
	return o.received[before].Wait(ctx)
}

func TestStreamScenarios(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/200_stream_echo", streamEcho},
		scenario{"asyncio/204_drain_backpressure", drainBackpressure},
		scenario{"asyncio/220_protocol_callbacks", protocolCallbacks},
		scenario{"asyncio/261_http_loopback", httpLoopback},
		scenario{"seeds/d001_19_crawler_loopback", crawlerLoopback},
		scenario{"seeds/d003_06_wget_loopback", wgetLoopback},
		scenario{"seeds/d003_07_web_app_loopback", webAppLoopback},
	)
}

// onSystem runs f as a program's main, on the system's clock.
func (s *script) onSystem(f func(ctx context.Context) error) {
	s.t.Helper()
	s.must(asyncio.RunFunc(context.Background(), f, beneath(nil)...))
}

// loopback starts a server on a free port.
func (s *script) loopback(ctx context.Context, handle asyncio.StreamHandler) (*asyncio.Server, string) {
	s.t.Helper()
	server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", handle)
	if err != nil {
		s.t.Fatal(err)
	}
	return server, server.Addr().String()
}

func line(ctx context.Context, r *asyncio.StreamReader) string {
	line, _ := r.ReadLine(ctx)
	return strings.TrimSpace(string(line))
}

func closed(ctx context.Context, w *asyncio.StreamWriter) error {
	w.Close()
	return w.WaitClosed(ctx)
}

func streamEcho(s *script) {
	s.onSystem(func(ctx context.Context) error {
		server, addr := s.loopback(ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			for line, err := range r.Lines(ctx) {
				if err != nil {
					return err
				}
				s.print("server got", strings.TrimSpace(string(line)))
				w.WriteLines([]byte("echo "), line)
				if err := w.Drain(ctx); err != nil {
					return err
				}
			}
			s.print("server sees eof, at_eof", yes(r.AtEOF()))
			return closed(ctx, w)
		})
		s.print("serving", yes(server.IsServing()))
		r, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		for _, text := range []string{"one", "two"} {
			w.WriteString(text + "\n")
			s.must(w.Drain(ctx))
			s.print("client got", line(ctx, r))
		}
		w.Close()
		s.print("is_closing", yes(w.IsClosing()))
		s.must(w.WaitClosed(ctx))
		server.Close()
		s.must(server.WaitClosed(ctx))
		s.print("serving", yes(server.IsServing()))
		return nil
	})
}

func drainBackpressure(s *script) {
	const size = 8 << 20
	s.onSystem(func(ctx context.Context) error {
		start := asyncio.NewEvent()
		got := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
		server, addr := s.loopback(ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			if err := start.Wait(ctx); err != nil {
				return err
			}
			all, err := r.ReadExactly(ctx, size)
			s.must(err)
			w.Close()
			return got.SetResult(len(all))
		})
		_, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		s.must(w.Transport().SetWriteBufferLimits(1024, 256))
		low, high := w.Transport().WriteBufferLimits()
		s.print("limits", low, high)
		s.must(w.Drain(ctx))
		s.print("drain on an empty buffer returns at once")
		s.must(w.Write(bytes.Repeat([]byte("x"), size)))
		s.print("buffered", yes(w.Transport().WriteBufferSize() > 1024))
		d := asyncio.Go(ctx, w.Drain)
		s.must(asyncio.Sleep(ctx, 40*time.Millisecond))
		s.print("drain done while the peer sleeps", yes(d.Done()))
		start.Set()
		_, err = d.Await(ctx)
		s.must(err)
		s.print("drain done, below low water", yes(w.Transport().WriteBufferSize() <= 256))
		n, err := got.Await(ctx)
		s.must(err)
		s.print("peer got all", yes(n == size))
		s.must(closed(ctx, w))
		server.Close()
		return nil
	})
}

// The protocols of 220.

type scenarioServer struct {
	s         *script
	transport asyncio.Transport
}

func (p *scenarioServer) ConnectionMade(t asyncio.Transport) { p.transport = t }

func (p *scenarioServer) DataReceived(data []byte) {
	p.s.print("server data_received", string(data), "after connection_made", yes(p.transport != nil))
	p.transport.Write(append([]byte("reply to "), data...))
}

func (p *scenarioServer) EOFReceived() bool {
	p.s.print("server eof_received")
	return false
}

func (p *scenarioServer) ConnectionLost(err error) { p.s.print("server connection_lost", noneOr(err)) }

type scenarioClient struct {
	asyncio.NopProtocol
	s         *script
	lost      *asyncio.Future[asyncio.None]
	transport asyncio.Transport
}

func (p *scenarioClient) ConnectionMade(t asyncio.Transport) {
	p.s.print("client connection_made")
	p.transport = t
	t.Write([]byte("hello"))
}

func (p *scenarioClient) DataReceived(data []byte) {
	p.s.print("client data_received", string(data))
	p.transport.Close()
	p.s.print("client is_closing", yes(p.transport.IsClosing()))
	p.transport.Write([]byte("ignored after close"))
}

func (p *scenarioClient) ConnectionLost(err error) {
	p.s.print("client connection_lost", noneOr(err))
	p.lost.SetResult(asyncio.None{})
}

func noneOr(err error) string {
	if err == nil {
		return "none"
	}
	return pyName(err)
}

func protocolCallbacks(s *script) {
	s.onSystem(func(ctx context.Context) error {
		server, err := asyncio.CreateServer(ctx, func() *scenarioServer { return &scenarioServer{s: s} }, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		lost := asyncio.NewFuture[asyncio.None](server.Loop())
		transport, protocol, err := asyncio.CreateConnection(ctx, func() *scenarioClient { return &scenarioClient{s: s, lost: lost} },
			"tcp", server.Addr().String())
		if err != nil {
			return err
		}
		peer := transport.ExtraInfo("peername").(net.Addr)
		s.print("peername matches", yes(peer.String() == server.Addr().String()))
		s.print("default", transport.ExtraInfo("no such", "fallback"))
		s.print("get_protocol", yes(transport.Protocol() == asyncio.BaseProtocol(protocol)))
		_, err = lost.Await(ctx)
		s.must(err)
		server.Close()
		return server.WaitClosed(ctx)
	})
}

func httpLoopback(s *script) {
	s.onSystem(func(ctx context.Context) error {
		answers := answersInOrder("/a", "/abc", "/missing")
		server, addr := s.loopback(ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			request := strings.Fields(line(ctx, r))
			for line(ctx, r) != "" {
			}
			path := request[1]
			if err := answers.wait(ctx, path); err != nil {
				return err
			}
			status, body := "200 OK", "page "+path
			if path == "/missing" {
				status, body = "404 Not Found", "nothing here"
			}
			fmt.Fprintf(w.Writer(ctx), "HTTP/1.0 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
			return closed(ctx, w)
		})
		defer server.Close()
		wget := func(path string) asyncio.Coro[string] {
			return func(ctx context.Context) (string, error) {
				r, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
				if err != nil {
					return "", err
				}
				fmt.Fprintf(w.Writer(ctx), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path)
				status, length := line(ctx, r), 0
				for l := line(ctx, r); l != ""; l = line(ctx, r) {
					s.print(path, "header >", l)
					length, _ = strconv.Atoi(strings.Fields(l)[1])
				}
				body, err := r.ReadExactly(ctx, length)
				s.must(err)
				s.must(closed(ctx, w))
				s.print(path, "done")
				answers.received[path].Set()
				return status + " | " + string(body), nil
			}
		}
		pages, err := asyncio.Gather[string](ctx, wget("/missing"), wget("/a"), wget("/abc")).Await(ctx)
		for _, page := range pages {
			s.print(page)
		}
		return err
	})
}

func crawlerLoopback(s *script) {
	s.onSystem(func(ctx context.Context) error {
		answers := answersInOrder("/page1", "/page2", "/page3")
		server, addr := s.loopback(ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			path := strings.Fields(line(ctx, r))[1]
			for line(ctx, r) != "" {
			}
			if err := answers.wait(ctx, path); err != nil {
				return err
			}
			w.WriteString("HTTP/1.0 200 OK\r\n\r\ntext of " + path)
			defer w.Close()
			return w.Drain(ctx)
		})
		defer server.Close()
		var tasks []*asyncio.Task[asyncio.None]
		for _, url := range []string{"/page3", "/page1", "/page2"} {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				s.print("begin download", url)
				r, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
				if err != nil {
					return err
				}
				w.WriteString("GET " + url + " HTTP/1.0\r\n\r\n")
				all, err := r.Read(ctx, -1)
				s.must(err)
				s.must(closed(ctx, w))
				_, text, _ := strings.Cut(string(all), "\r\n\r\n")
				s.print("result: " + text)
				answers.received[url].Set()
				return nil
			}))
		}
		_, _, err := asyncio.Wait(ctx, tasks)
		return err
	})
}

func wgetLoopback(s *script) {
	hosts := []string{"www.sina.com.cn", "www.sohu.com", "www.163.com"}
	s.onSystem(func(ctx context.Context) error {
		answers := answersInOrder(hosts[1], hosts[0], hosts[2])
		server, addr := s.loopback(ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			line(ctx, r)
			host := strings.Fields(line(ctx, r))[1]
			line(ctx, r)
			if err := answers.wait(ctx, host); err != nil {
				return err
			}
			w.WriteString("HTTP/1.1 200 OK\r\nServer: " + host + "\r\n\r\nbody")
			defer w.Close()
			return w.Drain(ctx)
		})
		defer server.Close()
		var fetches []asyncio.Awaitable[asyncio.None]
		for _, host := range hosts {
			fetches = append(fetches, asyncio.Func(func(ctx context.Context) error {
				s.print("wget " + host + "...")
				r, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
				if err != nil {
					return err
				}
				w.WriteString("GET / HTTP/1.0\r\nHost: " + host + "\r\n\r\n")
				s.must(w.Drain(ctx))
				for l := line(ctx, r); l != ""; l = line(ctx, r) {
					s.print(host, "header >", l)
				}
				s.must(closed(ctx, w))
				s.print("Done " + host + ".")
				answers.received[host].Set()
				return nil
			}))
		}
		_, err := asyncio.Gather(ctx, fetches...).Await(ctx)
		return err
	})
}

func webAppLoopback(s *script) {
	s.onSystem(func(ctx context.Context) error {
		server, addr := s.loopback(ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			path := strings.Fields(line(ctx, r))[1]
			for line(ctx, r) != "" {
			}
			body := "<h1>Index Page</h1>"
			if path != "/" {
				body = "<h1>Hello, " + path[1:] + "</h1>"
			}
			w.WriteString(strings.Join([]string{
				"HTTP/1.0 200 OK", "Content-Type: text/html", fmt.Sprint("Content-Length: ", len(body)), "", body,
			}, "\r\n"))
			s.must(w.Drain(ctx))
			return closed(ctx, w)
		})
		defer server.Close()
		get := func(path string) asyncio.Coro[string] {
			return func(ctx context.Context) (string, error) {
				r, w, err := asyncio.OpenConnection(ctx, "tcp", addr)
				if err != nil {
					return "", err
				}
				w.WriteString("GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n")
				all, err := r.Read(ctx, -1)
				s.must(err)
				return string(all), closed(ctx, w)
			}
		}
		pages, err := asyncio.Gather[string](ctx, get("/"), get("/Bob")).Await(ctx)
		for _, page := range pages {
			head, body, _ := strings.Cut(page, "\r\n\r\n")
			status, _, _ := strings.Cut(head, "\r\n")
			s.print(status, "|", body)
		}
		return err
	})
}
