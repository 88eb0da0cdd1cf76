package libraries

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/servers"
)

// An ending asks for the end of f when the proxy has stopped, and tells what must
// come of it.
type ending struct {
	what string
	run  func(ctx context.Context, p *proxy, f func(ctx context.Context) error) error
}

var endings = []ending{
	{"a cancel", func(ctx context.Context, p *proxy, f func(ctx context.Context) error) error {
		task := asyncio.Go(ctx, f)
		if err := p.untilStopped(ctx, task); err != nil {
			return err
		}
		task.Cancel()
		if _, err := task.Await(ctx); !task.Cancelled() {
			return fmt.Errorf("the task was not cancelled: %v", err)
		}
		return nil
	}},
	{"a time limit", func(ctx context.Context, p *proxy, f func(ctx context.Context) error) error {
		err := asyncio.WithTimeout(ctx, time.Hour, func(ctx context.Context, limit *asyncio.Timeout) error {
			//asyncvet:ignore GL203 if it fails there is no ErrTimeout, and the test says so
			asyncio.Go(ctx, func(ctx context.Context) error {
				if err := p.untilStopped(ctx, nil); err != nil {
					return err
				}
				l, err := asyncio.RunningLoop(ctx)
				if err != nil {
					return err
				}
				return limit.Reschedule(l.Time())
			})
			return f(ctx)
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			return fmt.Errorf("the time limit comes out as %v", err)
		}
		return nil
	}},
	{"a group that fails", func(ctx context.Context, p *proxy, f func(ctx context.Context) error) error {
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(f)
			tg.Go(func(ctx context.Context) error {
				if err := p.untilStopped(ctx, nil); err != nil {
					return err
				}
				return errReal
			})
			return nil
		})
		var all *asyncio.ExceptionGroup
		if !errors.Is(err, errReal) || !errors.As(err, &all) || len(all.Exceptions) != 1 {
			return fmt.Errorf("the group ends with %v", err)
		}
		return nil
	}},
}

// A cancel in the middle of a handshake, of a query and of a transaction, when the
// server has said nothing of its answer, or some of it, or all but the last byte.
// What comes of it is that of who has asked for the end. The connection is not used
// again and is closed, the pool has all its places, and the next query is answered.
func TestCancelAnywhere(t *testing.T) {
	for _, d := range keeping {
		t.Run(d.name, func(t *testing.T) {
			addr := d.address(t)
			var shake, answer int // how long a handshake is, and an answer
			onProxy(t, d, addr, func(ctx context.Context, p *proxy, u use) {
				require.NoError(t, u.query(ctx))
				first := p.said()
				require.NoError(t, u.query(ctx))
				answer = p.said() - first
				shake = first - answer
			})
			require.Positive(t, answer)
			if shake > 0 {
				for i, n := range stops(shake) {
					e := endings[i%len(endings)]
					t.Run(fmt.Sprintf("%d of %d bytes of the handshake, %s", n, shake, e.what), func(t *testing.T) {
						onProxy(t, d, addr, func(ctx context.Context, p *proxy, u use) {
							p.stopAfter(n)
							cancelled(t, ctx, d, p, u, e, u.query)
						})
					})
				}
			}
			for i, n := range stops(answer) {
				e := endings[(i+1)%len(endings)]
				t.Run(fmt.Sprintf("%d of %d bytes of an answer, %s", n, answer, e.what), func(t *testing.T) {
					onProxy(t, d, addr, func(ctx context.Context, p *proxy, u use) {
						require.NoError(t, u.query(ctx))
						p.stopAfter(n)
						cancelled(t, ctx, d, p, u, e, u.query)
					})
				})
			}
			for i, e := range endings {
				if d.open(t, addr, nil).add == nil {
					break
				}
				t.Run("in a transaction, "+e.what, func(t *testing.T) {
					onProxy(t, d, addr, func(ctx context.Context, p *proxy, u use) {
						nothing := func(context.Context) error { return nil }
						require.NoError(t, u.create(ctx))
						require.NoError(t, u.add(ctx, nothing))
						cancelled(t, ctx, d, p, u, e, func(ctx context.Context) error {
							return u.add(ctx, func(context.Context) error { p.stopAfter(i); return nil })
						})
						n, err := u.count(ctx)
						require.NoError(t, err)
						require.Equal(t, 1, n, "of the transaction that was cancelled nothing is there")
						require.NoError(t, u.add(ctx, nothing))
						n, err = u.count(ctx)
						require.NoError(t, err)
						require.Equal(t, 2, n)
					})
				})
			}
		})
	}
}

// stops are places in what has n bytes.
func stops(n int) []int {
	at := []int{0, 1, n / 2, n - 1}
	if n < 4 {
		at = at[:min(n, 2)]
	}
	return at
}

func (d library) address(t *testing.T) string {
	if d.server == "" {
		return d.serve(t)
	}
	return servers.Address(t, d.server)
}

// onProxy runs f in a task, with a new client by a new proxy.
func onProxy(t *testing.T, d library, addr string, f func(ctx context.Context, p *proxy, u use)) {
	t.Helper()
	require.NoError(t, asyncio.RunFunc(t.Context(), func(ctx context.Context) error {
		return asyncio.WithTimeout(ctx, patience, func(ctx context.Context, _ *asyncio.Timeout) error {
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			p := newProxy(l)
			defer p.close()
			u := d.open(t, addr, p.dial)
			f(ctx, p, u)
			if err := u.close(ctx); err != nil {
				return err
			}
			for i, c := range p.passages() { // the library has closed them all
				if err := until(ctx, func() bool { return isOver(c.ended) }); err != nil {
					return fmt.Errorf("connection %d of %d is not closed: %w", i+1, len(p.passages()), err)
				}
			}
			return nil
		})
	}, asyncio.WithSignals(false)))
}

const patience = 2 * time.Minute // with a machine that is busy

// cancelled has call cancelled when the proxy has stopped, and looks at what is left.
func cancelled(t *testing.T, ctx context.Context, d library, p *proxy, u use, e ending, call func(ctx context.Context) error) {
	t.Helper()
	require.NoError(t, e.run(ctx, p, call))
	c := p.stopped()
	require.NotNil(t, c, "the server was silent")
	p.mu.Lock()
	c.after = append([]byte{}, c.after...) // from here on what it says is kept
	p.mu.Unlock()
	p.free()
	require.Zero(t, asyncio.CurrentTask(ctx).Cancelling())
	_, err := asyncio.Gather(ctx, asyncio.Func(u.query), asyncio.Func(u.query), asyncio.Func(u.query), asyncio.Func(u.query)).Await(ctx)
	require.NoError(t, err, "the others go on, as many as the pool has places")
	require.NoError(t, until(ctx, func() bool { return u.inUse() == "" }), "the pool leaks")
	if d.lingers {
		c.near.Close()
	}
	require.NoError(t, until(ctx, func() bool { return isOver(c.ended) }), "the connection is not closed")
	p.mu.Lock()
	said := string(c.after)
	p.mu.Unlock()
	if d.name != "crypto/tls" { // which says goodbye, too, but nobody can read it
		assert.Contains(t, []string{"", d.goodbye}, said, "the connection was used again")
	}
}
