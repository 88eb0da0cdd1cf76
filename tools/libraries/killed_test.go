package libraries

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/servers"
)

// The server is killed while one task waits for an answer of it, another one is in
// a transaction, and connections are idle. All are told, by errors; other servers,
// and their tasks, do not notice. While it is away there are errors that say so.
// When it was started again the first query is answered, if the library asks at all, the transaction has left
// nothing, what was committed is there, and the pool has all its places.
func TestServerKilled(t *testing.T) {
	for _, d := range keeping {
		if d.server == "" {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			srv := servers.Own(t, d.server)
			onProxy(t, d, srv.Address, func(ctx context.Context, p *proxy, u use) {
				nothing := func(context.Context) error { return nil }
				require.NoError(t, u.create(ctx))
				require.NoError(t, u.add(ctx, nothing))
				_, err := asyncio.Gather(ctx, asyncio.Func(u.query), asyncio.Func(u.query), asyncio.Func(u.query), asyncio.Func(u.query)).Await(ctx)
				require.NoError(t, err)
				other := newBystander(t, ctx)

				slow := asyncio.Go(ctx, u.slow)
				within, away := asyncio.NewEvent(), asyncio.NewEvent()
				transaction := asyncio.Go(ctx, func(ctx context.Context) error {
					return u.add(ctx, func(ctx context.Context) error {
						within.Set()
						return away.Wait(ctx)
					})
				})
				require.NoError(t, within.Wait(ctx))
				require.NoError(t, until(ctx, func() bool { return p.asked("sleep(3600)") || p.asked("blpop") }))
				require.False(t, slow.Done())
				inThread(t, ctx, srv.Kill)
				away.Set()
				for what, task := range map[string]asyncio.AnyTask{"query": slow, "transaction": transaction} {
					require.NoError(t, until(ctx, task.Done))
					err, ended := task.Exception()
					require.NoError(t, ended)
					require.Error(t, err, "the %s was not answered", what)
					assert.False(t, task.Cancelled())
					t.Logf("the %s: %v", what, err)
				}
				for range most + 1 { // the idle connections have ended, too
					err := u.query(ctx)
					require.ErrorIs(t, err, syscall.ECONNREFUSED)
				}
				require.NoError(t, until(ctx, func() bool { return u.inUse() == "" }), "the pool leaks")
				other.goesOn(ctx)

				inThread(t, ctx, srv.Start)
				other.goesOn(ctx)
				if d.probes {
					require.NoError(t, until(ctx, func() bool { return u.query(ctx) == nil }))
				}
				require.NoError(t, u.query(ctx))
				_, err = asyncio.Gather(ctx, asyncio.Func(u.query), asyncio.Func(u.query), asyncio.Func(u.query), asyncio.Func(u.query)).Await(ctx)
				require.NoError(t, err)
				want := 1
				if d.forgets {
					want = 0
				}
				for range 2 {
					n, err := u.count(ctx)
					require.NoError(t, err)
					require.Equal(t, want, n)
					require.NoError(t, u.add(ctx, nothing))
					want++
				}
				require.Equal(t, "", u.inUse())
			})
		})
	}
}

func inThread(t *testing.T, ctx context.Context, f func() error) {
	t.Helper()
	require.NoError(t, asyncio.ToThreadFunc(ctx, func(context.Context) error { return f() }))
}

// A bystander is a task with a connection to another server.
type bystander struct {
	t     *testing.T
	turns int
	task  asyncio.AnyTask
}

func newBystander(t *testing.T, ctx context.Context) *bystander {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		if c, err := ln.Accept(); err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
	require.NoError(t, err)
	b := &bystander{t: t}
	b.task = asyncio.Go(ctx, func(ctx context.Context) error {
		defer c.Close()
		for answer := make([]byte, 1); ; b.turns++ {
			if _, err := c.Write([]byte{byte(b.turns)}); err != nil {
				return err
			}
			if _, err := c.Read(answer); err != nil {
				return err
			}
			if answer[0] != byte(b.turns) {
				return fmt.Errorf("the answer is %d, not %d", answer[0], byte(b.turns))
			}
			if err := asyncio.Sleep(ctx, 0); err != nil {
				return err
			}
		}
	})
	return b
}

// goesOn waits until the bystander has been answered some more.
func (b *bystander) goesOn(ctx context.Context) {
	b.t.Helper()
	had := b.turns
	require.NoError(b.t, until(ctx, func() bool { return b.turns > had+3 || b.task.Done() }))
	require.False(b.t, b.task.Done(), "the bystander has ended")
}
