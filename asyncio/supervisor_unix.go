//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// How often, and after what time, a process that fails is started again.
var (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
	mostFails    = 10
	settledTime  = 10 * time.Second // after which a failure is the first
)

// A supervisor is RunProcesses where it was called. All but post is of the
// goroutine that has called it, which takes turns as a loop does.
type supervisor struct {
	opts      *processesOptions
	program   string
	listeners []*os.File
	life      *os.File // what children have of the pipe that ends with this process
	places    []*childPlace
	live      map[*supervised]bool
	events    chan func()
	over      chan struct{}
	watchers  sync.WaitGroup

	pauses   int // places that wait for their pause to end
	stopping bool
	signals  int   // that have said so
	killed   int   // processes, while stopping
	err      error // why it is stopping
}

// A childPlace is one of the n processes: over time it is several.
type childPlace struct {
	now   *supervised // or nil
	next  *supervised // is to take its place when it is ready, or nil
	again bool        // next is to be replaced as well
	fails int         // in a row
	pause *time.Timer // after which it is started, or nil
}

// supervise starts the processes, and returns when they have ended.
func supervise(ctx context.Context, n int, listen []string, o *processesOptions) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	s := &supervisor{
		opts:    o,
		program: program,
		live:    make(map[*supervised]bool),
		events:  make(chan func()),
		over:    make(chan struct{}),
	}
	files, unlisten, err := listenForChildren(ctx, listen)
	defer unlisten()
	if err != nil {
		return err
	}
	life, hold, err := os.Pipe()
	if err != nil {
		return err
	}
	defer life.Close()
	defer hold.Close()
	s.listeners, s.life = files, life

	caught := make(chan os.Signal, 8)
	signal.Notify(caught, syscall.SIGTERM, syscall.SIGHUP)
	if !interruptsIgnored() {
		signal.Notify(caught, os.Interrupt)
	}
	defer signal.Stop(caught)
	for range n {
		p := &childPlace{}
		s.places = append(s.places, p)
		s.startAt(p)
	}
	s.run(ctx.Done(), func() error { return context.Cause(ctx) }, caught)
	close(s.over)
	s.watchers.Wait()
	if s.killed > 0 {
		return errorf("RuntimeError", s.err, "%d processes had to be killed", s.killed)
	}
	return s.err
}

// run takes turns until no process is left.
func (s *supervisor) run(done <-chan struct{}, why func() error, caught <-chan os.Signal) {
	for len(s.live) > 0 || s.pauses > 0 {
		select {
		case event := <-s.events:
			event()
		case <-done:
			done = nil
			s.stop(why())
		case sig := <-caught:
			switch {
			case sig == syscall.SIGHUP:
				s.restart()
				continue
			case sig == os.Interrupt:
				s.stop(ErrKeyboardInterrupt)
			default:
				s.stop(nil)
			}
			if s.signals++; s.signals == 2 {
				for c := range s.live {
					s.kill(c)
				}
			}
		}
	}
}

// post has event called by run. Any goroutine may call it.
func (s *supervisor) post(event func()) {
	select {
	case s.events <- event:
	case <-s.over:
	}
}

// startAt starts the process of p, which has none.
func (s *supervisor) startAt(p *childPlace) {
	c, err := s.start(p)
	if err != nil {
		s.failed(p, false, err)
		return
	}
	p.now = c
}

// restart puts new processes in the places of all.
func (s *supervisor) restart() {
	if s.stopping {
		return
	}
	for _, p := range s.places {
		switch {
		case p.next != nil:
			p.again = true // it may have been started from the old file
		case p.now != nil:
			s.replace(p)
		default:
			s.unpause(p)
			p.fails = 0
			s.startAt(p)
		}
	}
}

// replace starts the process that is to be in the place of p's.
func (s *supervisor) replace(p *childPlace) {
	p.again = false
	c, err := s.start(p)
	if err != nil {
		slog.Error("asyncio: a process cannot be replaced", "error", err)
		return
	}
	p.next = c
}

// ready is told by c.
func (s *supervisor) ready(c *supervised) {
	p := c.place
	c.ready = time.Now()
	if p.next != c || s.stopping {
		return
	}
	old := p.now
	p.now, p.next, p.fails = c, nil, 0
	s.tell(old)
	if p.again {
		s.replace(p)
	}
}

// ended is told when c has ended, with err if not as it should.
func (s *supervisor) ended(c *supervised, err error) {
	delete(s.live, c)
	if c.patience != nil {
		c.patience.Stop()
	}
	p, ready := c.place, !c.ready.IsZero()
	if err == nil && !ready {
		err = runtimeErrorf("the program has ended before it was ready")
	}
	switch {
	case s.stopping:
	case p.next == c:
		p.next = nil
		slog.Error(fmt.Sprintf("asyncio: process %d has failed, the one it was to replace stays", c.cmd.Process.Pid), "error", err)
		if p.again {
			s.replace(p)
		}
	case p.now == c && p.next != nil:
		p.now, p.next = p.next, nil
		if p.again {
			s.replace(p)
		}
	case p.now == c:
		p.now = nil
		if err != nil {
			slog.Error(fmt.Sprintf("asyncio: process %d has failed and is started again", c.cmd.Process.Pid), "error", err)
			s.failed(p, ready && time.Since(c.ready) >= settledTime, err)
		}
	}
}

// failed starts the process of p again, after a pause.
func (s *supervisor) failed(p *childPlace, settled bool, err error) {
	if settled {
		p.fails = 0
	}
	if p.fails++; p.fails >= mostFails {
		s.stop(errorf("RuntimeError", err, "a process has failed %d times in a row, lately by: %v", p.fails, err))
		return
	}
	if s.stopping {
		return
	}
	var pause *time.Timer
	pause = time.AfterFunc(min(firstPause<<(p.fails-1), longestPause), func() {
		s.post(func() {
			if p.pause == pause {
				s.unpause(p)
				s.startAt(p)
			}
		})
	})
	p.pause = pause
	s.pauses++
}

// unpause ends the pause of p, if there is one.
func (s *supervisor) unpause(p *childPlace) {
	if p.pause != nil {
		p.pause.Stop()
		p.pause = nil
		s.pauses--
	}
}

// stop tells all processes to end, because of err.
func (s *supervisor) stop(err error) {
	if s.stopping {
		return
	}
	s.stopping, s.err = true, err
	for _, p := range s.places {
		s.unpause(p)
	}
	for c := range s.live {
		s.tell(c)
	}
}
