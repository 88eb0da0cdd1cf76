package simnet

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/alone"
)

// ErrHostDown is what the tasks of a host have failed with that went down.
var ErrHostDown = errors.New("simnet: the host is down")

// Start begins the host's program: main, as a task on the host, now and again after
// each Restart. If main returns an error, other than that of a cancel, it is told to
// the loop's exception handler, which fails a test of asynciotest. Its context has the
// values of the calling task's. Start does not switch; a task or a callback may call it,
// once for each host.
func (h *Host) Start(main func(ctx context.Context) error) {
	if h.main != nil {
		panic("simnet: " + h.name + " was started before")
	}
	h.net.running()
	h.base = context.Background()
	if t := asyncio.CurrentTask(h.base); t != nil {
		h.base = context.WithoutCancel(t.Context())
	}
	h.base = h.Context(h.base)
	h.main = main
	if !h.down {
		h.boot()
	}
}

// Go runs f in a task on the host. It does not switch.
func (h *Host) Go(ctx context.Context, f func(ctx context.Context) error) *asyncio.Task[asyncio.None] {
	return asyncio.Go(h.Context(ctx), f)
}

// boot begins main.
func (h *Host) boot() {
	h.net.record(Event{Kind: HostUp, From: h})
	h.running = asyncio.NewTask(h.net.loop, func(ctx context.Context) (asyncio.None, error) {
		return asyncio.None{}, h.main(ctx)
	}, asyncio.WithTaskContext(h.base), asyncio.WithTaskName(h.name))
	life, task := h.life, h.running
	h.net.whenDone(task, func() {
		_, err := task.Result()
		if life != h.life || err == nil || alone.Is(err, asyncio.ErrCancelled) {
			return
		}
		h.net.record(Event{Kind: HostFailed, From: h, Text: inLinuxWords(err)})
		h.net.loop.CallExceptionHandler(asyncio.ExceptionContext{Message: "host " + h.name + " has failed", Exception: err, Task: task})
	})
}

// Crash has the host's power fail. Its tasks end where they wait, and their deferred
// calls reach nobody; its callbacks are not called any more; other hosts hear nothing,
// and a reset from then on if it is up again; its disks lose what they have not synced.
//
// A task or a callback may call it; it switches. A caller that runs on the host
// itself ends at its next wait.
func (h *Host) Crash() { h.goDown(Crashed) }

// Kill ends the host's processes at once, tasks and callbacks, and leaves the system
// alive: that ends their connections, or resets those where something was not read, and
// refuses new ones; disks lose nothing. It may be called as Crash is.
func (h *Host) Kill() { h.goDown(Killed) }

// Shutdown tells the host's program to end, as a signal does: what Start has begun is
// cancelled. When it has ended, what else runs on the host is killed. Shutdown does
// not wait for that; Running tells. A host that nothing was started on is killed.
func (h *Host) Shutdown() {
	if h.down {
		return
	}
	if h.running == nil || h.running.Done() {
		h.goDown(ShutDown)
		return
	}
	life := h.life
	h.net.whenDone(h.running, func() {
		if life == h.life {
			h.goDown(ShutDown)
		}
	})
	h.running.Cancel()
}

// Restart has the host up again, and what Start has begun begins anew. One that is up
// is killed before.
func (h *Host) Restart() {
	h.net.running()
	if !h.down {
		h.Kill()
	}
	h.down = false
	if h.main != nil {
		h.boot()
	} else {
		h.net.record(Event{Kind: HostUp, From: h})
	}
}

func (h *Host) goDown(how Down) {
	if h.down {
		return
	}
	h.net.running()
	h.net.record(Event{Kind: HostDown, From: h, Text: how.String()})
	if how != Crashed {
		h.closeAll()
	}
	if h.paused {
		h.thaw()
	}
	h.present().end()
	h.down = true
	h.life++
	ends := h.ends
	h.ends, h.paths = nil, nil
	if how == Crashed {
		h.closing = closing{}
		h.forgetMTUs()
	}
	h.tcp, h.udp = ports{last: h.tcp.last}, ports{last: h.udp.last}
	for _, f := range h.onDown {
		f(how)
	}
	h.killTasks()
	for _, p := range h.waiting {
		h.net.lose(p, "host is down")
	}
	h.waiting, h.frozen = nil, nil
	for _, e := range ends {
		if e.peer != nil {
			e.peer.suspect()
		}
	}
}

// closeAll is what the system does when a process ends.
func (h *Host) closeAll() {
	for _, e := range slices.Clone(h.ends) {
		if e.Close(); e.first { // what is left to be done for it is the system's
			h.keep(e)
		}
	}
	var all []*listener
	for _, port := range slices.Sorted(maps.Keys(h.tcp.taken)) {
		for _, b := range h.tcp.taken[port] {
			all = append(all, b.what.(*listener))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(h.paths)) {
		if l, ok := h.paths[path].(*listener); ok {
			all = append(all, l)
		}
	}
	for _, l := range all {
		l.Close()
	}
}

// killTasks ends all tasks on the host, the last first, and those that they begin
// meanwhile.
func (h *Host) killTasks() {
	me := asyncio.CurrentTask(context.Background())
	for range 100 {
		doomed := h.tasks()
		slices.Reverse(doomed)
		killed := 0
		for _, t := range doomed {
			if t == me {
				continue
			}
			if asyncio.Kill(t, ErrHostDown) == nil {
				killed++
			}
		}
		if killed == 0 {
			break
		}
	}
	if me != nil && hostOfTask(me) == h {
		h.net.apart(func() {
			h.net.loop.CallSoon(func() { asyncio.Kill(me, ErrHostDown) })
		})
	}
}

// tasks returns those on the host that have not ended.
func (h *Host) tasks() (all []asyncio.AnyTask) {
	for _, t := range h.net.loop.AllTasks() {
		if hostOfTask(t) == h {
			all = append(all, t)
		}
	}
	return all
}

func hostOfTask(t asyncio.AnyTask) *Host {
	h, _ := t.Context().Value(hostKey{}).(*Host)
	return h
}
