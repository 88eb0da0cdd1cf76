package greenlet_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet"
)

// What the trees of TestHammer do. All that they send and hold is checked
// again and again: whatever the collector frees too early, whatever a copied
// stack has wrong, sooner or later does not add up.

// A parcel is what greenlets send one another: always a new one.
type parcel struct {
	sum   uint64
	first *knot
	text  string
	bytes []byte
}

type knot struct {
	next *knot
	in   *parcel
	n    uint64
}

func newParcel(r *rand.Rand) *parcel {
	p := &parcel{}
	for range 1 + r.IntN(8) {
		p.first = &knot{p.first, p, r.Uint64()}
		p.sum += p.first.n
	}
	p.text = strconv.FormatUint(p.sum, 36)
	p.bytes = make([]byte, 1+r.IntN(200))
	for i := range p.bytes {
		p.bytes[i] = byte(p.sum >> (i % 8 * 8))
	}
	return p
}

func (p *parcel) wrong() string {
	var sum uint64
	for l := p.first; l != nil; l = l.next {
		if l.in != p {
			return "a knot is in another parcel"
		}
		sum += l.n
	}
	if sum != p.sum || p.text != strconv.FormatUint(p.sum, 36) {
		return fmt.Sprintf("a parcel's sum is %#x, written down is %#x and %q", sum, p.sum, p.text)
	}
	for i, b := range p.bytes {
		if b != byte(p.sum>>(i%8*8)) {
			return "a parcel's bytes are wrong"
		}
	}
	return ""
}

// A bolt is a parcel that is thrown.
type bolt struct{ *parcel }

func (b *bolt) Error() string { return "bolt " + b.text }

// A grove is what the trees have in common.
type grove struct {
	stop   atomic.Bool
	steps  atomic.Int64
	fault  atomic.Pointer[string] // the first that was found
	shared chan *spring           // coroutines that go from tree to tree
}

// wrong notes a fault and stops everything.
func (gr *grove) wrong(what string) {
	what += "\n" + string(debug.Stack())
	gr.fault.CompareAndSwap(nil, &what)
	gr.stop.Store(true)
}

// A spring is a coroutine that yields parcels.
type spring struct {
	next func() (*parcel, bool)
	stop func()
}

func newSpring(seed uint64) *spring {
	next, stop := greenlet.Pull(func(yield func(*parcel) bool) {
		r := rand.New(rand.NewPCG(seed, 2))
		for yield(newParcel(r)) {
		}
	})
	return &spring{next, stop}
}

// An oak is a tree of greenlets that switch at random.
type oak struct {
	*grove
	r      *rand.Rand
	main   *greenlet.Greenlet
	known  []*greenlet.Greenlet // not the abandoned ones
	stock  [8]*parcel           // sent more than once
	thread int                  // the one that the tree is locked to, or 0
	room   int                  // how many greenlets there may be
}

// grow lets a tree live until everything stops.
func (gr *grove) grow(seed uint64, locked bool) {
	t := &oak{grove: gr, r: rand.New(rand.NewPCG(seed, 1)), room: 30}
	if locked {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if greenlet.Backend().Name == "assembly" {
			t.thread = threadID()
		}
	}
	t.main = greenlet.Current()
	defer greenlet.Close()
	for !t.stop.Load() {
		t.step(0)
	}
}

// body is what a greenlet runs.
func (t *oak) body(v any) (any, error) {
	kept := newParcel(t.r)
	defer func() { t.check(kept) }()
	t.receive(v, nil)
	for ends := false; !ends && !t.stop.Load(); {
		ends = t.step(0)
		t.check(kept)
	}
	if t.r.IntN(4) == 0 {
		return nil, &bolt{newParcel(t.r)}
	}
	return newParcel(t.r), nil
}

func (t *oak) check(p *parcel) {
	if w := p.wrong(); w != "" {
		t.wrong(w)
	}
	if t.thread != 0 && t.thread != threadID() {
		t.wrong("a locked tree has left its thread")
	}
}

// receive checks what a Switch has returned. It reports whether that was an
// error.
func (t *oak) receive(v any, err error) bool {
	t.steps.Add(1)
	if b := (*bolt)(nil); errors.As(err, &b) {
		t.check(b.parcel)
		return true
	}
	switch v := v.(type) {
	case *parcel:
		if err != nil {
			t.wrong("an error that nobody threw: " + err.Error())
		}
		t.check(v)
	case error:
		if v != greenlet.Exit || err != nil {
			t.wrong(fmt.Sprint("an unknown value: ", v))
		}
	default:
		t.wrong(fmt.Sprintf("received %v (%T), %v", v, v, err))
	}
	return false
}

// send switches to g.
func (t *oak) send(g *greenlet.Greenlet) (thrown bool) {
	if t.r.IntN(20) == 0 {
		return t.receive(g.Throw(&bolt{t.pack()}))
	}
	return t.receive(g.Switch(t.pack()))
}

// pack returns a parcel to send, sometimes a new one.
func (t *oak) pack() *parcel {
	n := t.r.IntN(64)
	if n >= len(t.stock) {
		n %= len(t.stock)
		if p := t.stock[n]; p != nil {
			return p
		}
	}
	t.stock[n] = newParcel(t.r)
	return t.stock[n]
}

func (t *oak) any() *greenlet.Greenlet {
	i := t.r.IntN(len(t.known) + 1)
	if i == len(t.known) {
		return t.main
	}
	return t.known[i]
}

// forget drops a greenlet: if it is suspended, it is abandoned.
func (t *oak) forget() {
	if n := len(t.known); n > 0 {
		i := t.r.IntN(n)
		t.known[i] = t.known[n-1]
		t.known[n-1] = nil
		t.known = t.known[:n-1]
	}
}

func (t *oak) sprout() *greenlet.Greenlet {
	for len(t.known) >= t.room {
		t.forget()
	}
	g := greenlet.New(t.body)
	t.known = append(t.known, g)
	return g
}

// step does one thing. It reports whether the greenlet should end.
func (t *oak) step(deep int) (ends bool) {
	switch n := t.r.IntN(1000); {
	case n < 500:
		for range 1 + t.r.IntN(60) {
			if t.send(t.any()) {
				return t.r.IntN(4) == 0
			}
		}
	case n < 650:
		if deep > 2 {
			return false
		}
		frames := t.r.IntN(60)
		if t.r.IntN(50) == 0 {
			frames = 2000
		}
		return t.descend(frames, deep+1, nil)
	case n < 750:
		return t.send(t.sprout()) && t.r.IntN(2) == 0
	case n < 780:
		t.sprout()
	case n < 810:
		if g := t.any(); g != t.main {
			if err := g.Kill(); err != nil {
				t.wrong(err.Error())
			}
		}
	case n < 840:
		t.forget()
	case n < 845:
		runtime.Gosched()
	case n < 846:
		time.Sleep(time.Duration(t.r.IntN(50)) * time.Microsecond)
	case n < 900:
		t.quick()
	case n < 903:
		t.panics()
	case n < 940:
		t.draw()
	case n < 945:
		if t.stack(greenlet.Current()) != 0 {
			t.wrong("the running greenlet has a stack to show")
		}
		t.stack(t.any())
	case n < 970:
		return true
	}
	return false
}

// quick runs a greenlet to its end.
func (t *oak) quick() {
	p := newParcel(t.r)
	v, err := greenlet.New(func(v any) (any, error) { return v, nil }).Switch(p)
	if v != p || err != nil {
		t.wrong(fmt.Sprint("a body returned ", v, err))
	}
	t.check(p)
}

// panics runs a greenlet that panics in the depth.
func (t *oak) panics() {
	p := newParcel(t.r)
	var dig func(n int)
	dig = func(n int) {
		if n == 0 {
			panic(p)
		}
		dig(n - 1)
	}
	defer func() {
		e, ok := recover().(*greenlet.PanicError)
		if !ok || e.Value != p {
			t.wrong(fmt.Sprint("recovered ", e))
		}
		t.check(p)
	}()
	greenlet.New(func(any) (any, error) { dig(t.r.IntN(50)); return nil, nil }).Switch(nil)
}

// draw takes parcels from a spring that other trees have used, or a new one.
func (t *oak) draw() {
	var s *spring
	select {
	case s = <-t.shared:
	default:
		s = newSpring(t.r.Uint64())
	}
	for range t.r.IntN(20) {
		p, ok := s.next()
		if !ok {
			t.wrong("a spring has run dry")
			return
		}
		t.check(p)
	}
	switch t.r.IntN(8) {
	case 0: // abandoned
	case 1:
		s.stop()
	default:
		select {
		case t.shared <- s:
		default:
			s.stop()
		}
	}
}

func (t *oak) stack(g *greenlet.Greenlet) int {
	u := g.StackUsage()
	if u.InUse > u.Size {
		t.wrong(fmt.Sprintf("a stack's usage is %+v", u))
	}
	return len(g.Stack())
}

// A mark lies in each frame of descend and refers to the one above.
type mark struct {
	up    *mark
	depth int
	held  [4]*parcel
}

// descend calls itself until it is n frames deeper, and then does a few steps.
//
//go:noinline
func (t *oak) descend(n, deep int, up *mark) (ends bool) {
	var m mark
	m.up = up
	if up != nil {
		m.depth = up.depth + 1
	}
	var p *parcel
	if n%16 == 0 {
		p = newParcel(t.r)
		m.held[n%4] = p
	}
	if n > 0 {
		ends = t.descend(n-1, deep, &m)
	} else {
		defer t.check(p)
		for range t.r.IntN(6) {
			if ends || t.stop.Load() {
				break
			}
			ends = t.step(deep)
			t.climb(&m)
		}
	}
	if m.up != up || m.held[n%4] != p {
		t.wrong("a frame has changed")
	}
	return ends
}

// climb checks the marks of all frames above.
func (t *oak) climb(m *mark) {
	for ; m != nil; m = m.up {
		if m.up != nil && m.up.depth != m.depth-1 {
			t.wrong("a frame is not where it was")
			return
		}
		for _, p := range m.held {
			if p != nil {
				t.check(p)
			}
		}
	}
}
