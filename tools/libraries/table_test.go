package libraries

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/go-sql-driver/mysql"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/gomodule/redigo/redis"
	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v5"
	"github.com/lib/pq"
	"github.com/miekg/dns"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/valyala/fasthttp"
	"golang.org/x/crypto/ssh"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/internal/servers"
)

// The table of docs/net-conn.md is made by this test: go test -run TestTable -update.
var update = flag.Bool("update", false, "write the table into docs/net-conn.md")

const page = "../../docs/net-conn.md"

// A row is a library, and what asks its server for something.
type row struct {
	library, module string // the module's path, "" for Go's own
	runs            bool
	how             string // what the page advises
	call            func(t *testing.T) func(ctx context.Context, dial asynciotest.DialFunc) error
}

var rows = []row{
	{"`valyala/fasthttp` client", "github.com/valyala/fasthttp", true,
		"`HostClient` and `Client` with `Dial`; no limit that callers wait for", func(t *testing.T) call {
			addr := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
			return func(ctx context.Context, dial asynciotest.DialFunc) error {
				c := &fasthttp.Client{Dial: func(addr string) (net.Conn, error) { return dial(ctx, "tcp", addr) }}
				req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
				req.SetRequestURI("http://" + addr + "/")
				if err := c.Do(req, resp); err != nil {
					return err
				}
				return same(string(resp.Body()), "hello")
			}
		}},
	{"`net/http` client", "", false, "`Transport.DialContext` may be that of an `asyncio.Dialer`", func(t *testing.T) call {
		addr := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			transport := &http.Transport{DialContext: dial}
			defer transport.CloseIdleConnections()
			req, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+"/", nil)
			if err != nil {
				return err
			}
			resp, err := (&http.Client{Transport: transport}).Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			return errors.Join(err, same(string(b), "hello"))
		}
	}},
	{"`database/sql` with `go-sql-driver/mysql`", "github.com/go-sql-driver/mysql", true,
		"`mysql.RegisterDialContext`; `SetMaxOpenConns(0)`, and an `asyncio.Pool` in front", func(t *testing.T) call {
			dsn := servers.Address(t, servers.MariaDB)
			return func(ctx context.Context, dial asynciotest.DialFunc) error {
				cfg, err := mysql.ParseDSN(dsn)
				if err != nil {
					return err
				}
				cfg.Net, cfg.Logger = fmt.Sprint("loop", mysqlDialers.Add(1)), &mysql.NopLogger{}
				mysql.RegisterDialContext(cfg.Net, func(ctx context.Context, addr string) (net.Conn, error) { return dial(ctx, "tcp", addr) })
				c, err := mysql.NewConnector(cfg)
				if err != nil {
					return err
				}
				return one(ctx, sql.OpenDB(c))
			}
		}},
	{"`database/sql` with `lib/pq`", "github.com/lib/pq", true,
		"`Connector.Dialer(&asyncio.Dialer{Loop: loop})`, as a cancel request dials on a goroutine; a limit as above", func(t *testing.T) call {
			dsn := servers.Address(t, servers.Postgres)
			return func(ctx context.Context, dial asynciotest.DialFunc) error {
				c, err := pq.NewConnector(dsn)
				if err != nil {
					return err
				}
				c.Dialer(hook{ctx, dial})
				return one(ctx, sql.OpenDB(c))
			}
		}},
	{"`jackc/pgx`", "github.com/jackc/pgx/v5", true, "`pgx.Conn` with `DialFunc` and `LookupFunc`, in an `asyncio.Pool`; not its own pool", func(t *testing.T) call {
		dsn := servers.Address(t, servers.Postgres)
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			cfg, err := pgx.ParseConfig(dsn)
			if err != nil {
				return err
			}
			cfg.DialFunc = pgDial(dial)
			cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
			c, err := pgx.ConnectConfig(ctx, cfg)
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			var n int
			return errors.Join(c.QueryRow(ctx, "select 1").Scan(&n), same(fmt.Sprint(n), "1"))
		}
	}},
	{"`gomodule/redigo`", "github.com/gomodule/redigo", true, "`redis.DialContextFunc`; `Do`, not `DoContext`; no `MaxActive` with `Wait`", func(t *testing.T) call {
		addr := strings.TrimPrefix(servers.Address(t, servers.Redis), "redis://")
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			c, err := redis.DialContext(ctx, "tcp", addr, redis.DialContextFunc(dial))
			if err != nil {
				return err
			}
			defer c.Close()
			s, err := redis.String(c.Do("PING"))
			return errors.Join(err, same(s, "PONG"))
		}
	}},
	{"`redis/go-redis`", "github.com/redis/go-redis/v9", true, "`Options.Dialer`; `MaintNotificationsConfig` with `ModeDisabled`, as it waits for the server with a lock held; `PoolSize` above the number of tasks that use it, as who waits for a connection stops the loop", func(t *testing.T) call {
		addr := strings.TrimPrefix(servers.Address(t, servers.Redis), "redis://")
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			c := goredis.NewClient(&goredis.Options{Addr: addr, Dialer: dial, MaxRetries: -1, MaintNotificationsConfig: noMaintenance})
			defer c.Close()
			s, err := c.Ping(ctx).Result()
			return errors.Join(err, same(s, "PONG"))
		}
	}},
	{"`gobwas/ws` client", "github.com/gobwas/ws", true, "`ws.Dialer.NetDial`; a server by `ws.Upgrade(conn)`", func(t *testing.T) call {
		addr := serveWebSocket(t)
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			c, _, _, err := ws.Dialer{NetDial: dial}.Dial(ctx, "ws://"+addr)
			if err != nil {
				return err
			}
			defer c.Close()
			if err := wsutil.WriteClientText(c, []byte("hello")); err != nil {
				return err
			}
			b, err := wsutil.ReadServerText(c)
			return errors.Join(err, same(string(b), "hello"))
		}
	}},
	{"`gorilla/websocket` client", "github.com/gorilla/websocket", true, "`Dialer.NetDialContext`; one writer", func(t *testing.T) call {
		addr := serveWebSocket(t)
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			c, _, err := (&websocket.Dialer{NetDialContext: dial}).DialContext(ctx, "ws://"+addr, nil)
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
				return err
			}
			_, b, err := c.ReadMessage()
			return errors.Join(err, same(string(b), "hello"))
		}
	}},
	{"`miekg/dns` client", "github.com/miekg/dns", true, "`ExchangeWithConn`, on a connection of `Dial`", func(t *testing.T) call {
		return exchange("tcp", serveDNS(t, "tcp"))
	}},
	{"`miekg/dns` client, by UDP,", "github.com/miekg/dns", true, "as by TCP; `Timeout` is for an answer that is lost", func(t *testing.T) call {
		return exchange("udp", serveDNS(t, "udp"))
	}},
	{"`net/smtp`", "", true, "`smtp.NewClient(conn, host)`", func(t *testing.T) call {
		addr := serveMail(t, mailbox{})
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			conn, err := dial(ctx, "tcp", addr)
			if err != nil {
				return err
			}
			defer conn.Close()
			c, err := smtp.NewClient(conn, "localhost")
			if err != nil {
				return err
			}
			if err := c.Mail("a@example.test"); err != nil {
				return err
			}
			if err := c.Rcpt("b@example.test"); err != nil {
				return err
			}
			w, err := c.Data()
			if err != nil {
				return err
			}
			io.WriteString(w, "hello\r\n")
			if err := w.Close(); err != nil {
				return err
			}
			return c.Quit()
		}
	}},
	{"`nats-io/nats.go`", "github.com/nats-io/nats.go", false, "its connection has goroutines of its own", func(t *testing.T) call {
		srv, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true})
		require.NoError(t, err)
		srv.Start()
		require.True(t, srv.ReadyForConnections(20*time.Second))
		t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			c, err := nats.Connect(srv.ClientURL(), nats.SetCustomDialer(hook{ctx, dial}), nats.Timeout(20*time.Second))
			if err != nil {
				return err
			}
			defer c.Close()
			return c.FlushTimeout(20 * time.Second)
		}
	}},
	{"`grpc-go` client", "google.golang.org/grpc", false, "as HTTP/2: a goroutine reads, the caller waits for it", func(t *testing.T) call {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		srv := grpc.NewServer()
		healthpb.RegisterHealthServer(srv, health.NewServer())
		go srv.Serve(ln)
		t.Cleanup(srv.Stop)
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			c, err := grpc.NewClient("passthrough:"+ln.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return dial(ctx, "tcp", addr) }))
			if err != nil {
				return err
			}
			defer c.Close()
			resp, err := healthpb.NewHealthClient(c).Check(ctx, &healthpb.HealthCheckRequest{})
			if err != nil {
				return err
			}
			return same(resp.Status.String(), "SERVING")
		}
	}},
	{"`x/crypto/ssh` client", "golang.org/x/crypto", false, "`ssh.NewClientConn(conn, addr, config)`; a goroutine reads, the caller waits for it", func(t *testing.T) call {
		addr := serveSSH(t)
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			conn, err := dial(ctx, "tcp", addr)
			if err != nil {
				return err
			}
			defer conn.Close()
			c, channels, requests, err := ssh.NewClientConn(conn, addr, &ssh.ClientConfig{HostKeyCallback: ssh.InsecureIgnoreHostKey()})
			if err != nil {
				return err
			}
			client := ssh.NewClient(c, channels, requests)
			defer client.Close()
			ok, answer, err := client.SendRequest("hello", true, nil)
			if err != nil {
				return err
			}
			return same(fmt.Sprint(ok, string(answer)), "truehello")
		}
	}},
	{"`twmb/franz-go`", "github.com/twmb/franz-go", false, "its client has goroutines of its own", func(t *testing.T) call {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
		require.NoError(t, err)
		t.Cleanup(cluster.Close)
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			c, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(dial))
			if err != nil {
				return err
			}
			defer c.Close()
			return c.Ping(ctx)
		}
	}},
	{"`crypto/tls`", "", true, "`tls.Client(conn, config)`, `tls.Server(conn, config)`; two tasks that write need an `asyncio.Lock`", func(t *testing.T) call {
		srv := newTLSServer(t)
		return func(ctx context.Context, dial asynciotest.DialFunc) error {
			raw, err := dial(ctx, "tcp", srv)
			if err != nil {
				return err
			}
			c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
			defer c.Close()
			if err := c.HandshakeContext(context.WithoutCancel(ctx)); err != nil {
				return err
			}
			io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
			b, err := io.ReadAll(c)
			if err != nil {
				return err
			}
			if !strings.HasSuffix(string(b), "hello") {
				return fmt.Errorf("the answer is %q", b)
			}
			return nil
		}
	}},
}

// exchange asks a name server.
func exchange(network, addr string) call {
	return func(ctx context.Context, dial asynciotest.DialFunc) error {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return err
		}
		defer c.Close()
		m := new(dns.Msg).SetQuestion("example.test.", dns.TypeA)
		answer, _, err := (&dns.Client{Net: network, Timeout: time.Hour}).ExchangeWithConn(m, &dns.Conn{Conn: c})
		if err != nil {
			return err
		}
		return same(fmt.Sprint(answer.Id), fmt.Sprint(m.Id))
	}
}

type call = func(ctx context.Context, dial asynciotest.DialFunc) error

// hook is a DialFunc as some libraries want it.
type hook struct {
	ctx  context.Context
	dial asynciotest.DialFunc
}

func (h hook) Dial(network, addr string) (net.Conn, error) { return h.dial(h.ctx, network, addr) }
func (h hook) DialTimeout(network, addr string, _ time.Duration) (net.Conn, error) {
	return h.dial(h.ctx, network, addr)
}
func (h hook) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return h.dial(ctx, network, addr)
}

func pgDial(dial asynciotest.DialFunc) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return dial
}

func same(got, want string) error {
	if got != want {
		return fmt.Errorf("the answer is %q, not %q", got, want)
	}
	return nil
}

// one asks a database for 1.
func one(ctx context.Context, db *sql.DB) error {
	defer db.Close()
	var n int
	if err := db.QueryRowContext(ctx, "select 1").Scan(&n); err != nil {
		return err
	}
	return same(fmt.Sprint(n), "1")
}

func serveHTTP(t *testing.T, h http.HandlerFunc) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &http.Server{Handler: h}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	return ln.Addr().String()
}

func serveWebSocket(t *testing.T) (addr string) {
	return serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, b, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, b) != nil {
				return
			}
		}
	})
}

func newTLSServer(t *testing.T) (addr string) {
	srv := httptestTLS(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

// serveSSH answers each request of a connection by hello.
func serveSSH(t *testing.T) (addr string) {
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(signer)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _, requests, err := ssh.NewServerConn(c, config)
				if err != nil {
					return
				}
				for r := range requests {
					r.Reply(true, []byte("hello"))
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// A mailbox takes all mail.
type mailbox struct{}

func (mailbox) Mail(string, *gosmtp.MailOptions) error { return nil }
func (mailbox) Rcpt(string, *gosmtp.RcptOptions) error { return nil }
func (mailbox) Data(r io.Reader) error                 { _, err := io.Copy(io.Discard, r); return err }
func (mailbox) Reset()                                 {}
func (mailbox) Logout() error                          { return nil }

type silentLog struct{}

func (silentLog) Printf(string, ...any) {}
func (silentLog) Println(...any)        {}

// Each library does what the page says.
func TestTable(t *testing.T) {
	var lines []string
	for _, r := range rows {
		t.Run(strings.ReplaceAll(r.library, "`", ""), func(t *testing.T) {
			found := asynciotest.CheckLibrary(t, r.call(t))
			if found.Runs() != r.runs || found.OnGoroutines != nil {
				t.Errorf("%v (%+v)", found, found)
			}
			inTasks, cancelled, timedOut := "yes", "cancelled", "`ErrTimeout`"
			if !found.Runs() {
				inTasks, cancelled, timedOut = "stalls at `"+short(found.StallsAt)+"`", "by the ctx", "by the ctx"
			}
			library := r.library
			if r.module != "" {
				library += " " + version(t, r.module)
			}
			lines = append(lines, fmt.Sprintf("| %s | %s | yes | %s | %s | %s |", library, inTasks, cancelled, timedOut, r.how))
		})
	}
	if t.Failed() || len(lines) != len(rows) {
		return // one is skipped, or wrong
	}
	const head = "| library | in tasks | on goroutines, `ToThread` | a cancel comes out as | a timeout comes out as | how |\n| --- | --- | --- | --- | --- | --- |\n"
	table := head + strings.Join(lines, "\n") + "\n"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	between := regexp.MustCompile(`(?s)(<!-- made by tools/libraries -->\n).*(<!-- end -->)`)
	parts := between.FindSubmatchIndex(text)
	require.NotNil(t, parts, "the page has no place for the table")
	now := string(text[parts[3]:parts[4]])
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(string(text[:parts[3]])+"\n"+table+"\n"+string(text[parts[4]:])), 0o666))
	} else if plain(now) != plain(table) {
		t.Errorf("%s has another table; run with -update\n%s", page, table)
	}
}

// plain is a table without the calls in which libraries stall: a library that has
// several is seen in any of them.
func plain(table string) string {
	return regexp.MustCompile("stalls at `[^`]*`").ReplaceAllString(strings.TrimSpace(table), "stalls")
}

// short is a place without the path of its module, and without the line, which
// another patch may change.
func short(place string) string {
	place, _, _ = strings.Cut(place, " ")
	return strings.ReplaceAll(place[strings.LastIndexByte(place, '/')+1:], "%2e", ".")
}

// version is the version of a module that is required here.
func version(t *testing.T, module string) string {
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	found := regexp.MustCompile(`\t` + regexp.QuoteMeta(module) + ` (v\S+)`).FindSubmatch(mod)
	require.NotNil(t, found, "%s is not in go.mod", module)
	return string(found[1])
}
