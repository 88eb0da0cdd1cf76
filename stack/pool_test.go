package stack

import "testing"

// idle is a goroutine that only remembers whether it was told to end.
type idle struct{ retired bool }

func (i *idle) Retire() { i.retired = true }

func fill(l *Local[*idle], n int) []*idle {
	all := make([]*idle, n)
	for i := range all {
		all[i] = new(idle)
		l.Put(all[i])
	}
	return all
}

func told(all []*idle) (n int) {
	for _, i := range all {
		if i.retired {
			n++
		}
	}
	return n
}

// withLimit runs the test with its own depot and limit, and leaves the counters
// as they were.
func withLimit(t *testing.T, n int) *Depot[*idle] {
	t.Helper()
	was, had := limit.Load(), pooled.Load()
	limit.Store(int64(n))
	t.Cleanup(func() {
		limit.Store(was)
		if pooled.Load() != had {
			t.Errorf("%d are pooled at the end, %d were at the start", pooled.Load(), had)
		}
	})
	return new(Depot[*idle])
}

func TestLastInFirstOut(t *testing.T) {
	l := NewLocal(withLimit(t, 10))
	all := fill(l, 3)
	for i := 2; i >= 0; i-- {
		if c, ok := l.Get(); !ok || c != all[i] {
			t.Fatalf("Get returned %p, %t, want number %d", c, ok, i)
		}
	}
	if c, ok := l.Get(); ok {
		t.Fatalf("Get returned %p from an empty store", c)
	}
}

func TestOverflowGoesToTheDepot(t *testing.T) {
	d := withLimit(t, 1000)
	l := NewLocal(d)
	all := fill(l, localMax+1)
	if l.Len() != localMax-localBatch+1 || d.Len() != localBatch {
		t.Fatalf("%d local, %d in the depot", l.Len(), d.Len())
	}
	// Another tree draws a batch from there.
	other := NewLocal(d)
	if _, ok := other.Get(); !ok || d.Len() != 0 || other.Len() != localBatch-1 {
		t.Fatalf("after Get: %d in the depot, %d in the other store", d.Len(), other.Len())
	}
	if told(all) != 0 {
		t.Fatal("some were retired below the limit")
	}
}

func TestLimitRetiresTheRest(t *testing.T) {
	d := withLimit(t, 10)
	l := NewLocal(d)
	all := fill(l, 40)
	l.Flush()
	if l.Len() != 0 || d.Len() != 10 || told(all) != 30 {
		t.Fatalf("%d local, %d in the depot, %d retired", l.Len(), d.Len(), told(all))
	}
	if n := d.Drop(100); n != 10 || told(all) != 40 {
		t.Fatalf("Drop dropped %d, %d are retired", n, told(all))
	}
}

// What is not needed for one cycle of the collector after the other is retired
// by halves.
func TestTickHalves(t *testing.T) {
	d := withLimit(t, 100)
	l := NewLocal(d)
	fill(l, 16)
	l.Flush()
	d.Tick() // takes notice
	for want := 8; want >= 1; want /= 2 {
		d.Tick()
		if d.Len() != want {
			t.Fatalf("%d are left, want %d", d.Len(), want)
		}
	}
	d.Tick()
	if d.Len() != 0 {
		t.Fatalf("%d are left for ever", d.Len())
	}
}

func TestTickKeepsWhatIsUsed(t *testing.T) {
	d := withLimit(t, 100)
	l := NewLocal(d)
	all := fill(l, 20)
	l.Flush()
	for range 10 {
		for {
			if _, ok := l.Get(); !ok {
				break
			}
		}
		for _, i := range all {
			l.Put(i)
		}
		l.Flush()
		d.Tick()
	}
	if told(all) != 0 {
		t.Fatalf("%d were retired although all are used in every cycle", told(all))
	}
	d.Drop(20)
}

func TestSetLimitTrims(t *testing.T) {
	d := withLimit(t, 100)
	was := trim
	d.Trims()
	t.Cleanup(func() { trim = was })
	l := NewLocal(d)
	all := fill(l, 20)
	l.Flush()
	if old := SetLimit(5); old != 100 || d.Len() != 5 || told(all) != 15 {
		t.Fatalf("old limit %d, %d left, %d retired", old, d.Len(), told(all))
	}
	if SetLimit(-1); Stats().Limit != 0 || d.Len() != 0 {
		t.Fatalf("limit %d, %d left", Stats().Limit, d.Len())
	}
}
