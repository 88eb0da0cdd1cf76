// Package libraries runs libraries as they are in tasks of asyncio, against real
// servers: what docs/net-conn.md says of them is tested here. The servers are
// started by tools/servers.sh; without them their tests are skipped.
package libraries

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/servers"
)

// A client is a library in use: a call that a server takes long to answer, and one
// that it answers at once.
type client struct {
	slow, quick func(ctx context.Context) error
}

// A maker makes a client in a task.
type maker struct {
	library string
	make    func(t *testing.T, ctx context.Context) client
}

const forever = "3600" // seconds

func makers() []maker {
	return []maker{
		{"fasthttp, GET", fastHTTP((*fasthttp.RequestHeader).SetMethod, fasthttp.MethodGet)},
		{"fasthttp, POST", fastHTTP((*fasthttp.RequestHeader).SetMethod, fasthttp.MethodPost)},
		{"go-sql-driver/mysql", func(t *testing.T, ctx context.Context) client {
			db := mysqlDB(t, ctx, "")
			return ofDB(db, "do sleep("+forever+")", "do 1")
		}},
		{"go-sql-driver/mysql, in its handshake", func(t *testing.T, ctx context.Context) client {
			return ofHandshake(mysqlDB(t, ctx, silent(t)), mysqlDB(t, ctx, ""))
		}},
		{"go-sql-driver/mysql, in a transaction", func(t *testing.T, ctx context.Context) client {
			return ofTransaction(mysqlDB(t, ctx, ""), "do sleep("+forever+")", "do 1")
		}},
		{"lib/pq", func(t *testing.T, ctx context.Context) client {
			return ofDB(pqDB(t, ctx, ""), "select pg_sleep("+forever+")", "select 1")
		}},
		{"lib/pq, in its handshake", func(t *testing.T, ctx context.Context) client {
			return ofHandshake(pqDB(t, ctx, silent(t)), pqDB(t, ctx, ""))
		}},
		{"lib/pq, in a transaction", func(t *testing.T, ctx context.Context) client {
			return ofTransaction(pqDB(t, ctx, ""), "select pg_sleep("+forever+")", "select 1")
		}},
		{"pgx", func(t *testing.T, ctx context.Context) client {
			// A connection serves one task, and a cancel closes it.
			exec := func(query string) func(ctx context.Context) error {
				return func(ctx context.Context) error {
					conn, err := pgxConn(t, ctx, "")
					if err != nil {
						return err
					}
					defer conn.Close(ctx)
					_, err = conn.Exec(ctx, query)
					return err
				}
			}
			return client{exec("select pg_sleep(" + forever + ")"), exec("select 1")}
		}},
		{"pgx, in its handshake", func(t *testing.T, ctx context.Context) client {
			connect := func(to string) func(ctx context.Context) error {
				return func(ctx context.Context) error {
					conn, err := pgxConn(t, ctx, to)
					if err == nil {
						err = conn.Close(ctx)
					}
					return err
				}
			}
			return client{connect(silent(t)), connect("")}
		}},
	}
}

// silent is the address of a server that accepts and says nothing.
func silent(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String()
}

// dialer dials for the loop of ctx, on whatever goroutine; to another address than
// it is asked for if there is one.
func dialer(t *testing.T, ctx context.Context) *asyncio.Dialer {
	l, err := asyncio.RunningLoop(ctx)
	require.NoError(t, err)
	return &asyncio.Dialer{Loop: l}
}

// fastHTTP is a client with an idle connection, by which a request could be sent
// again. The server counts: a request that was cancelled must not be.
func fastHTTP(set func(*fasthttp.RequestHeader, string), method string) func(t *testing.T, ctx context.Context) client {
	return func(t *testing.T, ctx context.Context) client {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		var calls, slow atomic.Int32
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/slow":
				slow.Add(1)
				<-r.Context().Done()
			case "/both": // answers when there are two, so that the client has two connections
				w.Write([]byte("x"))
			}
		})}
		go srv.Serve(ln)
		t.Cleanup(func() { srv.Close() })
		c := &fasthttp.Client{Dial: func(addr string) (net.Conn, error) { return dialer(t, ctx).DialContext(ctx, "tcp", addr) }}
		do := func(path string) error {
			req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(req)
			defer fasthttp.ReleaseResponse(resp)
			req.SetRequestURI("http://" + ln.Addr().String() + path)
			set(&req.Header, method)
			return c.Do(req, resp)
		}
		_, err = asyncio.Gather(ctx, asyncio.Func(func(context.Context) error { return do("/both") }),
			asyncio.Func(func(context.Context) error { return do("/both") })).Await(ctx)
		require.NoError(t, err)
		return client{
			func(context.Context) error {
				calls.Add(1)
				err := do("/slow")
				require.LessOrEqual(t, slow.Load(), calls.Load(), "a request was sent again")
				return err
			},
			func(context.Context) error { return do("/") },
		}
	}
}

func ofDB(db *sql.DB, slow, quick string) client {
	exec := func(query string) func(ctx context.Context) error {
		return func(ctx context.Context) error { _, err := db.ExecContext(ctx, query); return err }
	}
	return client{exec(slow), exec(quick)}
}

func ofHandshake(silent, db *sql.DB) client {
	return client{silent.PingContext, db.PingContext}
}

// ofTransaction is a client that is cancelled in a transaction, and rolls back.
func ofTransaction(db *sql.DB, slow, quick string) client {
	exec := func(query string) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if _, err := tx.ExecContext(ctx, query); err != nil {
				return err
			}
			return tx.Commit()
		}
	}
	return client{exec(slow), exec(quick)}
}

var mysqlDialers atomic.Int32

// mysqlDB is the server, or what listens at to.
func mysqlDB(t *testing.T, ctx context.Context, to string) *sql.DB {
	cfg, err := mysql.ParseDSN(servers.Address(t, servers.MariaDB))
	require.NoError(t, err)
	cfg.Net = fmt.Sprint("loop", mysqlDialers.Add(1))
	cfg.Logger = &mysql.NopLogger{}
	d := dialer(t, ctx)
	mysql.RegisterDialContext(cfg.Net, func(ctx context.Context, addr string) (net.Conn, error) {
		if to != "" {
			addr = to
		}
		return d.DialContext(ctx, "tcp", addr)
	})
	c, err := mysql.NewConnector(cfg)
	require.NoError(t, err)
	return opened(t, c)
}

func pqDB(t *testing.T, ctx context.Context, to string) *sql.DB {
	c, err := pq.NewConnector(servers.Address(t, servers.Postgres))
	require.NoError(t, err)
	c.Dialer(pqDialer{dialer(t, ctx), to})
	return opened(t, c)
}

func opened(t *testing.T, c driver.Connector) *sql.DB {
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	return db
}

// A pqDialer dials another address than it is asked for, if there is one.
type pqDialer struct {
	*asyncio.Dialer
	to string
}

func (d pqDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.to != "" {
		addr = d.to
	}
	return d.Dialer.DialContext(ctx, network, addr)
}

func pgxConn(t *testing.T, ctx context.Context, to string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(servers.Address(t, servers.Postgres))
	require.NoError(t, err)
	d := pqDialer{dialer(t, ctx), to}
	cfg.DialFunc = d.DialContext
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	return pgx.ConnectConfig(ctx, cfg)
}

// A scope runs a call that never ends, and asks for its end.
type scope struct {
	what string
	run  func(ctx context.Context, f func(ctx context.Context) error) error
	is   error
}

var errReal = errors.New("the real error")

const soon = 50 * time.Millisecond // so that most calls wait for their answer by then

func scopes() []scope {
	return []scope{
		{"WithTimeout", func(ctx context.Context, f func(ctx context.Context) error) error {
			return asyncio.WithTimeout(ctx, soon, func(ctx context.Context, _ *asyncio.Timeout) error { return f(ctx) })
		}, asyncio.ErrTimeout},
		{"WaitFor", func(ctx context.Context, f func(ctx context.Context) error) error {
			_, err := asyncio.WaitFor(ctx, soon, asyncio.Func(f))
			return err
		}, asyncio.ErrTimeout},
		{"Cancel", func(ctx context.Context, f func(ctx context.Context) error) error {
			task := asyncio.Go(ctx, f)
			asyncio.Sleep(ctx, soon)
			task.Cancel()
			_, err := task.Await(ctx)
			if !task.Cancelled() {
				return fmt.Errorf("the task was not cancelled: %v", err)
			}
			return err
		}, asyncio.ErrCancelled},
		{"a group", func(ctx context.Context, f func(ctx context.Context) error) error {
			err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				for range 3 {
					tg.Go(f)
				}
				tg.Go(func(ctx context.Context) error { asyncio.Sleep(ctx, soon); return errReal })
				return nil
			})
			if g := (*asyncio.ExceptionGroup)(nil); !errors.As(err, &g) || len(g.Exceptions) != 1 {
				return fmt.Errorf("noise: %v", err)
			}
			return err
		}, errReal},
		{"TaskGroup.Cancel", func(ctx context.Context, f func(ctx context.Context) error) error {
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(func(ctx context.Context) error { asyncio.Sleep(ctx, soon); tg.Cancel(); return nil })
				return f(ctx)
			})
		}, nil},
	}
}

// TestCancel: the outcome of a call that was cancelled is that of who has cancelled
// it, whatever the library makes of it, at once, and the client goes on.
func TestCancel(t *testing.T) {
	for _, m := range makers() {
		for _, s := range scopes() {
			t.Run(m.library+"/"+s.what, func(t *testing.T) {
				err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
					c := m.make(t, ctx)
					require.NoError(t, c.quick(ctx))
					err := s.run(ctx, c.slow)
					if s.is == nil {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, s.is)
					}
					for range 3 {
						require.NoError(t, c.quick(ctx))
					}
					require.Zero(t, asyncio.CurrentTask(ctx).Cancelling())
					return asyncio.Sleep(ctx, 0)
				})
				require.NoError(t, err)
			})
		}
	}
}

// TestInterrupt: the first Ctrl-C ends a program whose main task is in a library.
func TestInterrupt(t *testing.T) {
	for _, m := range makers() {
		t.Run(m.library, func(t *testing.T) {
			err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				c := m.make(t, ctx)
				once := sync.OnceFunc(func() { syscall.Kill(os.Getpid(), syscall.SIGINT) })
				l, err := asyncio.RunningLoop(ctx)
				require.NoError(t, err)
				l.CallLater(soon, once)
				return c.slow(ctx)
			})
			require.ErrorIs(t, err, asyncio.ErrKeyboardInterrupt)
		})
	}
}

// TestTimeoutText: what the library has said is told.
func TestTimeoutText(t *testing.T) {
	require.NoError(t, asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		db := mysqlDB(t, ctx, "")
		require.NoError(t, db.PingContext(ctx))
		err := asyncio.WithTimeout(ctx, soon, func(ctx context.Context, _ *asyncio.Timeout) error {
			_, err := db.ExecContext(ctx, "do sleep("+forever+")")
			return err
		})
		require.EqualError(t, err, "asyncio: timeout (invalid connection)")
		require.ErrorIs(t, err, mysql.ErrInvalidConn)
		require.False(t, strings.Contains(err.Error(), "cancelled"))
		return nil
	}))
}
