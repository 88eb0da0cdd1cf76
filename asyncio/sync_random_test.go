package asyncio_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/logtest"
)

// Random programs over one primitive each, the same as those of
// testdata/conformance/random/sync.py: tasks use it while the main task cancels
// them. CPython has printed what happens in them, in which order.

var (
	syncLog      = flag.String("sync.log", "testdata/conformance/random/sync.out", "what CPython has printed of the random programs of TestRandomSync")
	syncPrograms = flag.Int("sync.programs", 40, "how many programs of a kind that is: the argument of sync.py")
)

func TestRandomSync(t *testing.T) {
	var lines []string
	for _, kind := range []struct {
		name string
		make func(r *lcg) subject
	}{
		{"Locks", newLocks},
		{"Semaphores", newSemaphores},
		{"Events", newEvents},
		{"Conditions", newConditions},
		{"Barriers", newBarriers},
		{"Queues", newQueues},
		{"PriorityQueues", newPriorityQueues},
		{"LifoQueues", newLifoQueues},
	} {
		for seed := range *syncPrograms {
			p := &syncProgram{}
			runMain(t, func(ctx context.Context) error {
				p.run(ctx, kind.make, &lcg{uint32(seed)})
				return nil
			})
			lines = append(lines, fmt.Sprintf("%s %d %s", kind.name, seed, strings.Join(p.log, " ")))
		}
	}
	for seed := range 3 {
		lines = append(lines, fmt.Sprintf("heap %d %s", seed, strings.Join(heapOrder(&lcg{uint32(seed)}), " ")))
	}
	logtest.Same(t, *syncLog, lines)
}

// heapOrder is in which order a PriorityQueue gives out items that were put at
// random, many of them equal.
func heapOrder(r *lcg) (log []string) {
	q := asyncio.NewPriorityQueue(0, func(a, b keyed) bool { return a.key < b.key })
	take := func() {
		k, _ := q.GetNowait()
		log = append(log, fmt.Sprintf("%d.%d", k.key, k.n))
	}
	for n := range 300 {
		if r.below(3) > 0 || q.Empty() {
			q.PutNowait(keyed{r.below(7), n})
		} else {
			take()
		}
	}
	for !q.Empty() {
		take()
	}
	return log
}

// An lcg is the generator of sync.py.
type lcg struct{ x uint32 }

func (r *lcg) below(n int) int {
	r.x = (r.x*1103515245 + 12345) & 0x7fffffff
	return int(r.x>>16) % n
}

// A subject is a primitive that a program is about.
type subject interface {
	step(ctx context.Context, op, arg int, say func(string)) error // of a task
	poke(op int)                                                   // of the main task
	state() string
}

type syncProgram struct{ log []string }

func (p *syncProgram) say(words ...string) { p.log = append(p.log, strings.Join(words, "")) }

func (p *syncProgram) run(ctx context.Context, make func(r *lcg) subject, r *lcg) {
	sub := make(r)
	const names = "abcde"
	type step struct{ op, arg int }
	var tasks []*asyncio.Task[asyncio.None]
	for _, n := range names[:2+r.below(4)] {
		name := string(n)
		var steps []step
		for range 2 + r.below(8) {
			op := r.below(10)
			steps = append(steps, step{op, r.below(10)})
		}
		tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
			for _, st := range steps {
				err := try(func() error {
					return sub.step(ctx, st.op, st.arg, func(word string) { p.say(name, word) })
				})
				switch {
				case errors.Is(err, asyncio.ErrCancelled):
					p.say(name, "!")
				case err != nil:
					p.say(name, pyName(err))
				}
			}
			p.say(name, ".")
			return nil
		}))
	}
	for range 10 + r.below(20) {
		switch op := r.below(8); {
		case op < 3:
			asyncio.Sleep(ctx, 0)
			p.say("(", sub.state(), ")")
		case op < 6:
			i := r.below(len(tasks))
			p.say("cancel")
			p.say(names[i : i+1])
			tasks[i].Cancel()
		default:
			sub.poke(r.below(4))
		}
	}
	for done := false; !done; {
		done = true
		for _, t := range tasks {
			done = done && t.Done()
		}
		if done {
			break
		}
		for _, t := range tasks {
			t.Cancel()
			asyncio.Sleep(ctx, 0)
		}
		p.say("(", sub.state(), ")")
	}
	ends := ""
	for _, t := range tasks {
		if t.Cancelled() {
			ends += "C"
		} else {
			ends += "-"
		}
	}
	p.say(ends)
}

// try calls f, and makes an error of the exception that it panics with.
func try(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = p.(error)
		}
	}()
	return f()
}

// pause lets others run n times.
func pause(ctx context.Context, n int) error {
	for range n {
		if err := asyncio.Sleep(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}

func mark(is bool, word string) string {
	if is {
		return word
	}
	return ""
}

func lockState(locked bool) string {
	if locked {
		return "locked"
	}
	return "free"
}

type locks struct{ lock asyncio.Lock }

func newLocks(*lcg) subject { return &locks{} }

func (s *locks) step(ctx context.Context, op, arg int, say func(string)) error {
	if op < 2 {
		return pause(ctx, 1)
	}
	return s.lock.Do(ctx, func() error {
		say("has")
		return pause(ctx, arg%3)
	})
}

func (s *locks) poke(int)      {}
func (s *locks) state() string { return lockState(s.lock.Locked()) }

type semaphores struct{ sem *asyncio.Semaphore }

func newSemaphores(r *lcg) subject { return &semaphores{asyncio.NewSemaphore(r.below(3))} }

func (s *semaphores) step(ctx context.Context, op, arg int, say func(string)) error {
	switch {
	case op < 2:
		return pause(ctx, 1)
	case op < 3:
		s.sem.Release()
	case op < 5:
		if err := s.sem.Acquire(ctx); err != nil {
			return err
		}
		say("took")
	default:
		return s.sem.Do(ctx, func() error {
			say("has")
			return pause(ctx, arg%3)
		})
	}
	return nil
}

func (s *semaphores) poke(op int) {
	if op == 0 {
		s.sem.Release()
	}
}

func (s *semaphores) state() string { return fmt.Sprint(s.sem.Value()) + mark(s.sem.Locked(), "L") }

type events struct{ event asyncio.Event }

func newEvents(*lcg) subject { return &events{} }

func (s *events) step(ctx context.Context, op, _ int, say func(string)) error {
	switch {
	case op < 2:
		return pause(ctx, 1)
	case op < 3:
		s.event.Set()
	case op < 4:
		s.event.Clear()
	default:
		if err := s.event.Wait(ctx); err != nil {
			return err
		}
		say("saw")
	}
	return nil
}

func (s *events) poke(op int) {
	if op < 2 {
		s.event.Set()
	}
	if op == 1 {
		s.event.Clear()
	}
}

func (s *events) state() string {
	if s.event.IsSet() {
		return "set"
	}
	return "clear"
}

type conditions struct {
	cond asyncio.Condition
	n    int
}

func newConditions(*lcg) subject { return &conditions{} }

func (s *conditions) step(ctx context.Context, op, arg int, say func(string)) error {
	if op < 1 {
		return pause(ctx, 1)
	}
	return s.cond.Do(ctx, func() error {
		say("has")
		switch {
		case op < 3:
			s.n++
			s.cond.Notify(arg % 3)
		case op < 4:
			s.n++
			s.cond.NotifyAll()
		case op < 5:
			return pause(ctx, 1)
		case op < 7:
			want := s.n + 1
			if err := s.cond.WaitFor(ctx, func() bool { return s.n >= want }); err != nil {
				return err
			}
			say("got")
		default:
			if err := s.cond.Wait(ctx); err != nil {
				return err
			}
			say("woke")
		}
		return nil
	})
}

func (s *conditions) poke(op int) {
	if op < 2 && s.cond.Locked() {
		s.cond.Notify(1)
	}
}

func (s *conditions) state() string { return lockState(s.cond.Locked()) }

type barriers struct{ barrier *asyncio.Barrier }

func newBarriers(r *lcg) subject { return &barriers{asyncio.NewBarrier(1 + r.below(3))} }

func (s *barriers) step(ctx context.Context, op, arg int, say func(string)) error {
	switch {
	case op < 2:
		return pause(ctx, 1)
	case op < 3 && arg < 3:
		return s.barrier.Abort(ctx)
	case op < 4:
		return s.barrier.Reset(ctx)
	}
	i, err := s.barrier.Wait(ctx)
	if err == nil {
		say(fmt.Sprint(i))
	}
	return err
}

func (s *barriers) poke(int) {}

func (s *barriers) state() string {
	return fmt.Sprint(s.barrier.NWaiting()) + mark(s.barrier.Broken(), "B")
}

// A keyed is an item that compares by its key only.
type keyed struct{ key, n int }

type queues struct {
	*asyncio.Queue[keyed]
	n     int
	keyed bool // the items have keys
}

func newQueues(r *lcg) subject {
	return &queues{Queue: asyncio.NewQueue[keyed](r.below(4))}
}

func newLifoQueues(r *lcg) subject {
	return &queues{Queue: &asyncio.NewLifoQueue[keyed](r.below(4)).Queue}
}

func newPriorityQueues(r *lcg) subject {
	less := func(a, b keyed) bool { return a.key < b.key }
	return &queues{Queue: &asyncio.NewPriorityQueue(r.below(4), less).Queue, keyed: true}
}

func (s *queues) item(arg int) keyed {
	s.n++
	return keyed{arg % 4, s.n}
}

func (s *queues) show(k keyed) string {
	if s.keyed {
		return fmt.Sprintf("<%d.%d", k.key, k.n)
	}
	return fmt.Sprintf("<%d", k.n)
}

func (s *queues) step(ctx context.Context, op, arg int, say func(string)) error {
	got := func(k keyed, err error) error {
		if err == nil {
			say(s.show(k))
		}
		return err
	}
	switch {
	case op < 1:
		return pause(ctx, 1)
	case op < 4:
		if err := s.Put(ctx, s.item(arg)); err != nil {
			return err
		}
		say("put")
	case op < 7:
		return got(s.Get(ctx))
	case op < 8 && arg < 5:
		return s.PutNowait(s.item(arg))
	case op < 8:
		return got(s.GetNowait())
	case op < 9 && arg >= 5:
		if err := s.Join(ctx); err != nil {
			return err
		}
		say("joined")
	case op >= 9 && arg < 2:
		s.Shutdown(arg == 1)
	default:
		s.TaskDone()
	}
	return nil
}

func (s *queues) poke(op int) {
	switch op {
	case 0:
		s.GetNowait()
	case 1:
		s.PutNowait(s.item(s.n))
	}
}

func (s *queues) state() string {
	return fmt.Sprint(s.QSize()) + mark(s.Full(), "F") + "/" + fmt.Sprint(s.Unfinished())
}
