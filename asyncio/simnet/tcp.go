package simnet

import (
	"slices"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// The times of the protocol, those of Linux.
const (
	retryFirst  = time.Second // of a connection that is being made
	retryMin    = 200 * time.Millisecond
	retryMax    = 120 * time.Second
	giveUpNew   = 127 * time.Second
	giveUp      = 15 * time.Minute
	delayedAck  = 40 * time.Millisecond
	aliveIdle   = 15 * time.Second // as Go sets it
	aliveProbes = 9
)

// An alarm is a time at which e.ring is called. It may be put off at no cost: its
// entry in the queue stays where it was.
type alarm struct {
	end    *end
	ring   func(e *end)
	when   time.Duration // 0: never
	queued time.Duration // where its entry is; 0: it has none
}

func (a *alarm) set(when time.Duration) {
	a.when = when
	if a.queued == 0 || when < a.queued {
		a.queued = when
		a.end.net.schedule(when, a)
	}
}

func (a *alarm) clear() { a.when = 0 }

func (a *alarm) happen(at time.Duration) {
	if at != a.queued {
		return // there is an earlier entry
	}
	a.queued = 0
	switch e := a.end; {
	case a.when == 0 || e.life != e.host.life:
	case a.when > at:
		a.set(a.when)
	default:
		a.when = 0
		a.ring(e)
	}
}

// newEnd makes an end at h.
func (h *Host) newEnd(id int, link *Link) *end {
	e := &end{net: h.net, host: h, life: h.life, id: id, link: link, edge: uint64(h.net.cfg.Window), told: uint64(h.net.cfg.Window)}
	e.retry = alarm{end: e, ring: (*end).again}
	e.answer = alarm{end: e, ring: (*end).acknowledge}
	e.alive = alarm{end: e, ring: (*end).askAlive}
	e.heard = h.net.now()
	e.place = len(h.ends)
	h.ends = append(h.ends, e)
	return e
}

// forget takes e off its host's books.
func (e *end) forget() {
	h := e.host
	if e.life != h.life || e.place < 0 {
		return
	}
	last := len(h.ends) - 1
	h.ends[e.place] = h.ends[last]
	h.ends[e.place].place = e.place
	h.ends[last] = nil
	h.ends = h.ends[:last]
	e.place = -1
}

// send sends a packet, which tells how far e has got.
func (e *end) send(kind packetKind, g *segment) {
	p := e.net.newPacket(kind)
	e.sends++
	p.from, p.to, p.nth, p.seg, p.got = e, e.peer, e.sends, g, e.got
	p.edge = e.read + uint64(e.net.cfg.Window)
	if g != nil {
		g.refs++
		g.tries++
		g.sent = e.net.now()
	}
	e.told, e.owes = p.edge, false
	e.link.send(p)
}

// push sends what is new.
func (e *end) push(g *segment) {
	e.next = g.next()
	if e.out.len() == 0 {
		e.since = e.net.now()
	}
	e.out.push(g)
	e.transmit(g)
}

func (e *end) transmit(g *segment) {
	kind := data
	if g.fin {
		kind = fin
	}
	e.send(kind, g)
	if e.retry.when == 0 {
		e.retry.set(e.net.now() + e.patience())
	}
}

// patience is how long e waits for an ACK before it sends again: RFC 6298.
func (e *end) patience() time.Duration {
	first := retryMin
	switch {
	case e.state != open:
		first = retryFirst
	case e.measured > 0:
		first = max(retryMin, e.measured+max(4*e.varies, 10*time.Millisecond))
	}
	return min(first<<min(e.tries, 20), retryMax)
}

// again sends again what was not acknowledged in time.
func (e *end) again() {
	now := e.net.now()
	limit := e.net.cfg.GiveUp
	switch {
	case e.state == over:
		return
	case limit > 0:
	case e.state == open:
		limit = giveUp
	default:
		limit = giveUpNew
	}
	if e.state == open && e.out.len() == 0 && !e.blocked {
		e.tries = 0
		return
	}
	if e.state == open && e.out.len() > 0 {
		// Put off until the first of what is under way is late.
		if late := e.out.at(0).sent + e.patience(); late > now {
			e.retry.set(late)
			return
		}
	}
	if e.tries > 0 && now-e.since >= limit {
		e.fail(syscall.ETIMEDOUT)
		return
	}
	e.tries++
	switch {
	case e.state == connecting:
		e.askFor()
	case e.state == accepting:
		e.send(synAck, nil)
	case e.out.len() == 0:
		e.send(probe, nil) // whether there is room
	default:
		before := now - e.patience()/2
		for i := range e.out.len() {
			if g := e.out.at(i); g.sent <= before {
				e.transmit(g)
			}
		}
	}
	e.retry.set(now + e.patience())
}

// missed is called when a packet to e is lost, which may have been about room.
func (e *end) missed(nth uint64) {
	e.unsure, e.lost = true, max(e.lost, nth)
	e.askRoom()
}

// askRoom has e ask whether there is room, if it waits for that and may have missed
// the answer. What is under way, and was not acknowledged, is as good as a question.
func (e *end) askRoom() {
	if e.unsure && e.blocked && e.state == open && e.out.len() == 0 && e.retry.when == 0 {
		e.since = e.net.now()
		e.retry.set(e.since + e.patience())
	}
}

// segment is the arrival of a packet of a connection.
func (h *Host) segment(p *packet) {
	e := p.to
	if e == nil {
		return
	}
	if e.life != h.life || e.state == over && e.err != nil {
		if p.kind != rst { // nobody knows the connection
			h.refuse(p.from)
		}
		return
	}
	e.receive(p)
}

// refuse sends a reset to from, of whom h knows nothing.
func (h *Host) refuse(from *end) {
	p := h.net.newPacket(rst)
	p.from, p.to = from.peer, from
	if p.from == nil {
		p.from = from
	}
	h.net.Link(h, from.host).send(p)
}

func (e *end) receive(p *packet) {
	e.heard, e.asks = e.net.now(), 0
	switch p.kind {
	case rst:
		e.wasReset()
		return
	case synAck:
		if e.state == connecting {
			e.establish(p.from)
		}
		e.send(ack, nil)
		return
	}
	switch e.state {
	case connecting:
		return
	case accepting:
		if !e.accepted() {
			return
		}
	}
	e.acknowledged(p)
	if p.seg != nil {
		e.take(p.seg)
	} else if p.kind == probe {
		e.send(ack, nil)
	}
	e.settled()
}

// acknowledged notes how far the other side has got, and has room.
func (e *end) acknowledged(p *packet) {
	now := e.net.now()
	if p.got > e.acked {
		e.acked = p.got
		for e.out.len() > 0 && e.out.at(0).next() <= e.acked {
			g := e.out.pop()
			if g.tries == 1 {
				e.measure(now - g.sent)
			}
			e.net.release(g)
		}
		e.tries, e.since = 0, now
	}
	if e.out.len() == 0 {
		e.tries = 0
		e.retry.clear()
	}
	if p.edge > e.edge {
		e.edge = p.edge
	}
	if p.nth > e.lost {
		e.unsure = false
	}
	if e.blocked && e.next < e.edge {
		e.blocked, e.tries = false, 0
		e.happened(sched.Writable)
	}
	e.askRoom()
}

// measure notes a round trip.
func (e *end) measure(took time.Duration) {
	if e.measured == 0 {
		e.measured, e.varies = max(took, 1), took/2
		return
	}
	e.varies += ((e.measured - took).Abs() - e.varies) / 4
	e.measured += (took - e.measured) / 8
}

// take receives g.
func (e *end) take(g *segment) {
	if g.seq < e.got { // it has come before
		e.send(ack, nil)
		return
	}
	if e.closed && !g.fin && e.state == open { // nobody will read it
		e.reset()
		return
	}
	if g.seq > e.got {
		i, found := slices.BinarySearchFunc(e.early, g.seq, func(a *segment, seq uint64) int {
			return int(int64(a.seq - seq))
		})
		if !found {
			g.refs++
			e.early = slices.Insert(e.early, i, g)
		}
		e.send(ack, nil)
		return
	}
	g.refs++
	e.append(g)
	k := 0
	for k < len(e.early) && e.early[k].seq == e.got {
		e.append(e.early[k])
		k++
	}
	if k > 0 {
		e.early = slices.Delete(e.early, 0, k)
	}
	if e.eof || k > 0 {
		e.send(ack, nil)
	} else if !e.owes {
		e.owes = true
		e.answer.set(e.net.now() + delayedAck)
	}
	e.happened(sched.Readable)
}

// append puts g at the end of what can be read. It takes the reference.
func (e *end) append(g *segment) {
	e.got = g.next()
	if g.fin {
		e.eof = true
		e.net.release(g)
		return
	}
	e.in.push(g)
}

// acknowledge sends the ACK that waited for something to go with.
func (e *end) acknowledge() {
	if e.owes && e.state == open {
		e.send(ack, nil)
	}
}

// makesRoom tells the other side of it, when it is worth while.
func (e *end) makesRoom() {
	window := uint64(e.net.cfg.Window)
	if e.state == open && !e.eof && e.read+window >= e.told+window/2 {
		e.send(ack, nil)
	}
}

// settled ends e if both directions are at their ends, and acknowledged.
func (e *end) settled() {
	if e.state == open && e.ended && e.eof && e.out.len() == 0 && e.closed {
		e.state = over
		if e.first {
			e.host.keep(e)
		}
		e.quiet()
	}
}

// quiet ends what e does by itself.
func (e *end) quiet() {
	e.retry.clear()
	e.answer.clear()
	e.alive.clear()
	e.owes = false
	e.forget()
}

// reset breaks the connection, and tells the other side.
func (e *end) reset() {
	if e.peer != nil {
		e.send(rst, nil)
	}
	e.breaks(syscall.ECONNRESET)
}

// wasReset is the arrival of a reset.
func (e *end) wasReset() {
	switch {
	case e.state == over:
	case e.state == connecting:
		e.fail(syscall.ECONNREFUSED)
	case e.eof:
		e.fail(syscall.EPIPE)
	default:
		e.fail(syscall.ECONNRESET)
	}
}

// fail breaks the connection by itself.
func (e *end) fail(err syscall.Errno) {
	if e.state == over {
		return
	}
	e.net.record(Event{Kind: Broken, From: e.host, To: e.link.to, Conn: e.id, Text: errnoName(err)})
	e.breaks(err)
	if e.peer != nil {
		e.peer.suspect() // it has no way to know
	}
}

func (e *end) breaks(err error) {
	was := e.state
	e.state, e.err, e.tell = over, err, true
	e.drop()
	e.quiet()
	if was == accepting {
		e.listener.half--
	}
	switch {
	case e.opened == nil || e.opened.Done():
	case e.closed:
		e.opened.Cancel() // nobody will ask
	default:
		e.opened.SetException(err)
		e.opened.Exception() // who waits may have been killed: then nobody looks
	}
	e.happened(sched.Readable | sched.Writable | sched.HungUp)
}

// drop gives back what was not acknowledged, and what cannot be read.
func (e *end) drop() {
	for e.out.len() > 0 {
		e.net.release(e.out.pop())
	}
	for _, g := range e.early {
		e.net.release(g)
	}
	e.early = nil
	if e.closed {
		for e.in.len() > 0 {
			e.net.release(e.in.pop())
		}
	}
}

// reachable reports whether packets go both ways between e and an end that knows of
// it.
func (e *end) reachable() bool {
	p := e.peer
	return p != nil && p.life == p.host.life && p.state != over && !p.host.down && !p.host.paused && !e.host.paused && e.link.passes() && p.link.passes()
}

// suspect has e ask whether the other side lives, if it does so at all. While
// nothing is amiss there is no need to: the answers are known.
func (e *end) suspect() {
	if e.keepAlive && e.state == open && !e.closed && e.life == e.host.life && !e.reachable() {
		e.alive.set(max(e.heard+aliveIdle, e.net.now()))
	}
}

func (e *end) askAlive() {
	now := e.net.now()
	switch {
	case !e.keepAlive || e.state != open || e.asks == 0 && e.reachable():
		return
	case e.asks == 0 && e.heard+aliveIdle > now:
		e.alive.set(e.heard + aliveIdle)
		return
	case e.out.len() > 0: // it finds out by itself
		e.asks = 0
		e.alive.set(now + aliveIdle)
		return
	case e.asks == aliveProbes:
		e.fail(syscall.ETIMEDOUT)
		return
	}
	e.asks++
	e.send(probe, nil)
	e.alive.set(now + aliveIdle)
}
