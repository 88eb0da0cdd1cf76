package simnet

import "github.com/go-greenlet/greenlet/asyncio"

// Pause has the host stand still, as a virtual machine that is moved or a process
// that is stopped: its tasks go on no further, what is sent to it waits, and its clocks
// show, when it goes on, that time has passed. Callbacks that its programs have given
// to the loop (CallLater and so on) are not stopped. It does not switch.
func (h *Host) Pause() {
	if h.paused || h.down {
		return
	}
	h.paused = true
	h.net.standing++
	h.net.record(Event{Kind: HostPaused, From: h})
	for _, e := range h.ends {
		if e.peer != nil {
			e.peer.suspect()
		}
	}
}

// Resume ends Pause: what has come meanwhile arrives now, and the tasks go on.
func (h *Host) Resume() {
	if !h.paused {
		return
	}
	h.thaw()
	h.net.record(Event{Kind: HostResumed, From: h})
	for _, t := range h.frozen {
		asyncio.Ungate(t)
	}
	waiting := h.waiting
	h.frozen, h.waiting = nil, nil
	for _, p := range waiting {
		h.net.schedule(h.net.now(), p)
	}
}

func (h *Host) thaw() {
	h.paused = false
	h.net.standing--
}
