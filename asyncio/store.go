package asyncio

// A store holds the items of a queue: in a ring, the oldest first, or in a heap
// if there is an order.
type store[T any] struct {
	ring []T // its length is a power of two
	head int // of the ring; zero if it is a heap
	n    int
	less func(a, b T) bool // if it is a heap
	lifo bool              // the youngest is taken first
}

const (
	storeMin  = 8
	storeKeep = 1 << 12 // a longer ring is given back when it has become empty
)

func (s *store[T]) push(v T) {
	if s.n == len(s.ring) {
		s.grow()
	}
	s.ring[(s.head+s.n)&(len(s.ring)-1)] = v
	s.n++
	if s.less != nil {
		s.up(s.n - 1)
	}
}

// pop takes the item whose turn it is. There must be one.
func (s *store[T]) pop() T {
	i := s.head & (len(s.ring) - 1)
	switch {
	case s.less != nil:
		return s.popLeast()
	case s.lifo:
		i = (s.head + s.n - 1) & (len(s.ring) - 1)
	default:
		s.head++
	}
	var none T
	v := s.ring[i]
	s.ring[i] = none
	s.n--
	if s.n == 0 && len(s.ring) > storeKeep {
		s.drop()
	}
	return v
}

// drop drops all items.
func (s *store[T]) drop() { s.ring, s.head, s.n = nil, 0, 0 }

func (s *store[T]) grow() {
	ring := make([]T, max(storeMin, 2*len(s.ring)))
	for i := range s.n {
		ring[i] = s.ring[(s.head+i)&(len(s.ring)-1)]
	}
	s.ring, s.head = ring, 0
}

// popLeast takes the first of the heap. As CPython does, it puts the last item
// there, lets it sink to the bottom whatever it is, and then rise: so equal items
// come in CPython's order. The items stay complete if less panics.
func (s *store[T]) popLeast() T {
	var none T
	s.n--
	v, last := s.ring[0], s.ring[s.n]
	s.ring[s.n] = none
	if s.n == 0 {
		if len(s.ring) > storeKeep {
			s.drop()
		}
		return v
	}
	s.ring[0] = last
	i := 0
	for child := 1; child < s.n; child = 2*i + 1 {
		if right := child + 1; right < s.n && !s.less(s.ring[child], s.ring[right]) {
			child = right
		}
		s.ring[i], s.ring[child] = s.ring[child], s.ring[i]
		i = child
	}
	s.up(i)
	return v
}

// up lets the item at i rise to where it belongs.
func (s *store[T]) up(i int) {
	for i > 0 {
		above := (i - 1) / 2
		if !s.less(s.ring[i], s.ring[above]) {
			return
		}
		s.ring[i], s.ring[above] = s.ring[above], s.ring[i]
		i = above
	}
}
