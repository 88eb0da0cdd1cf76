package asynciotest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// An Option is a choice made for Run, Explore and Simulate.
type Option func(*play)

// WithSeed runs the tasks of each turn in an order that the seed decides, and
// seeds Rand. Without it the order is asyncio's. Explore chooses its own.
func WithSeed(seed uint64) Option {
	return func(p *play) { p.seed, p.seeded = seed, true }
}

// WithClock makes the loop go by c: one of NewManualClock, or one that the test
// wants to ask. A clock is for one run.
func WithClock(c *Clock) Option { return func(p *play) { p.clock = c } }

// WithRealTime makes the loop go by the system's clock; in a testing/synctest
// bubble that is the bubble's.
func WithRealTime() Option { return func(p *play) { p.real = true } }

// WithLoopOptions makes the loop with opts, too.
func WithLoopOptions(opts ...asyncio.LoopOption) Option {
	return func(p *play) { p.loopOpts = append(p.loopOpts, opts...) }
}

// WithNetwork gives the run a simulated network, for which cfg is what simnet.New
// takes, and the seed is that of the run: see package simnet. Connections, datagrams
// and names are its own then, and simnet.Of(ctx) returns it. When f has returned, all
// its hosts crash; only what the test itself has begun can be left behind.
func WithNetwork(cfg simnet.Config) Option {
	return func(p *play) { p.simulated = &cfg }
}

// Run runs f as the main task of a loop of its own, on virtual time, and closes
// the loop. The test fails, with t.Error, if f panics or leaves tasks, timers or
// greenlets behind, if the loop's exception handler is told of anything, or if
// nothing can happen any more. A test that expects a report sets a handler of its
// own (Loop.SetExceptionHandler).
//
// f may fail the test as any test does; t.FailNow ends it at once, and kills the
// tasks that are left. The calling goroutine must not run another loop.
func Run(t testing.TB, f func(ctx context.Context), opts ...Option) {
	t.Helper()
	p := newPlay(opts)
	p.report = func(problem string) {
		t.Helper()
		t.Error(problem)
	}
	err := p.run(t.Context(), func(ctx context.Context) error {
		f(ctx)
		return nil
	})
	if err != nil && !p.hopeless {
		t.Error(err)
	}
}

// Simulate runs f as Run does, in the order of the seed, without a test. It
// returns the error of f, joined with what Run would fail the test for.
func Simulate(seed uint64, f func(ctx context.Context) error, opts ...Option) error {
	p := newPlay(append([]Option{WithSeed(seed)}, opts...))
	var all []error
	p.report = func(problem string) { all = append(all, errors.New(problem)) }
	err := p.run(context.Background(), f)
	return errors.Join(append([]error{err}, all...)...)
}

// Now returns the time on the clock of ctx's loop.
func Now(ctx context.Context) time.Duration {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		panic(err)
	}
	return l.Time()
}

// Advance is Clock.Advance for the clock of the run that ctx comes from.
func Advance(ctx context.Context, d time.Duration) error {
	p := playOf(ctx)
	if p.clock == nil {
		return errors.New("asynciotest: this run has no virtual clock")
	}
	return p.clock.Advance(ctx, d)
}

// Rand returns the random numbers of the run that ctx comes from: the same ones
// for the same seed, if they are asked for in the same order. It belongs to the
// loop.
func Rand(ctx context.Context) *rand.Rand { return playOf(ctx).rand }

// Delay suspends the calling task for a random time below max, of Rand; now and
// then for none at all. It stands for what takes a while in life, such as the
// network, so that Explore tries it fast and slow. The errors are those of
// asyncio.Sleep.
func Delay(ctx context.Context, max time.Duration) error {
	r := Rand(ctx)
	if max <= 0 || r.IntN(4) == 0 {
		return asyncio.Sleep(ctx, 0)
	}
	return asyncio.Sleep(ctx, time.Duration(r.Int64N(int64(max))))
}

// A play is one run of one coroutine.
type play struct {
	seed     uint64
	seeded   bool
	clock    *Clock // nil: real time
	real     bool
	loopOpts []asyncio.LoopOption
	rand     *rand.Rand
	report   func(problem string)
	loop     *asyncio.Loop
	hopeless bool // nothing could happen any more

	simulated *simnet.Config
	network   *simnet.Network // nil: the system's
	onNetwork func(n *simnet.Network)
	check     int // see WithCheck
	workers   int // see WithWorkers
}

type playKey struct{}

func playOf(ctx context.Context) *play {
	p, ok := ctx.Value(playKey{}).(*play)
	if !ok {
		panic("asynciotest: the context does not come from Run, Explore or Simulate")
	}
	return p
}

func newPlay(opts []Option) *play {
	p := &play{}
	for _, o := range opts {
		o(p)
	}
	switch {
	case p.real:
		p.clock = nil
	case p.clock == nil:
		p.clock = NewClock()
	}
	if p.clock != nil {
		p.loopOpts = append(p.loopOpts, asyncio.WithClock(p.clock))
	}
	if p.seeded {
		p.loopOpts = append(p.loopOpts, asyncio.WithSeed(p.seed))
	}
	if p.simulated != nil {
		if p.clock != nil {
			p.clock.outside = p.simulated.Goroutines
		}
		p.network = simnet.New(p.seed, *p.simulated)
		p.loopOpts = append(p.loopOpts, p.network.Options()...)
		if p.onNetwork != nil {
			p.onNetwork(p.network)
		}
	}
	p.rand = rand.New(rand.NewPCG(p.seed, 1))
	return p
}

// run runs main, and reports what is wrong but for its error, which it returns.
func (p *play) run(ctx context.Context, main func(ctx context.Context) error) error {
	before := suspended()
	r := asyncio.NewRunner(asyncio.WithSignals(false), asyncio.WithLoopOptions(p.loopOpts...))
	p.loop, _ = r.Loop()
	whole := false
	p.loop.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
		if whole {
			p.report(describe(c))
		}
	})
	if p.clock != nil {
		p.clock.stuck = p.stuck
		defer func() { p.clock.stuck = nil }()
	}
	defer p.loop.Close() // if main has ended the goroutine, by t.FailNow say
	whole = true
	defer func() { whole = false }()

	ctx = context.WithValue(ctx, playKey{}, p)
	_, err := asyncio.RunIn(ctx, r, func(ctx context.Context) (asyncio.None, error) {
		return asyncio.None{}, main(ctx)
	})
	var panicked *asyncio.PanicError
	if errors.As(err, &panicked) {
		p.report(fmt.Sprintf("panic: %v\n%s", panicked.Value, panicked.Stack))
		err = nil
	}
	p.settle(ctx, r)
	p.reportLeft()
	if closing := r.Close(); closing != nil {
		p.report("closing the loop: " + closing.Error())
	}
	for _, g := range left(before) {
		p.report(fmt.Sprintf("%v is left suspended:\n%s", g, frames(g)))
	}
	return err
}

// settle lets everything go on that is ready: a task that was cancelled in the
// last step is not left behind.
func (p *play) settle(ctx context.Context, r *asyncio.Runner) {
	asyncio.RunIn(ctx, r, func(ctx context.Context) (asyncio.None, error) {
		if p.network != nil {
			simnet.Of(ctx).Close()
		}
		return asyncio.None{}, WaitIdle(ctx)
	})
}

func (p *play) reportLeft() {
	tasks := p.loop.AllTasks()
	if len(tasks) > 0 {
		p.report(fmt.Sprintf("tasks left behind: %d\n%s", len(tasks), stacks(tasks)))
	} else if _, timers := p.loop.Pending(); timers > 0 {
		p.report(fmt.Sprintf("timers left behind: %d", timers))
	}
}

// stuck is called when nothing can happen any more.
func (p *play) stuck() {
	tasks := p.loop.AllTasks()
	p.report(fmt.Sprintf("nothing can happen any more: %d tasks wait, and no timer is set:\n%s", len(tasks), stacks(tasks)))
	if p.hopeless {
		p.loop.Stop() // they have refused to end
	}
	p.hopeless = true
	for _, t := range tasks {
		t.Cancel()
	}
}

// describe tells what the exception handler was told.
func describe(c asyncio.ExceptionContext) string {
	var b strings.Builder
	fmt.Fprint(&b, "unhandled: ", c.Message)
	switch {
	case c.Task != nil:
		fmt.Fprintf(&b, " (%s)", c.Task.Name())
	case c.Name != "":
		fmt.Fprintf(&b, " (%s)", c.Name)
	}
	if c.Exception != nil {
		fmt.Fprint(&b, ": ", c.Exception)
	}
	var panicked *asyncio.PanicError
	if errors.As(c.Exception, &panicked) {
		fmt.Fprintf(&b, "\n%s", panicked.Stack)
	}
	return b.String()
}

func stacks(tasks []asyncio.AnyTask) string {
	var b strings.Builder
	for _, t := range tasks {
		t.PrintStack(&b)
	}
	return b.String()
}

func frames(g *greenlet.Greenlet) string {
	var b strings.Builder
	for _, f := range g.Stack() {
		fmt.Fprintf(&b, "  %s\n    %s:%d\n", f.Function, f.File, f.Line)
	}
	return b.String()
}

// suspended returns the greenlets of the calling goroutine that are suspended.
func suspended() map[uint64]*greenlet.Greenlet {
	all := make(map[uint64]*greenlet.Greenlet)
	me := greenlet.Current()
	for g := range greenlet.All() {
		if g != me && g.Active() && g.Owned() {
			all[g.ID()] = g
		}
	}
	return all
}

// left returns those that were not there before and are not just garbage.
func left(before map[uint64]*greenlet.Greenlet) (gs []*greenlet.Greenlet) {
	more := func() bool {
		gs = nil
		for id, g := range suspended() {
			if before[id] == nil {
				gs = append(gs, g)
			}
		}
		return gs != nil
	}
	if more() {
		gs = nil
		greenlet.Collect()
		more()
	}
	return gs
}
