package simnet

// Pause has the host stand still, as a virtual machine that is moved or a process
// that is stopped: its tasks go on no further, its callbacks are not called, what is sent
// to it waits, and its clocks show, when it goes on, that time has passed. It does not
// switch.
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

// Resume ends Pause: what has come meanwhile arrives now, and the tasks go on, and the
// callbacks whose time has come.
func (h *Host) Resume() {
	if !h.paused {
		return
	}
	h.thaw()
	h.net.record(Event{Kind: HostResumed, From: h})
	frozen, waiting := h.frozen, h.waiting
	h.frozen, h.waiting = nil, nil
	for _, goOn := range frozen {
		goOn()
	}
	for _, p := range waiting {
		h.net.schedule(h.net.now(), p)
	}
}

func (h *Host) thaw() {
	h.paused = false
	h.net.standing--
}
