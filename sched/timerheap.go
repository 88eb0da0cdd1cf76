package sched

import "time"

// alarmStep is from one alarm to the next. What is below it is the place of a
// timer in its batch.
const alarmStep = batchSize + 1

func (a alarm) place() uint8 { return uint8(a % alarmStep) }

// timers is all alarms that are set, in a heap with four branches, ordered by
// time and then by age. An entry is for a task or for a batch of timers; that of
// the youngest batch, to which timers are still added, is kept beside the heap.
//
// An entry whose alarm was cancelled stays until it comes up, or until most of
// them are such: then all of those go at once. What the heap compares lies in
// itself.
type timers struct {
	heap   []timerEntry
	young  timerEntry
	seq    alarm // the last one
	set    int   // how many are set
	gone   int   // entries of the heap with nothing to fire
	closed bool
}

// A timerEntry says when the first alarm of what it fires is due. Of a batch
// whose first timer has fired or was cancelled it tells an earlier time, until
// it comes up.
type timerEntry struct {
	when  time.Duration
	seq   alarm
	fires struct { // one of them
		task  *Task
		batch *batch
	}
}

func (e *timerEntry) before(f *timerEntry) bool {
	return e.when < f.when || e.when == f.when && e.seq < f.seq
}

// alarm is where the alarm is that e was made for.
func (e *timerEntry) alarm() *alarm {
	if b := e.fires.batch; b != nil {
		return &b.timer[b.first].alarm
	}
	return &e.fires.task.alarm
}

// stale reports whether that has fired or was cancelled, and perhaps set again.
func (e *timerEntry) stale() bool { return *e.alarm() != e.seq }

// renew makes e the entry of the next timer of its batch. It reports false if
// there is none.
func (e *timerEntry) renew() bool {
	b := e.fires.batch
	if b == nil || b.live == 0 {
		return false
	}
	i := b.earliest()
	b.first = uint8(i)
	e.when, e.seq = b.timer[i].when, b.timer[i].alarm
	return true
}

// add makes a timer.
func (ts *timers) add(when time.Duration, fn func()) *Timer {
	b := ts.young.fires.batch
	if b == nil || b.made == batchSize {
		b = ts.begin()
	}
	t := &b.timer[b.made]
	ts.seq += alarmStep
	t.fn, t.when, t.batch, t.alarm = fn, when, b, ts.seq+alarm(b.made)
	if b.live == 0 || when < ts.young.when {
		b.first = b.made
		ts.young.when, ts.young.seq = when, t.alarm
	}
	b.live |= 1 << b.made
	b.made++
	ts.set++
	return t
}

// begin begins a batch. The one before goes to the heap, if it is to fire.
func (ts *timers) begin() *batch {
	if b := ts.young.fires.batch; b != nil && b.live > 0 {
		ts.push(ts.young)
	}
	b := &batch{in: ts}
	ts.young.fires.batch = b
	return b
}

// wake sets the alarm of t, which is not set.
func (ts *timers) wake(t *Task, when time.Duration) {
	ts.seq += alarmStep
	ts.set++
	t.alarm = ts.seq
	e := timerEntry{when: when, seq: ts.seq}
	e.fires.task = t
	ts.push(e)
}

// unset takes the alarm of t back, which is set.
func (ts *timers) unset(t *Task) {
	t.alarm = 0
	if !ts.closed {
		ts.set--
		ts.drop()
	}
}

// drop notes that an entry of the heap has nothing to fire.
func (ts *timers) drop() {
	ts.gone++
	const few = 128
	if ts.gone > few && ts.gone > len(ts.heap)/2 {
		ts.sweep()
	}
}

// next returns the entry that is due first, or nil. It is good until the timers
// change.
func (ts *timers) next() *timerEntry {
	for len(ts.heap) > 0 && ts.heap[0].stale() {
		if !ts.heap[0].renew() {
			ts.gone--
			ts.pop()
		} else {
			ts.down(0)
		}
	}
	e := &ts.young
	if e.fires.batch != nil && (!e.stale() || e.renew()) && (len(ts.heap) == 0 || e.before(&ts.heap[0])) {
		return e
	}
	if len(ts.heap) > 0 {
		return &ts.heap[0]
	}
	return nil
}

// due takes the first alarm that is due by now, and returns what becomes ready.
// It reports false if there is none.
func (ts *timers) due(now time.Duration) (fires entry, ok bool) {
	e := ts.next()
	if e == nil || e.when > now {
		return entry{}, false
	}
	*e.alarm() = 0
	if b := e.fires.batch; b != nil {
		fires = entry{handle: &b.timer[b.first].Handle}
		b.lose(b.first)
		return fires, true
	}
	fires = entry{e.fires.task, &sleepOver}
	ts.set--
	ts.pop()
	return fires, true
}

func (ts *timers) push(e timerEntry) {
	if len(ts.heap) == cap(ts.heap) {
		ts.heap = append(make([]timerEntry, 0, max(64, 2*cap(ts.heap))), ts.heap...)
	}
	ts.heap = append(ts.heap, e)
	ts.up(len(ts.heap) - 1)
}

func (ts *timers) pop() {
	last := len(ts.heap) - 1
	ts.heap[0] = ts.heap[last]
	ts.heap[last] = timerEntry{}
	ts.heap = ts.heap[:last]
	if last > 1 {
		ts.down(0)
	}
}

// sweep removes all entries with nothing to fire.
func (ts *timers) sweep() {
	kept := ts.heap[:0]
	for i := range ts.heap {
		e := &ts.heap[i]
		if b := e.fires.batch; b != nil && b.live > 0 || b == nil && !e.stale() {
			kept = append(kept, *e)
		}
	}
	clear(ts.heap[len(kept):])
	ts.heap, ts.gone = kept, 0
	if cap(kept) > 1024 && len(kept) < cap(kept)/8 {
		ts.heap = append(make([]timerEntry, 0, 2*len(kept)), kept...)
	}
	for i := len(ts.heap) / branches; i >= 0 && len(ts.heap) > 1; i-- {
		ts.down(i)
	}
}

const branches = 4

func (ts *timers) up(i int) {
	e := ts.heap[i]
	for i > 0 {
		above := (i - 1) / branches
		if !e.before(&ts.heap[above]) {
			break
		}
		ts.heap[i] = ts.heap[above]
		i = above
	}
	ts.heap[i] = e
}

func (ts *timers) down(i int) {
	h := ts.heap
	e := h[i]
	for {
		first := branches*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for j := first + 1; j < min(first+branches, len(h)); j++ {
			if h[j].before(&h[least]) {
				least = j
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
}
