package asyncio

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

// Tasks use a primitive at random, and are cancelled, or their contexts end, at
// random: also after they were chosen, and twice. After every step the rules of
// the primitive must hold; at the end nobody may be left behind. A seed repeats
// what it has done.

var chaosSeed = flag.Uint64("chaos.seed", 0, "the seed of the first run of TestChaos; 0: one of its own choice")

// A chaos is one run.
type chaos struct {
	r       *rand.Rand
	tasks   []*task
	ends    []func() // end the context of a task's last wait
	over    bool
	offence string
}

// A victim is a primitive under test.
type victim interface {
	use(ctx context.Context, c *chaos) error
	check(c *chaos) string // what is wrong, or ""
	finish()               // lets the tasks end that wait for others
}

func TestChaos(t *testing.T) {
	first := *chaosSeed
	if first == 0 {
		first = rand.Uint64()
	}
	for name, make := range map[string]func(r *rand.Rand) victim{
		"lock":      func(*rand.Rand) victim { return &lockVictim{} },
		"semaphore": newSemaphoreVictim,
		"queue":     newQueueVictim,
	} {
		t.Run(name, func(t *testing.T) {
			for seed := first; seed < first+100; seed++ {
				r := rand.New(rand.NewPCG(seed, 0))
				c := &chaos{r: r}
				err := RunFunc(context.Background(), func(ctx context.Context) error {
					return c.run(ctx, make(r))
				}, WithSignals(false))
				if err != nil {
					t.Fatalf("seed %d (-args -chaos.seed=%d): %v", seed, seed, err)
				}
			}
		})
	}
}

func (c *chaos) run(ctx context.Context, v victim) error {
	check := func() {
		if c.offence == "" {
			c.offence = v.check(c)
		}
	}
	n := 2 + c.r.IntN(6)
	c.ends = make([]func(), n)
	for i := range n {
		c.tasks = append(c.tasks, Go(ctx, func(ctx context.Context) error {
			for !c.over {
				wait, end := ctx, func() {}
				if c.r.IntN(3) == 0 {
					wait, end = context.WithCancel(ctx)
				}
				c.ends[i] = end
				if err := v.use(wait, c); err != nil && !errors.Is(err, context.Canceled) {
					return err
				}
				end()
				check()
				if c.r.IntN(4) == 0 {
					Sleep(ctx, 0)
				}
			}
			return nil
		}).self())
	}
	for range 300 {
		i := c.r.IntN(n)
		switch t := c.tasks[i]; c.r.IntN(6) {
		case 0, 1:
			t.Cancel()
		case 2:
			if c.ends[i] != nil {
				c.ends[i]()
			}
			if t.watcher != nil {
				t.watcher.fire() // as the end of the context will, but now
			}
		default:
			Sleep(ctx, 0)
		}
		check()
	}
	c.over = true
	v.finish()
	for range 20 * n {
		Sleep(ctx, 0)
	}
	check()
	for _, t := range c.tasks {
		switch {
		case c.offence != "":
			t.Cancel()
		case !t.Done():
			return fmt.Errorf("%s was left behind", t)
		case t.err != nil && !t.Cancelled():
			return t.err
		}
	}
	if c.offence != "" {
		return errors.New(c.offence)
	}
	return nil
}

type lockVictim struct {
	lock    Lock
	holders int
}

func (v *lockVictim) use(ctx context.Context, c *chaos) error {
	return v.lock.Do(ctx, func() error {
		v.holders++
		defer func() { v.holders-- }()
		if c.r.IntN(2) == 0 {
			return Sleep(ctx, 0)
		}
		return nil
	})
}

func (v *lockVictim) finish() {}

func (v *lockVictim) check(c *chaos) string {
	l := &v.lock
	switch {
	case v.holders > 1:
		return "two have the lock"
	case l.locked != (v.holders == 1):
		return fmt.Sprintf("%d have the lock, which says locked: %t", v.holders, l.locked)
	case l.locked && l.coming:
		return "one is chosen while another has the lock"
	case !l.locked && !l.coming && l.Waiting() > 0 && taskIn(l.line.tasks.First()).wait == waiting:
		return "a task waits for a free lock, and none is on its way"
	}
	return ""
}

type semaphoreVictim struct {
	sem           Semaphore
	limit, inside int
}

func newSemaphoreVictim(r *rand.Rand) victim {
	v := &semaphoreVictim{limit: 1 + r.IntN(3)}
	v.sem.init(v.limit)
	return v
}

func (v *semaphoreVictim) use(ctx context.Context, c *chaos) error {
	return v.sem.Do(ctx, func() error {
		v.inside++
		defer func() { v.inside-- }()
		return Sleep(ctx, 0)
	})
}

func (v *semaphoreVictim) finish() {}

func (v *semaphoreVictim) check(c *chaos) string {
	s := &v.sem
	switch {
	case s.value < 0 || s.coming < 0 || s.value+int(s.coming)+v.inside != v.limit:
		return fmt.Sprintf("%d inside, %d on their way, value %d: that is not %d", v.inside, s.coming, s.value, v.limit)
	case s.value > 0 && s.coming == 0 && s.Waiting() > 0:
		return "a task waits for a free semaphore, and none is on its way"
	}
	return ""
}

type queueVictim struct {
	q        *Queue[int]
	put, got int
}

func newQueueVictim(r *rand.Rand) victim { return &queueVictim{q: NewQueue[int](r.IntN(4))} }

func (v *queueVictim) use(ctx context.Context, c *chaos) (err error) {
	if c.r.IntN(2) == 0 {
		if err = v.q.Put(ctx, 0); err == nil {
			v.put++
		}
	} else if _, err = v.q.Get(ctx); err == nil {
		v.got++
	}
	if errors.Is(err, ErrQueueShutDown) {
		return nil
	}
	return err
}

func (v *queueVictim) finish() { v.q.Shutdown(false) }

func (v *queueVictim) check(c *chaos) string {
	q := v.q
	getters, putters := q.Waiting()
	chosen := 0
	for _, t := range c.tasks {
		if t.wait == woken {
			chosen++
		}
	}
	switch {
	case v.put != v.got+q.QSize():
		return fmt.Sprintf("%d were put, %d got, %d are left", v.put, v.got, q.QSize())
	case q.QSize() > 0 && getters > 0 && chosen == 0:
		return "a task waits for an item that is there, and none is on its way"
	case !q.Full() && putters > 0 && chosen == 0:
		return "a task waits for a place that is there, and none is on its way"
	}
	return ""
}
