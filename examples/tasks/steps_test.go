package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The tests tell a worker by its environment at which step it is to stop, with the
// task "victim": the first that comes there waits until it is killed, or until the
// file "go" is in the folder. What is worked on writes a line into a file there.
const (
	stepVariable   = "TASKS_TEST_STEP"
	folderVariable = "TASKS_TEST_FOLDER"
)

func stopAtStep() {
	step, dir := os.Getenv(stepVariable), os.Getenv(folderVariable)
	if dir == "" {
		return
	}
	reached = func(ctx context.Context, at string, j job) {
		if at != step || j.ID != "victim" {
			return
		}
		f, err := os.OpenFile(filepath.Join(dir, "stopped"), os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return // this is not the first
		}
		f.Close()
		fmt.Println("process", os.Getpid(), "stops when it has", at)
		for {
			if _, err := os.Stat(filepath.Join(dir, "go")); err == nil {
				return
			}
			if asyncio.Sleep(ctx, 10*time.Millisecond) != nil {
				return
			}
		}
	}
	kinds["work"] = func(ctx context.Context, j job) (string, error) {
		note(dir, "began", j)
		reached(ctx, "half", j)
		note(dir, "ended", j)
		return "worked", nil
	}
}

func note(dir, what string, j job) {
	f, err := os.OpenFile(filepath.Join(dir, what+" "+j.ID), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	f.WriteString(".")
}

// noted returns how often something was noted.
func noted(dir, what, id string) int {
	b, _ := os.ReadFile(filepath.Join(dir, what+" "+id))
	return len(b)
}

// steps are those of a task, and what becomes of it if its worker is killed there:
// how often the work is begun and ended in all, and what is said when it comes
// again.
var steps = []struct {
	name         string
	began, ended int
	says         string
}{
	{"taken", 1, 1, `task victim comes again \(try 2\)`},
	{"half", 2, 1, `task victim comes again \(try 2\)`},
	{"worked", 2, 2, `task victim comes again \(try 2\)`},
	{"recorded", 1, 1, `task victim comes again, and is done already`},
	{"acknowledged", 1, 1, ""},
}

const others = 5

// playStep has a worker come to a step, calls f with its process, and looks at what
// has become of all tasks.
func playStep(t *testing.T, step string, f func(ctx context.Context, s *scene, pid int) error) (dir, log string) {
	dir = t.TempDir()
	t.Setenv(stepVariable, step)
	t.Setenv(folderVariable, dir)
	play(t, options{workers: 2, slots: 1}, func(ctx context.Context, s *scene, q *queue) error {
		for range 2 {
			if _, err := s.hears(ctx, "ready"); err != nil {
				return err
			}
		}
		jobs := []job{{ID: "victim", Kind: "work"}}
		for i := range others {
			jobs = append(jobs, job{ID: fmt.Sprint("other-", i), Kind: "work"})
		}
		for _, j := range jobs {
			if err := q.put(ctx, j); err != nil {
				return err
			}
		}
		said, err := s.hears(ctx, `process (\d+) stops`)
		if err != nil {
			return err
		}
		var pid int
		fmt.Sscan(said[1], &pid)
		if err := f(ctx, s, pid); err != nil {
			return err
		}
		c, err := s.done(ctx, len(jobs))
		if err != nil {
			return err
		}
		assert.Equal(t, counts{done: len(jobs)}, c, "something is lost, or there twice")
		done, err := outcomes(ctx, q.done)
		if err != nil {
			return err
		}
		assert.Len(t, done, len(jobs))
		log, err = s.over(ctx)
		return err
	})
	for i := range others {
		saidSo(t, dir, log, fmt.Sprint("other-", i))
	}
	return dir, log
}

// saidSo looks whether a task was done, and if several times, whether that was said.
func saidSo(t *testing.T, dir, log, id string) {
	t.Helper()
	n := noted(dir, "ended", id)
	assert.NotZero(t, n, "%s was not done", id)
	if n > 1 {
		assert.Regexp(t, "task "+id+" (comes again|was done twice)", log, "it was done %d times, without a word", n)
	}
}

// A worker is killed at each step of a task. It is lost at none, done twice only
// where its work was done and nobody knew, and the worker that gets it again says
// so.
func TestWorkerKilledAtEachStep(t *testing.T) {
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			dir, log := playStep(t, step.name, func(ctx context.Context, s *scene, pid int) error {
				return syscall.Kill(pid, syscall.SIGKILL)
			})
			assert.Equal(t, step.began, noted(dir, "began", "victim"), "how often it was begun")
			assert.Equal(t, step.ended, noted(dir, "ended", "victim"), "how often it was done")
			if step.says == "" {
				assert.NotContains(t, log, "victim comes again")
			} else {
				assert.Regexp(t, step.says, log)
			}
		})
	}
}

// The server is killed at each step of a task, and started again, while the worker
// waits there. The server may have forgotten who had what: what is done twice is
// told by who does it.
func TestServerKilledAtEachStep(t *testing.T) {
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			dir, log := playStep(t, step.name, func(ctx context.Context, s *scene, pid int) error {
				s.server.Kill()
				s.server.Wait(ctx)
				if err := os.WriteFile(filepath.Join(os.Getenv(folderVariable), "go"), nil, 0o666); err != nil {
					return err
				}
				return s.serve(ctx)
			})
			saidSo(t, dir, log, "victim")
		})
	}
}
