package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// A link is a member of the pools here.
type link struct {
	id     int
	users  int
	broken bool
	closed bool
}

// links makes links, counts them, and notices what must not happen to one.
type links struct {
	t       testing.TB
	made    []*link
	open    int
	most    int
	dial    func(ctx context.Context) error // what making one takes
	goodbye func(ctx context.Context) error // what closing one takes
}

func (ls *links) config(limit int) asyncio.PoolConfig[*link] {
	wait := func(ctx context.Context, f func(context.Context) error) error {
		if f == nil {
			return nil
		}
		return f(ctx)
	}
	return asyncio.PoolConfig[*link]{
		Limit: limit,
		New: func(ctx context.Context) (*link, error) {
			ls.open++
			ls.most = max(ls.most, ls.open)
			if err := wait(ctx, ls.dial); err != nil {
				ls.open--
				return nil, err
			}
			l := &link{id: len(ls.made)}
			ls.made = append(ls.made, l)
			return l, nil
		},
		Close: func(ctx context.Context, l *link) error {
			assert.False(ls.t, l.closed, "link %d is closed twice", l.id)
			assert.Zero(ls.t, l.users, "link %d is closed in use", l.id)
			l.closed = true
			err := wait(ctx, ls.goodbye)
			ls.open--
			return err
		},
	}
}

// use is a function for With.
func (ls *links) use(f func(l *link) error) func(l *link) error {
	return func(l *link) error {
		l.users++
		defer func() { l.users-- }()
		assert.False(ls.t, l.closed, "link %d is used when it is closed", l.id)
		assert.Equal(ls.t, 1, l.users, "users of link %d", l.id)
		return f(l)
	}
}

// linked runs f with a pool of that many links, on virtual time, and closes it.
func linked(t *testing.T, limit int, change func(ls *links, c *asyncio.PoolConfig[*link]), f func(ctx context.Context, p *asyncio.Pool[*link], ls *links)) {
	asynciotest.Run(t, func(ctx context.Context) {
		ls := &links{t: t}
		config := ls.config(limit)
		if change != nil {
			change(ls, &config)
		}
		p := asyncio.NewPool(config)
		f(ctx, p, ls)
		assert.NoError(t, p.Close(ctx))
		assert.Zero(t, ls.open, "links that are left open")
		assert.LessOrEqual(t, ls.most, limit, "links at a time")
		assert.Equal(t, asyncio.PoolStats{Limit: limit}, p.Stats())
	})
}

func sleeps(ctx context.Context, d time.Duration) func(*link) error {
	return func(*link) error { return asyncio.Sleep(ctx, d) }
}

func TestPoolMisuse(t *testing.T) {
	assert.Equal(t, "ValueError asyncio: a pool's limit must be at least 1, not 0", raisedInFull(func() {
		asyncio.NewPool(asyncio.PoolConfig[int]{New: func(context.Context) (int, error) { return 0, nil }})
	}))
	assert.Equal(t, "TypeError asyncio: a pool needs a function that makes its members, got nil", raisedInFull(func() {
		asyncio.NewPool(asyncio.PoolConfig[int]{Limit: 1})
	}))
	p := asyncio.NewPool((&links{t: t}).config(1))
	assert.ErrorIs(t, p.With(t.Context(), func(*link) error { return nil }), asyncio.ErrNoRunningLoop)
	assert.ErrorIs(t, p.Close(t.Context()), asyncio.ErrNoRunningLoop)
	for range 2 {
		runMain(t, func(ctx context.Context) error {
			err := p.With(ctx, func(*link) error { return nil })
			if p.Stats().Members == 1 && err == nil {
				return nil // the first loop
			}
			assert.ErrorIs(t, err, asyncio.ErrOtherLoop)
			assert.ErrorIs(t, p.Close(ctx), asyncio.ErrOtherLoop)
			return nil
		})
	}
}

func raisedInFull(f func()) (line string) {
	defer func() {
		err := recover().(error)
		line = pyName(err) + " " + err.Error()
	}()
	f()
	return ""
}

// Members are used again, the last one first; tasks wait in the order in which
// they came, and the loop goes on.
func TestPoolReuse(t *testing.T) {
	linked(t, 2, nil, func(ctx context.Context, p *asyncio.Pool[*link], ls *links) {
		var order []string
		var tasks []*asyncio.Task[asyncio.None]
		for i := range 5 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				return p.With(ctx, ls.use(func(l *link) error {
					order = append(order, fmt.Sprintf("task %d link %d", i, l.id))
					return asyncio.Sleep(ctx, time.Duration(i+1)*time.Second)
				}))
			}))
		}
		tick(t, ctx)
		assert.Equal(t, asyncio.PoolStats{Limit: 2, Members: 2, Waiting: 3}, p.Stats())
		require.NoError(t, awaitAll(ctx, tasks...))
		assert.Equal(t, []string{"task 0 link 0", "task 1 link 1", "task 2 link 0", "task 3 link 1", "task 4 link 0"}, order)
		assert.Equal(t, asyncio.PoolStats{Limit: 2, Members: 2, Idle: 2}, p.Stats())
		p.With(ctx, ls.use(func(l *link) error { assert.Equal(t, 0, l.id, "not the last that was given back"); return nil }))
		assert.Len(t, ls.made, 2)
	})
}

// Each way in which a use can end, and whether its member may be used again.
func TestPoolKeeps(t *testing.T) {
	boom := errors.New("boom")
	ends := []struct {
		name  string
		kept  bool
		asked bool // where there is a Keep, which says that the link is kept
		err   error
		use   func(ctx context.Context, l *link) error
	}{
		{"well", true, true, nil, func(context.Context, *link) error { return nil }},
		{"with an error", false, true, boom, func(context.Context, *link) error { return boom }},
		{"by a cancel", false, false, asyncio.ErrCancelled, func(ctx context.Context, _ *link) error {
			asyncio.CurrentTask(ctx).Cancel()
			return asyncio.Sleep(ctx, time.Hour)
		}},
		{"by a cancel that is renamed", false, false, boom, func(ctx context.Context, _ *link) error {
			asyncio.CurrentTask(ctx).Cancel()
			asyncio.Sleep(ctx, time.Hour)
			return boom
		}},
		{"by a cancel that is swallowed", false, false, nil, func(ctx context.Context, _ *link) error {
			asyncio.CurrentTask(ctx).Cancel()
			asyncio.Sleep(ctx, time.Hour)
			return nil
		}},
		{"before a cancel is delivered", false, false, nil, func(ctx context.Context, _ *link) error {
			asyncio.CurrentTask(ctx).Cancel()
			return nil
		}},
		{"by a timeout around it", false, false, asyncio.ErrTimeout, func(ctx context.Context, _ *link) error {
			return asyncio.Sleep(ctx, time.Hour)
		}},
	}
	for _, keep := range []bool{false, true} {
		for _, end := range ends {
			t.Run(fmt.Sprintf("%s, Keep %v", end.name, keep), func(t *testing.T) {
				asked := 0
				linked(t, 1, func(ls *links, c *asyncio.PoolConfig[*link]) {
					if keep {
						c.Keep = func(l *link, err error) bool {
							asked++
							assert.ErrorIs(t, err, end.err)
							return true
						}
					}
				}, func(ctx context.Context, p *asyncio.Pool[*link], ls *links) {
					user := asyncio.Go(ctx, func(ctx context.Context) error {
						err := asyncio.WithTimeout(ctx, time.Minute, func(ctx context.Context, _ *asyncio.Timeout) error {
							return p.With(ctx, ls.use(func(l *link) error { return end.use(ctx, l) }))
						})
						assert.ErrorIs(t, err, end.err)
						return nil
					})
					awaitAll(ctx, user)
					tick(t, ctx)
					kept := end.kept || keep && end.asked
					assert.Equal(t, kept, !ls.made[0].closed)
					assert.Equal(t, map[bool]int{false: 0, true: 1}[keep && end.asked], asked, "calls of Keep")
				})
			})
		}
	}
}

// A context that has ended, a panic and a Goexit leave a member that nobody can
// trust, and the place is free again.
func TestPoolBadEnds(t *testing.T) {
	linked(t, 1, nil, func(ctx context.Context, p *asyncio.Pool[*link], ls *links) {
		over, cancel := context.WithCancel(ctx)
		require.NoError(t, p.With(over, ls.use(func(*link) error { cancel(); return nil })))
		panics := asyncio.Go(ctx, func(ctx context.Context) error {
			return p.With(ctx, ls.use(func(*link) error { panic("in the middle") }))
		})
		assert.ErrorContains(t, awaitAll(ctx, panics), "in the middle")
		require.NoError(t, p.With(ctx, ls.use(sleeps(ctx, time.Second))))
		require.Len(t, ls.made, 3)
		assert.True(t, ls.made[0].closed)
		assert.True(t, ls.made[1].closed)
		assert.False(t, ls.made[2].closed)
	})
}

// A New that fails, panics or is cancelled gives its place back.
func TestPoolNewFails(t *testing.T) {
	boom := errors.New("refused")
	var dial func(ctx context.Context) error
	linked(t, 1, func(ls *links, _ *asyncio.PoolConfig[*link]) {
		ls.dial = func(ctx context.Context) error { return dial(ctx) }
	}, func(ctx context.Context, p *asyncio.Pool[*link], ls *links) {
		never := func(*link) error { t.Error("used"); return nil }
		dial = func(context.Context) error { return boom }
		assert.ErrorIs(t, p.With(ctx, never), boom)
		dial = func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }
		assert.ErrorIs(t, asyncio.WithTimeout(ctx, time.Second, func(ctx context.Context, _ *asyncio.Timeout) error {
			return p.With(ctx, never)
		}), asyncio.ErrTimeout)
		dial = func(context.Context) error { ls.open--; panic("no dialer") }
		assert.ErrorContains(t, awaitAll(ctx, asyncio.Go(ctx, func(ctx context.Context) error { return p.With(ctx, never) })), "no dialer")
		dial = func(context.Context) error { return nil }
		assert.NoError(t, p.With(ctx, ls.use(func(*link) error { return nil })))
	})
}

// A task that waits for a place leaves the line when it is cancelled, and hands
// on a place that it was given in the same turn.
func TestPoolWaiterCancelled(t *testing.T) {
	linked(t, 1, nil, func(ctx context.Context, p *asyncio.Pool[*link], ls *links) {
		begin := func(d time.Duration) *asyncio.Task[asyncio.None] {
			return asyncio.Go(ctx, func(ctx context.Context) error { return p.With(ctx, ls.use(sleeps(ctx, d))) })
		}
		a, b, c := begin(time.Second), begin(time.Hour), begin(time.Second)
		tick(t, ctx)
		require.Equal(t, 2, p.Stats().Waiting)
		b.Cancel()
		require.NoError(t, awaitAll(ctx, a, c))
		require.ErrorIs(t, awaitAll(ctx, b), asyncio.ErrCancelled)

		var end asyncio.Event
		user := asyncio.Go(ctx, func(ctx context.Context) error {
			return p.With(ctx, ls.use(func(*link) error { return end.Wait(ctx) }))
		})
		tick(t, ctx)
		d, e := begin(time.Hour), begin(time.Second)
		tick(t, ctx)
		require.Equal(t, 2, p.Stats().Waiting)
		end.Set()
		for p.Stats().Waiting == 2 {
			tick(t, ctx)
		}
		d.Cancel() // it has been given the place, and has not run
		require.NoError(t, awaitAll(ctx, user, e))
		require.ErrorIs(t, awaitAll(ctx, d), asyncio.ErrCancelled)
		assert.Len(t, ls.made, 1)
	})
}

// A member that does not pass its check is replaced; one whose check is cut off is
// closed.
func TestPoolCheck(t *testing.T) {
	checks := 0
	slow := false
	linked(t, 3, func(ls *links, c *asyncio.PoolConfig[*link]) {
		c.Check = func(ctx context.Context, l *link) error {
			checks++
			if slow {
				return asyncio.Sleep(ctx, time.Hour)
			}
			if l.broken {
				return errors.New("gone away")
			}
			return nil
		}
	}, func(ctx context.Context, p *asyncio.Pool[*link], ls *links) {
		var tasks []*asyncio.Task[asyncio.None]
		for range 3 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error { return p.With(ctx, sleeps(ctx, 1)) }))
		}
		require.NoError(t, awaitAll(ctx, tasks...))
		assert.Zero(t, checks, "new ones are not checked")
		for _, l := range ls.made {
			l.broken = true
		}
		require.NoError(t, p.With(ctx, ls.use(func(l *link) error { assert.Equal(t, 3, l.id); return nil })))
		assert.Equal(t, 3, checks)
		assert.Equal(t, 1, p.Stats().Members)

		slow = true
		assert.ErrorIs(t, asyncio.WithTimeout(ctx, time.Second, func(ctx context.Context, _ *asyncio.Timeout) error {
			return p.With(ctx, func(*link) error { t.Error("used"); return nil })
		}), asyncio.ErrTimeout)
		over, cancel := context.WithTimeout(ctx, time.Nanosecond)
		defer cancel()
		<-over.Done()
		require.NoError(t, p.With(ctx, func(*link) error { return nil }))
		assert.ErrorIs(t, p.With(over, func(*link) error { t.Error("used"); return nil }), context.DeadlineExceeded)
		assert.Zero(t, p.Stats().Idle)
		slow = false
	})
}

// Idle members are closed when their time is over, those in use are not, and one
// that says goodbye still counts.
func TestPoolIdleTime(t *testing.T) {
	linked(t, 3, func(ls *links, c *asyncio.PoolConfig[*link]) {
		c.IdleTime = time.Minute
		ls.goodbye = func(ctx context.Context) error { return asyncio.Sleep(ctx, 10*time.Second) }
	}, func(ctx context.Context, p *asyncio.Pool[*link], ls *links) {
		var tasks []*asyncio.Task[asyncio.None]
		for i := range 3 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				return p.With(ctx, ls.use(sleeps(ctx, time.Duration(i)*40*time.Second)))
			}))
		}
		require.NoError(t, awaitAll(ctx, tasks...)) // the first has been idle for 80 s
		assert.Equal(t, asyncio.PoolStats{Limit: 3, Members: 2, Idle: 2}, p.Stats())
		require.NoError(t, asyncio.Sleep(ctx, 25*time.Second)) // the second, at 105 s, says goodbye
		assert.Equal(t, asyncio.PoolStats{Limit: 3, Members: 2, Idle: 1}, p.Stats())
		require.NoError(t, p.With(ctx, ls.use(sleeps(ctx, 2*time.Minute))))
		assert.Equal(t, asyncio.PoolStats{Limit: 3, Members: 1, Idle: 1}, p.Stats())
		require.NoError(t, asyncio.Sleep(ctx, 59*time.Second))
		assert.Equal(t, 1, p.Stats().Idle)
		require.NoError(t, asyncio.Sleep(ctx, 12*time.Second))
		assert.Equal(t, asyncio.PoolStats{Limit: 3}, p.Stats())
		assert.Len(t, ls.made, 3)
	})
}

// A member that a task is on its way to take is not closed under it, however short
// the time: it would say goodbye beside the one that is made in its place.
func TestPoolIdleForNoTime(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		ls := &links{t: t, goodbye: func(ctx context.Context) error { return asyncio.Sleep(ctx, 0) }}
		config := ls.config(1)
		config.IdleTime = 1
		p := asyncio.NewPool(config)
		var tasks []*asyncio.Task[asyncio.None]
		for range 20 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				return p.With(ctx, ls.use(func(*link) error { return asyncio.Sleep(ctx, 0) }))
			}))
		}
		require.NoError(t, awaitAll(ctx, tasks...))
		assert.Equal(t, 1, ls.most)
		require.NoError(t, p.Close(ctx))
	}, asynciotest.WithRealTime())
}

// Close waits for those in use, and turns away those that wait or come later. A
// member can say goodbye though its user was cancelled.
func TestPoolClose(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		sad := errors.New("no goodbye")
		ls := &links{t: t, goodbye: func(ctx context.Context) error {
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			return sad
		}}
		p := asyncio.NewPool(ls.config(2))
		begin := func(d time.Duration) *asyncio.Task[asyncio.None] {
			return asyncio.Go(ctx, func(ctx context.Context) error { return p.With(ctx, ls.use(sleeps(ctx, d))) })
		}
		a, b, c, d := begin(0), begin(time.Hour), begin(time.Minute), begin(time.Minute)
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		b.Cancel()
		tick(t, ctx)
		short := asyncio.WithTimeout(ctx, time.Millisecond, func(ctx context.Context, _ *asyncio.Timeout) error { return p.Close(ctx) })
		assert.ErrorIs(t, short, asyncio.ErrTimeout, "Close does not wait")
		assert.ErrorIs(t, awaitAll(ctx, d), asyncio.ErrPoolClosed)
		assert.ErrorIs(t, p.With(ctx, func(*link) error { return nil }), asyncio.ErrPoolClosed)
		assert.Equal(t, 1, p.Stats().Members-p.Stats().Idle-1, "the one in use, and the one that was cancelled")
		err := p.Close(ctx)
		assert.ErrorIs(t, err, sad)
		assert.Equal(t, time.Minute+time.Second, asynciotest.Now(ctx).Truncate(time.Second), "when the last one was closed")
		assert.Equal(t, err.Error(), p.Close(ctx).Error(), "a second Close")
		assert.Zero(t, ls.open)
		require.NoError(t, awaitAll(ctx, a, c))
		assert.ErrorIs(t, awaitAll(ctx, b), asyncio.ErrCancelled)
		require.NoError(t, asyncio.NewPool(ls.config(1)).Close(ctx), "an empty pool")
	})
}

// A loop that is closed kills the tasks that are in With. Their places are of no
// use any more, but nothing may panic.
func TestPoolLoopClosed(t *testing.T) {
	ls := &links{t: t}
	p := asyncio.NewPool(ls.config(1))
	l := asyncio.NewLoop()
	for range 2 {
		asyncio.NewTask(l, func(ctx context.Context) (asyncio.None, error) {
			return asyncio.None{}, p.With(ctx, ls.use(sleeps(ctx, time.Hour)))
		}, asyncio.WithTaskName("in With"))
	}
	told := 0
	l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
		assert.Equal(t, "Task was destroyed but it is pending!", c.Message)
		told++
	})
	_, err := asyncio.RunUntilComplete(l, asyncio.Coro[asyncio.None](func(ctx context.Context) (asyncio.None, error) {
		return asyncio.None{}, asyncio.Sleep(ctx, 0)
	}))
	require.NoError(t, err)
	require.Equal(t, 1, p.Stats().Waiting)
	require.NoError(t, l.Close())
	assert.Equal(t, 2, told)
}

// Nothing but the links is counted, whatever tasks do, in any order.
func TestPoolAtRandom(t *testing.T) {
	seeds := 300
	if testing.Short() {
		seeds = 60
	}
	asynciotest.Explore(t, seeds, func(t testing.TB, ctx context.Context) {
		rnd := asynciotest.Rand(ctx)
		pause := func(ctx context.Context) error {
			return asyncio.Sleep(ctx, time.Duration(rnd.IntN(5))*time.Second)
		}
		fail := func() error {
			if rnd.IntN(8) == 0 {
				return errors.New("by chance")
			}
			return nil
		}
		ls := &links{t: t, dial: pause, goodbye: pause}
		limit := 1 + rnd.IntN(4)
		config := ls.config(limit)
		config.IdleTime = time.Duration(rnd.IntN(4)) * time.Second
		makes := config.New
		config.New = func(ctx context.Context) (*link, error) {
			l, err := makes(ctx)
			if err == nil && rnd.IntN(8) == 0 {
				ls.open--
				return nil, errors.New("by chance")
			}
			return l, err
		}
		if rnd.IntN(2) == 0 {
			config.Check = func(ctx context.Context, _ *link) error { return errors.Join(pause(ctx), fail()) }
		}
		p := asyncio.NewPool(config)
		var tasks []*asyncio.Task[asyncio.None]
		for range 30 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				if err := pause(ctx); err != nil {
					return err
				}
				return p.With(ctx, ls.use(func(*link) error {
					if err := pause(ctx); err != nil {
						return err
					}
					return fail()
				}))
			}))
		}
		for range 15 {
			pause(ctx)
			tasks[rnd.IntN(len(tasks))].Cancel()
			settle(t, ctx)
			s := p.Stats()
			assert.LessOrEqual(t, s.Members, limit)
			assert.True(t, s.Waiting == 0 || s.Members == limit, "tasks wait though there is room: %+v", s)
		}
		if rnd.IntN(2) == 0 {
			awaitAll(ctx, tasks...)
		}
		p.Close(ctx)
		assert.Zero(t, ls.open, "links left open")
		assert.LessOrEqual(t, ls.most, limit, "links at a time")
		for _, task := range tasks {
			task.Cancel()
		}
		awaitAll(ctx, tasks...)
	})
}

func TestPoolAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	linked(t, 1, nil, func(ctx context.Context, p *asyncio.Pool[*link], ls *links) {
		use := func(*link) error { return nil }
		p.With(ctx, use)
		assert.Zero(t, testing.AllocsPerRun(1000, func() { p.With(ctx, use) }), "allocations of With")
	})
}

func ExamplePool() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		pool := asyncio.NewPool(asyncio.PoolConfig[string]{
			Limit: 2,
			New: func(ctx context.Context) (string, error) {
				fmt.Println("dials")
				return "connection", asyncio.Sleep(ctx, time.Millisecond)
			},
		})
		defer pool.Close(ctx)
		query := func(ctx context.Context) error {
			return pool.With(ctx, func(c string) error { return asyncio.Sleep(ctx, time.Millisecond) })
		}
		_, err := asyncio.Gather(ctx, asyncio.Func(query), asyncio.Func(query), asyncio.Func(query), asyncio.Func(query)).Await(ctx)
		fmt.Println(pool.Stats().Members, "members,", err)
		return nil
	})
	// Output:
	// dials
	// dials
	// 2 members, <nil>
}

// A place of a pool of one is no lock of the task that has taken it: another one may
// give it back.
func TestPoolHasNoHolder(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := asyncio.NewPool(asyncio.PoolConfig[int]{Limit: 1, New: func(context.Context) (int, error) { return 1, nil }})
		enough := asyncio.NewEvent()
		use := func(ctx context.Context) error {
			return p.With(ctx, func(int) error { return enough.Wait(ctx) })
		}
		uses, waits := asyncio.Go(ctx, use), asyncio.Go(ctx, use)
		require.NoError(t, asyncio.Sleep(ctx, 0))
		s, err := l.Snapshot(ctx)
		require.NoError(t, err)
		assert.Empty(t, s.Loops[0].Locks)
		enough.Set()
		for _, user := range []*asyncio.Task[asyncio.None]{uses, waits} {
			_, err := user.Await(ctx)
			require.NoError(t, err)
		}
		require.NoError(t, p.Close(ctx))
	})
}
