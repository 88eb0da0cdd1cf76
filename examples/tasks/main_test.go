package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The processes that the tests start are this test program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "server" || os.Args[1] == "work" || os.Args[1] == "produce") {
		stopAtStep()
		main()
		return
	}
	os.Exit(m.Run())
}

func runMain(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	require.NoError(t, asyncio.RunFunc(t.Context(), func(ctx context.Context) error {
		return asyncio.WithTimeout(ctx, 2*time.Minute, func(ctx context.Context, _ *asyncio.Timeout) error { return f(ctx) })
	}, asyncio.WithSignals(false)))
}

// A scene is a server and workers, as processes.
type scene struct {
	t       *testing.T
	o       options
	server  *asyncio.Process
	workers *asyncio.Process
	said    asyncio.Queue[string]
	log     []string
	readers []asyncio.AnyTask // of what the workers say
}

func play(t *testing.T, o options, f func(ctx context.Context, s *scene, q *queue) error) {
	runMain(t, func(ctx context.Context) error {
		o.ackWait, o.replicas, o.dir, o.addr = time.Second, 1, t.TempDir(), "127.0.0.1:0"
		s := &scene{t: t, o: o}
		if err := s.serve(ctx); err != nil {
			return err
		}
		defer func() { end(ctx, s.server) }()
		q, err := connect(ctx, s.o)
		if err != nil {
			return err
		}
		defer q.close()
		s.workers, err = start(ctx, "work", "-url", s.o.url, "-workers", fmt.Sprint(o.workers), "-slots", fmt.Sprint(o.slots), "-ackwait", "1s")
		if err != nil {
			return err
		}
		defer func() { end(ctx, s.workers) }()
		for _, r := range []*asyncio.StreamReader{s.workers.Stdout, s.workers.Stderr} {
			reading := asyncio.Go(ctx, func(ctx context.Context) error { return listen(ctx, r, &s.said) })
			defer reading.Cancel()
			s.readers = append(s.readers, reading)
		}
		return f(ctx, s, q)
	})
}

// serve starts the server, at the address where it was, if it was.
func (s *scene) serve(ctx context.Context) (err error) {
	if s.server, err = start(ctx, "server", "-dir", s.o.dir, "-addr", s.o.addr); err != nil {
		return err
	}
	line, err := s.server.Stdout.ReadLine(ctx)
	s.o.url = strings.TrimSpace(string(line))
	s.o.addr = strings.TrimPrefix(s.o.url, "nats://")
	return err
}

// hears waits until a worker says what matches.
func (s *scene) hears(ctx context.Context, pattern string) (match []string, err error) {
	re := regexp.MustCompile(pattern)
	for match == nil {
		line, err := s.said.Get(ctx)
		if err != nil {
			return nil, fmt.Errorf("nobody says %q: %w, only\n%s", pattern, err, strings.Join(s.log, "\n"))
		}
		s.log = append(s.log, line)
		match = re.FindStringSubmatch(line)
	}
	return match, nil
}

// over ends the workers, and returns all that they have said.
func (s *scene) over(ctx context.Context) (log string, err error) {
	end(ctx, s.workers)
	if _, _, err := asyncio.Wait(ctx, s.readers); err != nil {
		return "", err
	}
	for !s.said.Empty() {
		line, _ := s.said.GetNowait()
		s.log = append(s.log, line)
	}
	return strings.Join(s.log, "\n"), nil
}

// done waits until n tasks have an outcome and nothing is left.
func (s *scene) done(ctx context.Context, n int) (counts, error) {
	s.o.n = n
	var out bytes.Buffer
	c, err := watch(ctx, s.o, &out, &s.said)
	s.log = append(s.log, strings.Split(out.String(), "\n")...)
	return c, err
}

// pending returns how many tasks workers have taken and not acknowledged.
func (s *scene) pending(ctx context.Context, q *queue) (int, error) {
	return asyncio.ToThread(ctx, func(ctx context.Context) (int, error) {
		info, err := q.workers.Info(ctx)
		if err != nil {
			return 0, err
		}
		return info.NumAckPending, nil
	})
}

func waits(n, ms int) (jobs []job) {
	for i := range n {
		jobs = append(jobs, job{ID: fmt.Sprintf("wait-%d", i), Kind: "wait", N: ms})
	}
	return jobs
}

// Everything, as a reader runs it.
func TestAll(t *testing.T) {
	_, o := parse([]string{"-n", "100", "-ackwait", "1s"})
	var out bytes.Buffer
	runMain(t, func(ctx context.Context) error { return all(ctx, o, &out) })
	assert.Contains(t, out.String(), "97 tasks are done, 3 set aside")
	assert.Contains(t, out.String(), "set aside: task 000049, after 3 tries: the data is spoilt")
	assert.Contains(t, out.String(), "set aside: task 000050, after 3 tries: its workers have died")
	assert.Contains(t, out.String(), "set aside: task 000099, after 3 tries: the data is spoilt")
	assert.NotContains(t, out.String(), "done twice")
}

// A worker is killed in the middle of a task, and then the server: nothing is lost,
// and nothing is done again that was done.
func TestKills(t *testing.T) {
	play(t, options{workers: 2, slots: 1}, func(ctx context.Context, s *scene, q *queue) error {
		first, err := s.hears(ctx, `worker (\d+): ready`)
		if err != nil {
			return err
		}
		if _, err = s.hears(ctx, `worker (\d+): ready`); err != nil {
			return err
		}
		for _, j := range waits(12, 500) {
			if err := q.put(ctx, j); err != nil {
				return err
			}
		}
		for looks := 0; looks < 5; looks++ { // both are in the middle of one
			busy, err := s.pending(ctx, q)
			if err != nil {
				return err
			}
			if busy < 2 {
				looks = 0
			}
		}
		var pid int
		fmt.Sscan(first[1], &pid)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return err
		}
		again, err := s.hears(ctx, `worker (\d+): task (wait-\d+) comes again \(try 2\)`)
		if err != nil {
			return err
		}
		assert.NotEqual(t, first[1], again[1], "the dead do not work")

		s.server.Kill()
		s.server.Wait(ctx)
		if err := s.serve(ctx); err != nil {
			return err
		}
		c, err := s.done(ctx, 12)
		if err != nil {
			return err
		}
		assert.Equal(t, counts{done: 12}, c)
		done, err := outcomes(ctx, q.done)
		if err != nil {
			return err
		}
		ids := make(map[string]int)
		for _, r := range done {
			ids[r.ID]++
		}
		for _, j := range waits(12, 0) {
			assert.Equal(t, 1, ids[j.ID], "results of %s", j.ID)
		}
		log := strings.Join(s.log, "\n")
		for _, twice := range regexp.MustCompile(`task (\S+) was done twice`).FindAllStringSubmatch(log, -1) {
			assert.Contains(t, log, "task "+twice[1]+" comes again", "done twice without a word")
		}
		return nil
	})
}

// A task that kills its worker takes only itself along: those that were beside it
// are done.
func TestCrash(t *testing.T) {
	play(t, options{workers: 1, slots: 4}, func(ctx context.Context, s *scene, q *queue) error {
		if _, err := s.hears(ctx, "ready"); err != nil {
			return err
		}
		for _, j := range append(waits(3, 300), job{ID: "crash", Kind: "crash"}) {
			if err := q.put(ctx, j); err != nil {
				return err
			}
		}
		c, err := s.done(ctx, 4)
		if err != nil {
			return err
		}
		assert.Equal(t, counts{done: 3, aside: 1}, c)
		return nil
	})
}

// SIGTERM lets a worker finish what it has, and leaves the rest to others.
func TestGracefulStop(t *testing.T) {
	play(t, options{workers: 1, slots: 2}, func(ctx context.Context, s *scene, q *queue) error {
		if _, err := s.hears(ctx, "ready"); err != nil {
			return err
		}
		for _, j := range waits(6, 1500) { // longer than a worker may be silent
			if err := q.put(ctx, j); err != nil {
				return err
			}
		}
		for c := (counts{}); c.done == 0; {
			var err error
			if c, err = q.count(ctx); err != nil {
				return err
			}
		}
		if err := s.workers.Terminate(); err != nil {
			return err
		}
		if _, err := s.workers.Wait(ctx); err != nil {
			return err
		}
		c, err := q.count(ctx)
		if err != nil {
			return err
		}
		assert.Equal(t, 6, c.done+c.left)
		assert.GreaterOrEqual(t, c.left, 2, "it took more after SIGTERM")
		busy, err := s.pending(ctx, q)
		if err != nil {
			return err
		}
		assert.Zero(t, busy, "tasks that it took and did not finish")
		for !s.said.Empty() {
			line, _ := s.said.GetNowait()
			assert.NotContains(t, line, "again", "it was not silent for too long")
		}
		return nil
	})
}

// What nobody can read is set aside, and a task that is put twice is done once.
func TestOddTasks(t *testing.T) {
	play(t, options{workers: 1, slots: 2}, func(ctx context.Context, s *scene, q *queue) error {
		for _, j := range append(waits(3, 10), append(waits(3, 10), job{ID: "x", Kind: "unheard"})...) {
			if err := q.put(ctx, j); err != nil {
				return err
			}
		}
		c, err := s.done(ctx, 4)
		if err != nil {
			return err
		}
		assert.Equal(t, counts{done: 3, aside: 1}, c)
		aside, err := outcomes(ctx, q.aside)
		if err != nil {
			return err
		}
		require.Len(t, aside, 1)
		assert.Equal(t, "nobody knows what to do with it", aside[0].Reason)
		return nil
	})
}
