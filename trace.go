package greenlet

import "sync/atomic"

// A TraceEvent says how control passed from one greenlet to another.
type TraceEvent uint8

const (
	TraceSwitch TraceEvent = iota + 1 // a value was sent
	TraceThrow                        // an error, a panic or an exit travels
)

// String returns "switch" or "throw", Python's names.
func (e TraceEvent) String() string {
	switch e {
	case TraceSwitch:
		return "switch"
	case TraceThrow:
		return "throw"
	}
	return "unknown"
}

// A TraceFunc is told of every switch, after it has happened: it runs in the
// greenlet to, which is current, before to's Switch returns or its body runs.
//
// It may switch; its own switches are not traced, and the value in flight
// waits for it. If it panics it is removed, and the panic goes on in to, in
// place of the value.
type TraceFunc func(ev TraceEvent, from, to *Greenlet)

// SetTrace makes f the trace hook of the calling goroutine's tree and returns
// the one before it; nil removes it. While a hook is set every switch of the
// tree takes the slow path (hundreds of nanoseconds); a tree without a hook
// pays nothing. Any goroutine may call it, for its own tree; it does not switch.
//
// Python: greenlet.settrace.
func SetTrace(f TraceFunc) (old TraceFunc) {
	h := self().hub
	old, h.trace = h.trace, f
	h.gateTracing()
	h.pin(f != nil)
	return old
}

// GetTrace returns the trace hook of the calling goroutine's tree, or nil. Any
// goroutine may call it; it does not switch.
//
// Python: greenlet.gettrace.
func GetTrace() TraceFunc { return self().hub.trace }

// SetTraceAll makes f a trace hook of all trees, called before a tree's own,
// and returns the one before it; nil removes it. It is called on the goroutines
// of the trees, several at a time. Any goroutine may call SetTraceAll; it does
// not switch. A tree takes notice at its next switch.
func SetTraceAll(f TraceFunc) (old TraceFunc) {
	var p *TraceFunc
	if f != nil {
		p = &f
	}
	was := traceAll.Swap(p)
	for _, h := range trees() {
		h.gate.set(gateTrace)
	}
	if was != nil {
		return *was
	}
	return nil
}

var traceAll atomic.Pointer[TraceFunc]

// gateTracing closes or opens the gate as the hooks ask for it.
func (h *hub) gateTracing() {
	if h.trace != nil || traceAll.Load() != nil {
		h.gate.set(gateTrace)
	} else {
		h.gate.clear(gateTrace)
	}
}

// traced reports whether the switch that is being made is to be told of.
func (h *hub) traced() bool {
	if !h.gate.has(gateTrace) || h.tracing {
		return false
	}
	h.gateTracing()
	return h.gate.has(gateTrace)
}

// An event is one call of the trace hook.
type event struct {
	ev       TraceEvent
	from, to *Greenlet
}

// passes notes that l goes to t, if that is to be told.
func (l *letter) passes(t *Greenlet) {
	if l.from == nil {
		return
	}
	ev := TraceSwitch
	if l.thrown() {
		ev = TraceThrow
	}
	l.events = append(l.events, event{ev, l.from, t})
	l.from = t
}

// tell calls the hooks for the events of a letter that has arrived. The one
// that panics is removed.
func (h *hub) tell(events []event) {
	h.tracing = true
	var all *TraceFunc // not nil: the hook of all trees is at work
	own := false       // the tree's is
	defer func() {
		h.tracing = false
		if all != nil {
			traceAll.CompareAndSwap(all, nil)
		}
		if own {
			h.trace = nil
			h.pin(false)
		}
	}()
	for _, e := range events {
		if all = traceAll.Load(); all != nil {
			(*all)(e.ev, e.from, e.to)
			all = nil
		}
		if own = h.trace != nil; own {
			h.trace(e.ev, e.from, e.to)
			own = false
		}
	}
}
