package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A worker is one process. It says what is out of the ordinary.
type worker struct {
	*queue
	name    string
	ackWait time.Duration
	out     io.Writer
	stop    asyncio.Event // no more tasks are taken

	// A task that comes again may have killed its worker. So it runs alone, or
	// others would die with it time after time, and be set aside for it.
	suspect asyncio.Lock
	running *asyncio.Semaphore
	slots   int
}

// work takes tasks, some at a time, until SIGTERM. Then it finishes those it has.
func work(ctx context.Context, o options, out io.Writer) error {
	w := &worker{name: fmt.Sprint("worker ", os.Getpid()), ackWait: o.ackWait, out: out,
		slots: o.slots, running: asyncio.NewSemaphore(o.slots)}
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	if err := loop.AddSignalHandler(syscall.SIGTERM, w.stop.Set); err != nil {
		return err
	}
	if w.queue, err = connect(ctx, o); err != nil {
		return err
	}
	defer w.close()
	w.say("ready")
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, slots *asyncio.TaskGroup) error {
		for range o.slots {
			slots.Go(w.slot)
		}
		return nil
	})
}

// slot does one task after the other.
func (w *worker) slot(ctx context.Context) error {
	for !w.stop.IsSet() {
		m, err := w.take(ctx)
		switch {
		case m != nil:
			err = w.handle(ctx, m)
		case err != nil && asyncio.IsException(err):
			err = asyncio.Sleep(ctx, 100*time.Millisecond) // the server is away
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reached is called at each step of a task: when it was taken, its work is done,
// its result is written down, and the queue has forgotten it. The tests have the
// worker or the server killed there.
var reached = func(_ context.Context, step string, _ job) {}

// handle does the task in m, and tells the queue what has become of it: only when
// the result is written down is the task gone.
func (w *worker) handle(ctx context.Context, m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	var j job
	if err := json.Unmarshal(m.Data(), &j); err != nil || kinds[j.Kind] == nil {
		j.ID = "unreadable-" + strconv.FormatUint(meta.Sequence.Stream, 10)
		return w.setAside(ctx, m, j, 0, "nobody knows what to do with it")
	}
	reached(ctx, "taken", j)
	beat := asyncio.Go(ctx, func(ctx context.Context) error { return w.beat(ctx, m, j) })
	defer beat.Cancel()
	// Also if it comes for the first time: a server that was killed may have forgotten
	// that somebody had it. See findings/jetstream-kill.sh.
	switch done, err := w.recorded(ctx, j.ID); {
	case err != nil:
		return err
	case done:
		w.say("task %s comes again, and is done already", j.ID)
		return w.acknowledge(ctx, m)
	}
	if meta.NumDelivered == 1 {
		return w.running.Do(ctx, func() error { return w.do(ctx, m, j, 1) })
	}
	return w.suspect.Do(ctx, func() error {
		for i := range w.slots {
			if err := w.running.Acquire(ctx); err != nil {
				for range i {
					w.running.Release()
				}
				return err
			}
		}
		defer func() {
			for range w.slots {
				w.running.Release()
			}
		}()
		try, err := w.begin(ctx, j.ID)
		if err != nil {
			return err
		}
		w.say("task %s comes again (try %d)", j.ID, try)
		if try > tries {
			return w.setAside(ctx, m, j, try-1, "its workers have died")
		}
		return w.do(ctx, m, j, try)
	})
}

// beat lets the queue know that the task is being worked on.
func (w *worker) beat(ctx context.Context, m jetstream.Msg, j job) error {
	for {
		if err := asyncio.Sleep(ctx, w.ackWait/3); err != nil {
			return err
		}
		err := asyncio.ToThreadFunc(ctx, func(context.Context) error { return m.InProgress() })
		if err != nil && asyncio.IsException(err) {
			w.say("task %s: %v", j.ID, err)
		}
	}
}

// do does the task.
func (w *worker) do(ctx context.Context, m jetstream.Msg, j job, try int) error {
	value, err := kinds[j.Kind](ctx, j)
	switch {
	case err == nil:
		reached(ctx, "worked", j)
		first, err := w.record(ctx, outcome{job: j, Value: value, Worker: w.name, Try: try})
		if err != nil {
			return err
		}
		if !first {
			w.say("task %s was done twice: another worker was faster (try %d)", j.ID, try)
		}
		reached(ctx, "recorded", j)
		err = w.acknowledge(ctx, m)
		reached(ctx, "acknowledged", j)
		return err
	case !asyncio.IsException(err):
		return err // cancelled: the task will be another's
	case try == tries:
		return w.setAside(ctx, m, j, try, err.Error())
	}
	w.say("task %s has failed (try %d): %v", j.ID, try, err)
	return asyncio.ToThreadFunc(ctx, func(context.Context) error { return m.NakWithDelay(backoff << (try - 1)) })
}

// setAside puts the task where people will look at it.
func (w *worker) setAside(ctx context.Context, m jetstream.Msg, j job, try int, reason string) error {
	if _, err := w.record(ctx, outcome{job: j, Worker: w.name, Try: try, Reason: reason}); err != nil {
		return err
	}
	w.say("task %s is set aside after %d tries: %s", j.ID, try, reason)
	return w.acknowledge(ctx, m)
}

// acknowledge has the queue forget the task. If the queue does not confirm, it
// comes again some time, and is found to be done.
func (w *worker) acknowledge(ctx context.Context, m jetstream.Msg) error {
	err := asyncio.ToThreadFunc(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		return m.DoubleAck(ctx)
	})
	if asyncio.IsException(err) {
		return nil
	}
	return err
}

func (w *worker) say(format string, args ...any) {
	fmt.Fprintf(w.out, w.name+": "+format+"\n", args...)
}

// kinds are the kinds of tasks. A coroutine each: it may wait, or compute in a
// thread.
var kinds = map[string]func(ctx context.Context, j job) (string, error){
	// primes counts the primes below N.
	"primes": func(ctx context.Context, j job) (string, error) {
		return asyncio.ToThread(ctx, func(ctx context.Context) (string, error) {
			return strconv.Itoa(primes(j.N)), nil
		})
	},
	// wait takes N milliseconds, as a call over the network does.
	"wait": func(ctx context.Context, j job) (string, error) {
		return asyncio.SleepResult(ctx, time.Duration(j.N)*time.Millisecond, "waited")
	},
	// fail can never be done.
	"fail": func(context.Context, job) (string, error) {
		return "", errors.New("the data is spoilt")
	},
	// crash ends its worker, as running out of memory does.
	"crash": func(ctx context.Context, _ job) (string, error) {
		me, err := os.FindProcess(os.Getpid())
		if err != nil {
			return "", err
		}
		if err := me.Kill(); err != nil {
			return "", err
		}
		return "", asyncio.Sleep(ctx, time.Minute)
	},
}

// primes returns how many primes there are below n.
func primes(n int) (count int) {
	composite := make([]bool, max(n, 2))
	for i := 2; i < n; i++ {
		if composite[i] {
			continue
		}
		count++
		for k := i * i; k < n; k += i {
			composite[k] = true
		}
	}
	return count
}
