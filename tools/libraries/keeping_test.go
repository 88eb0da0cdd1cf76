package libraries

import (
	"bufio"
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"strings"
	"sync/atomic"
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
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/internal/servers"
)

// A library runs in tasks, and has connections that are kept.
type library struct {
	name    string
	server  string // of package servers; "": serve has one
	serve   func(t *testing.T) (addr string)
	goodbye string // what it may say on a connection that it gives up
	forgets bool   // its server, when killed
	probes  bool   // after many refusals it looks once a second whether the server is there, and refuses by itself
	lingers bool   // it asks the server to give up, and waits a while for that to close
	open    func(t *testing.T, addr string, dial asynciotest.DialFunc) use
}

// A use is a library in use, with a pool of at most four connections. Its methods
// are for tasks.
type use struct {
	query func(ctx context.Context) error
	slow  func(ctx context.Context) error // a query that takes an hour
	// create makes a counter. add adds one to it in a transaction, which inside is
	// called in the middle of. They are nil where there are no transactions.
	create func(ctx context.Context) error
	add    func(ctx context.Context, inside func(ctx context.Context) error) error
	count  func(ctx context.Context) (int, error)
	close  func(ctx context.Context) error
	inUse  func() string // "" if no connection is
}

const most = 4

// pooled is a use with an asyncio.Pool.
func pooled[C any](cfg asyncio.PoolConfig[C], query func(ctx context.Context, c C) error) (use, *asyncio.Pool[C]) {
	cfg.Limit = most
	p := asyncio.NewPool(cfg)
	return use{
		query: func(ctx context.Context) error { return p.With(ctx, func(c C) error { return query(ctx, c) }) },
		close: p.Close,
		inUse: func() string {
			if s := p.Stats(); s.Members != s.Idle || s.Waiting != 0 {
				return fmt.Sprintf("%+v", s)
			}
			return ""
		},
	}, p
}

var keeping = []library{
	{name: "go-sql-driver/mysql", server: servers.MariaDB, goodbye: "\x01\x00\x00\x00\x01", open: func(t *testing.T, dsn string, dial asynciotest.DialFunc) use {
		cfg, err := mysql.ParseDSN(dsn)
		require.NoError(t, err)
		cfg.Net, cfg.Logger = fmt.Sprint("loop", mysqlDialers.Add(1)), &mysql.NopLogger{}
		mysql.RegisterDialContext(cfg.Net, func(ctx context.Context, addr string) (net.Conn, error) { return dial(ctx, "tcp", addr) })
		c, err := mysql.NewConnector(cfg)
		require.NoError(t, err)
		return ofSQL(sql.OpenDB(c), "do sleep(3600)", "engine=InnoDB")
	}},
	{name: "lib/pq", server: servers.Postgres, goodbye: "X\x00\x00\x00\x04", open: func(t *testing.T, dsn string, dial asynciotest.DialFunc) use {
		c, err := pq.NewConnector(dsn)
		require.NoError(t, err)
		c.Dialer(hook{context.Background(), dial})
		return ofSQL(sql.OpenDB(c), "select pg_sleep(3600)", "")
	}},
	{name: "pgx", server: servers.Postgres, lingers: true, goodbye: "X\x00\x00\x00\x04", open: ofPgx},
	{name: "redigo", server: servers.Redis, forgets: true, open: ofRedigo},
	{name: "go-redis", server: servers.Redis, forgets: true, probes: true, open: ofGoRedis},
	{name: "fasthttp", serve: func(t *testing.T) string {
		return serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	}, open: func(t *testing.T, addr string, dial asynciotest.DialFunc) use {
		c := &fasthttp.HostClient{Addr: addr, Dial: func(addr string) (net.Conn, error) { return dial(context.Background(), "tcp", addr) }}
		return use{
			query: func(ctx context.Context) error {
				req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
				req.SetRequestURI("http://" + addr + "/")
				err := c.Do(req, resp)
				return errors.Join(err, same(string(resp.Body()), "hello"))
			},
			close: func(context.Context) error { c.CloseIdleConnections(); return nil },
			inUse: func() string {
				if n := c.PendingRequests(); n > 0 {
					return fmt.Sprint(n, " requests")
				}
				return ""
			},
		}
	}},
	{name: "gobwas/ws", serve: serveWebSocket, open: func(t *testing.T, addr string, dial asynciotest.DialFunc) use {
		u, _ := pooled(asyncio.PoolConfig[net.Conn]{
			New: func(ctx context.Context) (net.Conn, error) {
				c, _, _, err := ws.Dialer{NetDial: dial}.Dial(ctx, "ws://"+addr)
				return c, err
			},
			Close: func(_ context.Context, c net.Conn) error { return c.Close() },
		}, func(ctx context.Context, c net.Conn) error {
			if err := wsutil.WriteClientText(c, []byte("hello")); err != nil {
				return err
			}
			b, err := wsutil.ReadServerText(c)
			return errors.Join(err, same(string(b), "hello"))
		})
		return u
	}},
	{name: "gorilla/websocket", serve: serveWebSocket, open: func(t *testing.T, addr string, dial asynciotest.DialFunc) use {
		u, _ := pooled(asyncio.PoolConfig[*websocket.Conn]{
			New: func(ctx context.Context) (*websocket.Conn, error) {
				c, _, err := (&websocket.Dialer{NetDialContext: dial}).DialContext(ctx, "ws://"+addr, nil)
				return c, err
			},
			Close: func(_ context.Context, c *websocket.Conn) error { return c.Close() },
		}, func(ctx context.Context, c *websocket.Conn) error {
			if err := c.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
				return err
			}
			_, b, err := c.ReadMessage()
			return errors.Join(err, same(string(b), "hello"))
		})
		return u
	}},
	{name: "miekg/dns", serve: func(t *testing.T) string { return serveDNS(t, "tcp") }, open: func(t *testing.T, addr string, dial asynciotest.DialFunc) use {
		u, _ := pooled(asyncio.PoolConfig[*dns.Conn]{
			New: func(ctx context.Context) (*dns.Conn, error) {
				c, err := dial(ctx, "tcp", addr)
				return &dns.Conn{Conn: c}, err
			},
			Close: func(_ context.Context, c *dns.Conn) error { return c.Close() },
		}, func(ctx context.Context, c *dns.Conn) error {
			m := new(dns.Msg).SetQuestion("example.test.", dns.TypeA)
			_, _, err := (&dns.Client{Net: "tcp", Timeout: time.Hour}).ExchangeWithConn(m, c)
			return err
		})
		return u
	}},
	{name: "net/smtp", serve: func(t *testing.T) string { return serveMail(t, mailbox{}) }, goodbye: "QUIT\r\n", open: ofSMTP},
	{name: "crypto/tls", serve: newTLSServer, open: func(t *testing.T, addr string, dial asynciotest.DialFunc) use {
		type client struct {
			*tls.Conn
			in *bufio.Reader
		}
		u, _ := pooled(asyncio.PoolConfig[client]{
			New: func(ctx context.Context) (client, error) {
				raw, err := dial(ctx, "tcp", addr)
				if err != nil {
					return client{}, err
				}
				c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
				if err := c.Handshake(); err != nil {
					raw.Close()
					return client{}, err
				}
				return client{c, bufio.NewReader(c)}, nil
			},
			Close: func(_ context.Context, c client) error { return c.NetConn().Close() },
		}, func(ctx context.Context, c client) error {
			if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				return err
			}
			resp, err := http.ReadResponse(c.in, nil)
			if err != nil {
				return err
			}
			b, err := io.ReadAll(resp.Body)
			return errors.Join(err, same(string(b), "hello"))
		})
		return u
	}},
}

var tables atomic.Int32

// ofSQL is a database by database/sql: a sql.Conn is one connection, so the pool
// has the limit.
func ofSQL(db *sql.DB, slow, engine string) use {
	exec := func(ctx context.Context, c *sql.Conn, query string) error {
		_, err := c.ExecContext(ctx, query)
		return err
	}
	u, p := pooled(asyncio.PoolConfig[*sql.Conn]{
		New:   db.Conn,
		Check: func(ctx context.Context, c *sql.Conn) error { return c.PingContext(ctx) },
		Close: func(_ context.Context, c *sql.Conn) error { return c.Close() },
	}, func(ctx context.Context, c *sql.Conn) error {
		var n int
		err := c.QueryRowContext(ctx, "select 1").Scan(&n)
		return errors.Join(err, same(fmt.Sprint(n), "1"))
	})
	db.SetMaxIdleConns(0) // what the pool gives up is closed
	table := fmt.Sprint("greenlet_counts", tables.Add(1))
	u.slow = func(ctx context.Context) error {
		return p.With(ctx, func(c *sql.Conn) error { return exec(ctx, c, slow) })
	}
	u.create = func(ctx context.Context) error {
		return p.With(ctx, func(c *sql.Conn) error {
			return errors.Join(exec(ctx, c, "drop table if exists "+table),
				exec(ctx, c, "create table "+table+" (n int) "+engine), exec(ctx, c, "insert into "+table+" values (0)"))
		})
	}
	u.add = func(ctx context.Context, inside func(ctx context.Context) error) error {
		return p.With(ctx, func(c *sql.Conn) error {
			tx, err := c.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if _, err := tx.ExecContext(ctx, "update "+table+" set n = n + 2"); err != nil {
				return err
			}
			if err := inside(ctx); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "update "+table+" set n = n - 1"); err != nil {
				return err
			}
			return tx.Commit()
		})
	}
	u.count = func(ctx context.Context) (n int, err error) {
		err = p.With(ctx, func(c *sql.Conn) error {
			return c.QueryRowContext(ctx, "select n from "+table).Scan(&n)
		})
		return n, err
	}
	closePool := u.close
	u.close = func(ctx context.Context) error { return errors.Join(closePool(ctx), db.Close()) }
	return u
}

func ofPgx(t *testing.T, dsn string, dial asynciotest.DialFunc) use {
	cfg, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	cfg.DialFunc = pgDial(dial)
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	exec := func(ctx context.Context, c *pgx.Conn, query string) error { _, err := c.Exec(ctx, query); return err }
	u, p := pooled(asyncio.PoolConfig[*pgx.Conn]{
		New:   func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, cfg) },
		Check: func(ctx context.Context, c *pgx.Conn) error { return c.Ping(ctx) },
		Close: func(ctx context.Context, c *pgx.Conn) error { return c.Close(ctx) },
		Keep:  func(c *pgx.Conn, _ error) bool { return !c.IsClosed() },
	}, func(ctx context.Context, c *pgx.Conn) error { return exec(ctx, c, "select 1") })
	table := fmt.Sprint("greenlet_counts", tables.Add(1))
	u.slow = func(ctx context.Context) error {
		return p.With(ctx, func(c *pgx.Conn) error { return exec(ctx, c, "select pg_sleep(3600)") })
	}
	u.create = func(ctx context.Context) error {
		return p.With(ctx, func(c *pgx.Conn) error {
			return exec(ctx, c, "drop table if exists "+table+"; create table "+table+" (n int); insert into "+table+" values (0)")
		})
	}
	u.add = func(ctx context.Context, inside func(ctx context.Context) error) error {
		return p.With(ctx, func(c *pgx.Conn) error {
			return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
				if err := exec(ctx, c, "update "+table+" set n = n + 2"); err != nil {
					return err
				}
				if err := inside(ctx); err != nil {
					return err
				}
				return exec(ctx, c, "update "+table+" set n = n - 1")
			})
		})
	}
	u.count = func(ctx context.Context) (n int, err error) {
		err = p.With(ctx, func(c *pgx.Conn) error { return c.QueryRow(ctx, "select n from "+table).Scan(&n) })
		return n, err
	}
	return u
}

func ofRedigo(t *testing.T, url string, dial asynciotest.DialFunc) use {
	addr := strings.TrimPrefix(url, "redis://")
	u, p := pooled(asyncio.PoolConfig[redis.Conn]{
		New: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "tcp", addr, redis.DialContextFunc(dial))
		},
		Check: func(_ context.Context, c redis.Conn) error { _, err := c.Do("PING"); return err },
		Close: func(_ context.Context, c redis.Conn) error { return c.Close() },
		Keep:  func(c redis.Conn, _ error) bool { return c.Err() == nil },
	}, func(ctx context.Context, c redis.Conn) error {
		s, err := redis.String(c.Do("PING"))
		return errors.Join(err, same(s, "PONG"))
	})
	key := fmt.Sprint("greenlet:", tables.Add(1))
	do := func(ctx context.Context, commands ...[]any) error {
		return p.With(ctx, func(c redis.Conn) error {
			for _, command := range commands {
				if _, err := c.Do(command[0].(string), command[1:]...); err != nil {
					return err
				}
			}
			return nil
		})
	}
	u.slow = func(ctx context.Context) error { return do(ctx, []any{"BLPOP", key + ":nothing", 0}) }
	u.create = func(ctx context.Context) error { return do(ctx, []any{"SET", key, 0}) }
	u.add = func(ctx context.Context, inside func(ctx context.Context) error) error {
		return p.With(ctx, func(c redis.Conn) error {
			for _, command := range [][]any{{"MULTI"}, {"INCRBY", key, 2}, nil, {"DECR", key}, {"EXEC"}} {
				if command == nil {
					if err := inside(ctx); err != nil {
						return err
					}
				} else if _, err := c.Do(command[0].(string), command[1:]...); err != nil {
					return err
				}
			}
			return nil
		})
	}
	u.count = func(ctx context.Context) (n int, err error) {
		err = p.With(ctx, func(c redis.Conn) error {
			n, err = redis.Int(c.Do("GET", key))
			if errors.Is(err, redis.ErrNil) {
				err = nil
			}
			return err
		})
		return n, err
	}
	return u
}

// noMaintenance has go-redis not ask for notifications of maintenance when it
// connects: it holds a lock for reading while it waits for the answer, and if that
// is no, as Redis itself says, wants it for writing. When two tasks connect at once
// that stops the loop for ever: findings/go-redis-lock.sh.
var noMaintenance = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}

// ofGoRedis has the pool of the library, which is not asked for more than it has.
func ofGoRedis(t *testing.T, url string, dial asynciotest.DialFunc) use {
	c := goredis.NewClient(&goredis.Options{Addr: strings.TrimPrefix(url, "redis://"), Dialer: dial, MaxRetries: -1,
		PoolSize: most, DialerRetries: 1, MaintNotificationsConfig: noMaintenance})
	key := fmt.Sprint("greenlet:", tables.Add(1))
	return use{
		query:  func(ctx context.Context) error { return c.Ping(ctx).Err() },
		slow:   func(ctx context.Context) error { return c.BLPop(ctx, 0, key+":nothing").Err() },
		create: func(ctx context.Context) error { return c.Set(ctx, key, 0, 0).Err() },
		add: func(ctx context.Context, inside func(ctx context.Context) error) error {
			c := c.Conn()
			defer c.Close()
			for _, command := range [][]any{{"MULTI"}, {"INCRBY", key, 2}, nil, {"DECR", key}, {"EXEC"}} {
				if command == nil {
					if err := inside(ctx); err != nil {
						return err
					}
				} else if err := c.Do(ctx, command...).Err(); err != nil {
					return err
				}
			}
			return nil
		},
		count: func(ctx context.Context) (int, error) {
			n, err := c.Get(ctx, key).Int()
			if errors.Is(err, goredis.Nil) {
				err = nil
			}
			return n, err
		},
		close: func(context.Context) error { return c.Close() },
		inUse: func() string {
			if s := c.PoolStats(); s.TotalConns != s.IdleConns {
				return fmt.Sprintf("%+v", s)
			}
			return ""
		},
	}
}

// ofSMTP sends mail: its transaction is a mail.
func ofSMTP(t *testing.T, addr string, dial asynciotest.DialFunc) use {
	u, p := pooled(asyncio.PoolConfig[*smtp.Client]{
		New: func(ctx context.Context) (*smtp.Client, error) {
			conn, err := dial(ctx, "tcp", addr)
			if err != nil {
				return nil, err
			}
			return smtp.NewClient(conn, "localhost") // which closes it if there is an error
		},
		Close: func(_ context.Context, c *smtp.Client) error { return c.Close() },
	}, func(ctx context.Context, c *smtp.Client) error { return c.Noop() })
	sent := 0
	u.create = func(context.Context) error { return nil }
	u.add = func(ctx context.Context, inside func(ctx context.Context) error) error {
		return p.With(ctx, func(c *smtp.Client) error {
			if err := c.Mail("a@example.test"); err != nil {
				return err
			}
			if err := inside(ctx); err != nil {
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
			sent++
			return nil
		})
	}
	u.count = func(context.Context) (int, error) { return sent, nil }
	return u
}

func serveMail(t *testing.T, s gosmtp.Session) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return s, nil }))
	srv.ErrorLog = silentLog{}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	return ln.Addr().String()
}

func serveDNS(t *testing.T, network string) (addr string) {
	srv := &dns.Server{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) { w.WriteMsg(new(dns.Msg).SetReply(m)) })}
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		srv.PacketConn, addr = c, c.LocalAddr().String()
	} else {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		srv.Listener, addr = ln, ln.Addr().String()
	}
	started := make(chan struct{})
	srv.NotifyStartedFunc = func() { close(started) }
	go srv.ActivateAndServe()
	<-started
	t.Cleanup(func() { srv.Shutdown() })
	return addr
}
