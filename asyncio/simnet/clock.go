package simnet

import "time"

// clock returns what the wall clock shows.
func (h *Host) clock() time.Time {
	passed := h.net.now() - h.clockAt
	gained := passed/time.Second*h.drift + passed%time.Second*h.drift/time.Second
	return h.clockIs.Add(passed + gained)
}

// setClock has the wall clock go on from what it shows, changed by step, and gain
// drift in a second.
func (h *Host) setClock(step, drift time.Duration, text string) {
	h.clockIs, h.clockAt, h.drift = h.clock().Add(step), h.net.now(), drift
	h.net.record(Event{Kind: ClockSet, From: h, Text: text})
}

// Step sets the host's wall clock forward by d, or back if d is below zero. What
// waits for a time on the loop's clock is not touched, as in life.
func (h *Host) Step(d time.Duration) { h.setClock(d, h.drift, "by "+d.String()) }

// Drift has the host's wall clock gain d in each second from now on, or lose if d is
// below zero.
func (h *Host) Drift(d time.Duration) { h.setClock(0, d, "drifts by "+d.String()+" a second") }

// Skew has the host's wall clock differ from the right time by d, from now on, and
// drift no more.
func (h *Host) Skew(d time.Duration) {
	now := h.net.now()
	right := h.net.cfg.Start.Add(now)
	h.setClock(right.Add(d).Sub(h.clock()), 0, "off by "+d.String())
}

// WithClockSkew has the wall clock of a host differ from the right time by d.
func WithClockSkew(d time.Duration) HostOption { return func(h *Host) { h.Skew(d) } }
