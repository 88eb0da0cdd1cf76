//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/go-greenlet/greenlet/bench/net/load"
	"github.com/go-greenlet/greenlet/bench/net/process"
)

// A plan is what to run, how often and for how long.
type plan struct {
	rounds int
	each   time.Duration
	warmup time.Duration
	idle   int
	cases  []echoCase

	load    string // the generator
	servers []server
	noProbe error // why system calls are not counted
}

// An echoCase is a size of messages and a number of connections.
type echoCase struct{ size, conns int }

var cases = []echoCase{{64, 1}, {64, 50}, {64, 500}, {1024, 50}, {1024, 500}, {64 << 10, 50}}

func (c echoCase) String() string {
	if c.size >= 1024 {
		return fmt.Sprintf("%d KiB × %d", c.size>>10, c.conns)
	}
	return fmt.Sprintf("%d B × %d", c.size, c.conns)
}

// The other cases.
const (
	busy   = "100 busy"
	idle   = "100 busy, with idle ones"
	accept = "accept"
	spawn  = "spawn"
)

// busyOnes is the case with and without idle connections besides.
var busyOnes = echoCase{64, 100}

// run runs the rounds.
func (p *plan) run() (*measurements, error) {
	m := newMeasurements(p)
	begin := time.Now()
	for round := 1; round <= p.rounds; round++ {
		if err := p.round(m, round); err != nil {
			return nil, fmt.Errorf("round %d: %w", round, err)
		}
		spent := time.Since(begin)
		progress("round %d of %d: %v gone, about %v left\n", round, p.rounds, spent.Round(time.Second),
			(spent / time.Duration(round) * time.Duration(p.rounds-round)).Round(time.Second))
	}
	return m, nil
}

func (p *plan) round(m *measurements, round int) error {
	// Idle connections have servers of their own: new ones, which have no memory to
	// reuse, and the others shall not be those that once had ten thousand
	// connections. A collector remembers that.
	hundred := load.Config{Size: busyOnes.size, Conns: busyOnes.conns}
	if err := p.serve(m, round, func(ask asker) error {
		with := hundred
		with.Idle = p.idle
		return ask(idle, with)
	}); err != nil {
		return err
	}
	if err := p.serve(m, round, func(ask asker) error { return p.busyCases(ask, hundred) }); err != nil {
		return err
	}
	for _, s := range p.servers {
		if s.spawn != nil {
			progress("round %d of %d: %s: %s", round, p.rounds, spawn, s.name)
			if err := m.spawn(round, s); err != nil {
				return fmt.Errorf("%s, %s: %w", s.name, spawn, err)
			}
		}
	}
	return nil
}

// An asker measures one case with all servers.
type asker func(what string, c load.Config) error

// serve calls f while all servers run.
func (p *plan) serve(m *measurements, round int, f func(ask asker) error) error {
	var servers []*running
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	for _, s := range p.servers {
		r, err := s.start(pin(serverCPU))
		if err != nil {
			return err
		}
		servers = append(servers, r)
	}
	return f(func(what string, c load.Config) error {
		for i := range servers {
			s := servers[(i+round)%len(servers)] // nobody is always the first
			progress("round %d of %d: %s: %s", round, p.rounds, what, s.name)
			if err := p.ask(m, round, s, what, c); err != nil {
				return fmt.Errorf("%s, %s: %w", s.name, what, err)
			}
		}
		return nil
	})
}

// busyCases is what is measured without idle connections.
func (p *plan) busyCases(ask asker, hundred load.Config) error {
	if err := ask(busy, hundred); err != nil {
		return err
	}
	for _, c := range p.cases {
		if err := ask(c.String(), load.Config{Size: c.size, Conns: c.conns}); err != nil {
			return err
		}
	}
	if err := ask(accept, load.Config{Size: 64, Conns: 50, Churn: true}); err != nil {
		return err
	}
	for _, c := range p.cases {
		if p.noProbe == nil {
			if err := ask(c.String(), load.Config{Size: c.size, Conns: c.conns, Probe: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask runs the generator once.
func (p *plan) ask(m *measurements, round int, s *running, what string, c load.Config) error {
	pid := s.cmd.Process.Pid
	if err := process.Settle(pid, 5*time.Second); err != nil {
		return err
	}
	meter := startMeter()
	before, err := process.Clock(pid)
	if err != nil {
		return err
	}
	each := p.each
	if c.Probe {
		each /= 2
	}
	generator := prepare([]string{
		p.load, "-addr", s.addr, "-server", strconv.Itoa(pid),
		"-size", strconv.Itoa(c.Size), "-conns", strconv.Itoa(c.Conns), "-idle", strconv.Itoa(c.Idle),
		"-warmup", p.warmup.String(), "-duration", each.String(),
		"-churn=" + strconv.FormatBool(c.Churn), "-probe=" + strconv.FormatBool(c.Probe),
	})
	out, err := generator.StdoutPipe()
	if err != nil {
		return err
	}
	if err := process.Start(generator, pin(loadCPU)); err != nil {
		return err
	}
	var r load.Result
	failed := json.NewDecoder(out).Decode(&r)
	if err := generator.Wait(); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("the generator's result: %w", failed)
	}
	after, err := process.Clock(pid)
	meter.own = after - before + generator.ProcessState.UserTime() + generator.ProcessState.SystemTime()
	if c.Probe && r.Probed == nil {
		progress("skipped the count of system calls: %s\n", r.NoProbe)
		p.noProbe = fmt.Errorf("%s", r.NoProbe)
		return nil
	}
	m.result(round, s.name, what, r)
	if !c.Probe {
		m.foreign(round, s.name, what, &meter)
	}
	return err
}

// spawn runs a program that starts children.
func (m *measurements) spawn(round int, s server) error {
	c, meter := prepare(s.spawn), startMeter()
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := process.Start(c, pin(serverCPU)); err != nil {
		return err
	}
	var r struct{ Count, Seconds float64 }
	failed := json.NewDecoder(out).Decode(&r)
	if err := c.Wait(); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	// With its children, since they have been waited for.
	meter.own = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	m.add(round, s.name, spawn, perSecond, r.Count/r.Seconds)
	m.foreign(round, s.name, spawn, &meter)
	return nil
}

// pin is the processor for one side, or none on a machine that has only one.
func pin(cpu int) int {
	if runtime.NumCPU() < 2 {
		return -1
	}
	return cpu
}

// progress goes to standard error: to a terminal all of it, on one line; else
// only what ends a line.
func progress(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	info, err := os.Stderr.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	if terminal {
		fmt.Fprint(os.Stderr, "\r\033[K", text)
	} else if text[len(text)-1] == '\n' {
		fmt.Fprint(os.Stderr, text)
	}
}
