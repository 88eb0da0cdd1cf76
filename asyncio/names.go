package asyncio

import (
	"context"
	"os"
	"reflect"
	"runtime"
	"runtime/pprof"
	"runtime/trace"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// Profiles and traces with the names of tasks in them.
//
// A task has a goroutine to itself from its beginning to its end, so its labels are
// set once, and a hop costs nothing. A set of labels is made once for each name.

// WithProfileLabels gives each task the profiler label task=NAME, beside those that it
// has from who has made it, and callbacks task=(callback): go tool pprof -tags,
// -tagfocus and -tagroot then tell tasks apart, and so do goroutine profiles, also
// tasks that wait. NAME is that of WithTaskName, else that of the task's function:
// never "Task-17", of which there would be one for each task. The environment variable
// ASYNCIOLABELS, if it is set and not 0, does so for all loops.
//
// It costs some 100 nanoseconds for each task, and memory for each different name.
func WithProfileLabels() LoopOption {
	return loopOption(func(o *loopOptions) { o.labels = true })
}

func init() {
	whenMade = append(whenMade, func(l *Loop, o *loopOptions) {
		v := os.Getenv("ASYNCIOLABELS")
		l.labels = o.labels || v != "" && v != "0"
	})
	whenRun = append(whenRun, func(l *Loop) (end func()) {
		if !l.labels {
			return nil
		}
		return labelCallbacks()
	})
	shownTask.made = (*task).traced
	shownTask.begun = (*task).named
	shownTask.ended = (*task).unnamed
	shownTask.over = (*task).untraced
}

// profileLabels are the labels of a loop's tasks.
type profileLabels struct {
	sets map[labelKey]rt.Labels

	// Tasks that are made one after the other often have the same.
	last    labelKey
	lastSet rt.Labels

	asks wrappedFunction // for unwrapped
}

var labelsPart = newPart(endOutside, func() *profileLabels {
	return &profileLabels{sets: make(map[labelKey]rt.Labels)}
}, nil)

// A labelKey is what the labels of a task are made of.
type labelKey struct {
	from     rt.Labels // those of who has made it
	name     string    // "": that of its function
	function uintptr
}

// labelSetsMost is how many sets are kept. A program that gives each task a name of
// its own shall not keep them all.
const labelSetsMost = 1024

// label gives the running goroutine, which begins t, the labels of t. f is t's function.
func (p *profileLabels) label(t *task, f any) {
	if !rt.Fast {
		pprof.SetGoroutineLabels(pprof.WithLabels(t.parent, pprof.Labels("task", t.function(f))))
		return
	}
	key := labelKey{from: rt.OwnLabels()}
	if t.name != nil && *t.name != "" {
		key.name = *t.name
	} else {
		key.function = p.unwrapped(f)
	}
	if key == p.last && key != (labelKey{}) {
		rt.SetOwnLabels(p.lastSet)
		return
	}
	set, known := p.sets[key]
	if !known {
		if len(p.sets) == labelSetsMost {
			clear(p.sets)
		}
		set = withTask(key.from, t.function(f))
		p.sets[key] = set
	}
	p.last, p.lastSet = key, set
	rt.SetOwnLabels(set)
}

// labelCallbacks gives the calling goroutine, which runs the loop, the label of callbacks
// beside its own, and returns what takes it back.
func labelCallbacks() (end func()) {
	if !rt.Fast {
		return func() {} // nobody could tell what to take back
	}
	before := rt.OwnLabels()
	rt.SetOwnLabels(withTask(before, "(callback)"))
	return func() { rt.SetOwnLabels(before) }
}

// withTask returns the labels that from has, with task=name.
func withTask(from rt.Labels, name string) rt.Labels {
	var pairs []string
	from.Each(func(key, value string) {
		if key != "task" {
			pairs = append(pairs, key, value)
		}
	})
	pairs = append(pairs, "task", name)
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(pairs...)))
	return rt.OwnLabels()
}

// function returns the name of t for profiles: its own, or that of f, its function.
func (t *task) function(f any) string {
	if t.name != nil && *t.name != "" {
		return *t.name
	}
	if fn := runtime.FuncForPC(labelsPart.in(t.loop.parts).unwrapped(f)); fn != nil {
		return shortName(runtime.Frame{Function: fn.Name()})
	}
	return "?"
}

// wrapper is the address of what coroutine returns.
var wrapper = reflect.ValueOf(coroutine(func(context.Context) error { return nil })).Pointer()

// unwrapped returns the address of f, a Coro: of the user's function, if it is one of
// coroutine's.
func (p *profileLabels) unwrapped(f any) uintptr {
	at := reflect.ValueOf(f).Pointer()
	if c, ok := f.(Coro[None]); ok && at == wrapper {
		c(&p.asks)
		at = reflect.ValueOf(p.asks.f).Pointer()
		p.asks.f = nil
	}
	return at
}

// A tracedTask is the context of a task that was made while an execution trace is
// written: it is a task there, too, a part of that of who has made it.
type tracedTask struct {
	context.Context
	of     *task
	task   *trace.Task
	region *trace.Region
	ended  bool
}

// traced makes t a task of the trace, if one is written.
func (t *task) traced(f any) {
	if !trace.IsEnabled() {
		return
	}
	ctx, task := trace.NewTask(t.parent, t.function(f))
	t.parent = &tracedTask{Context: ctx, of: t, task: task}
}

// named is called when t begins, on the goroutine on which it runs. f is its function.
func (t *task) named(f any) {
	if t.loop.labels {
		labelsPart.in(t.loop.parts).label(t, f)
	}
	if c, ok := t.parent.(*tracedTask); ok && c.of == t && trace.IsEnabled() {
		c.region = trace.StartRegion(c.Context, t.function(f))
	}
}

// unnamed is called when t, which has begun, has ended, on the same goroutine.
func (t *task) unnamed() {
	if t.loop.labels && !rt.Fast { // else package sched takes its labels back
		pprof.SetGoroutineLabels(context.Background())
	}
	t.untraced()
}

// untraced notes in the trace that t has ended.
func (t *task) untraced() {
	c, ok := t.parent.(*tracedTask)
	if !ok || c.of != t || c.ended {
		return
	}
	c.ended = true
	if c.region != nil {
		c.region.End()
	}
	c.task.End()
}
