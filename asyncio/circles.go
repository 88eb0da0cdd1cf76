package asyncio

import "slices"

// waits is who waits for whom, of what an assembly has seen: tasks by their index.
type waits struct {
	byID map[uint64]int

	on [][]int // the tasks that each waits for, or cannot end before
	// Those without which it cannot go on, be it by a lock that they hold.
	must [][]int

	cycles [][]int
	// What each of them rests on: its tasks, and where one waits for a semaphore of more
	// than one, all that hold it, and what those wait for.
	rests [][]int

	forgotten map[int]bool // the locks whose holder has ended
}

// connect finds out who waits for whom.
func (a *assembly) connect() {
	w := &a.waits
	n := len(a.tasks)
	w.on, w.must = make([][]int, n), make([][]int, n)
	w.byID, w.forgotten = make(map[uint64]int, n), make(map[int]bool)
	index := make(map[*core]int, n)
	for i := range a.tasks {
		index[a.tasks[i].self] = i
		w.byID[a.tasks[i].id] = i
	}
	from := make(map[*core][]link) // by which futures others follow
	for _, k := range a.links {
		from[k.to] = append(from[k.to], k)
	}
	for i := range a.tasks {
		t := &a.tasks[i]
		for _, sure := range []bool{false, true} {
			found := follow(from, index, t.self, sure, nil)
			if t.on != nil {
				if j, is := index[t.on]; is {
					found = append(found, j)
				} else {
					found = follow(from, index, t.on, sure, found)
				}
			}
			if len(found) > 1 {
				slices.Sort(found)
				found = slices.Compact(found)
			}
			if sure {
				w.must[i] = found
			} else {
				w.on[i] = found
			}
		}
		if t.state != SightWaiting {
			w.must[i] = nil
			continue
		}
		if k := t.lock; k.by != 0 {
			switch j, alive := w.byID[uint64(k.by)]; {
			case !alive:
				w.forgotten[k.id] = true
			case k.own || a.tasks[j].lock.id != k.id: // else it may wait for another to release it
				w.must[i] = append(w.must[i], j)
			}
		}
	}
	stuck := a.connectSome()
	w.cycles = circles(w.must)
	for _, c := range w.cycles {
		if stuck != nil {
			c = reached(w.must, c, stuck)
		}
		w.rests = append(w.rests, c)
	}
}

// connectSome finds out who waits for a semaphore of more than one of which all holders
// wait for good: who waits for it can go on when any of them does. It returns which tasks
// wait for good, or nil if none waits for such a semaphore.
func (a *assembly) connectSome() (stuck []bool) {
	if len(a.some) == 0 {
		return nil
	}
	w := &a.waits
	any := make(map[int][]int)
	for i := range a.tasks {
		t := &a.tasks[i]
		for _, by := range a.some[t.lock.id] {
			j, alive := w.byID[uint64(by)]
			if t.state != SightWaiting || !alive || a.tasks[j].lock.id == t.lock.id && !t.lock.own {
				delete(any, i)
				break
			}
			any[i] = append(any[i], j)
		}
	}
	// All that wait may do so for good, but those that wait for one that does not, by any of
	// the semaphore's holders, and by all else.
	stuck = make([]bool, len(a.tasks))
	by := make([][]int, len(a.tasks))
	var free []int
	for i := range stuck {
		for _, on := range [][]int{w.must[i], any[i]} {
			for _, j := range on {
				by[j] = append(by[j], i)
				stuck[i] = true
			}
		}
		if !stuck[i] {
			free = append(free, i)
		}
	}
	waits, goesOn := func(j int) bool { return stuck[j] }, func(j int) bool { return !stuck[j] }
	for len(free) > 0 {
		last := len(free) - 1
		j := free[last]
		free = free[:last]
		for _, i := range by[j] {
			if stuck[i] && !slices.ContainsFunc(w.must[i], waits) && (len(any[i]) == 0 || slices.ContainsFunc(any[i], goesOn)) {
				stuck[i] = false
				free = append(free, i)
			}
		}
	}
	for i, of := range any {
		if stuck[i] {
			w.must[i] = append(w.must[i], of...)
		}
	}
	return stuck
}

// reached returns the nodes of a graph that can be reached from some of them, and those, by
// way of nodes that are in.
func reached(out [][]int, from []int, in []bool) []int {
	all := slices.Clone(from)
	seen := make(map[int]bool, len(all))
	for _, i := range all {
		seen[i] = true
	}
	for n := 0; n < len(all); n++ {
		for _, j := range out[all[n]] {
			if in[j] && !seen[j] {
				seen[j] = true
				all = append(all, j)
			}
		}
	}
	return all
}

// follow adds to found the tasks without which f, a future that follows others, or a
// task by its TaskGroup, is not done.
func follow(from map[*core][]link, index map[*core]int, f *core, sure bool, found []int) []int {
	if len(from[f]) == 0 {
		return found
	}
	seen := map[*core]bool{f: true}
	for todo := []*core{f}; len(todo) > 0; {
		f, todo = todo[len(todo)-1], todo[:len(todo)-1]
		for _, k := range from[f] {
			if sure && !k.sure {
				continue
			}
			if j, is := index[k.from]; is {
				found = append(found, j)
			} else if !seen[k.from] {
				seen[k.from] = true
				todo = append(todo, k.from)
			}
		}
	}
	return found
}

// doubtful returns the tasks of which it is to be looked again whether they wait as
// they were seen to, all at one moment.
func (a *assembly) doubtful() (all []int) {
	for _, rests := range a.waits.rests {
		all = append(all, rests...)
	}
	for i := range a.tasks {
		if a.waits.forgotten[a.tasks[i].lock.id] {
			all = append(all, i)
		}
	}
	return all
}

// keep keeps of the circles and forgotten locks those whose tasks still wait so.
func (a *assembly) keep(still map[int]bool) {
	w := &a.waits
	kept := w.cycles[:0]
	for n, c := range w.cycles {
		if !slices.ContainsFunc(w.rests[n], func(i int) bool { return !still[i] }) {
			kept = append(kept, c)
		}
	}
	w.cycles = kept
	for i := range a.tasks {
		if k := a.tasks[i].lock; k.of != nil && !still[i] {
			delete(w.forgotten, k.id)
		}
	}
}

// circles returns the circles of a graph: of those nodes that reach each other one, a
// shortest one that the first of them is in, if it is in one.
func circles(out [][]int) (all [][]int) {
	for _, part := range components(out) {
		in := make(map[int]bool, len(part))
		for _, i := range part {
			in[i] = true
		}
		slices.Sort(part)
		if c := circleOf(out, in, part[0]); c != nil {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, slices.Compare)
	return all
}

// circleOf returns a shortest way from a node back to it, through nodes that are in.
func circleOf(out [][]int, in map[int]bool, start int) []int {
	before := map[int]int{}
	for todo := []int{start}; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		for _, next := range out[at] {
			if next == start {
				way := []int{at}
				for at != start {
					at = before[at]
					way = append(way, at)
				}
				slices.Reverse(way)
				return way
			}
			if _, seen := before[next]; in[next] && !seen {
				before[next] = at
				todo = append(todo, next)
			}
		}
	}
	return nil
}

// components returns the strongly connected components of a graph that have an edge
// (Tarjan, Depth-first search and linear graph algorithms, 1972), without recursion.
func components(out [][]int) (all [][]int) {
	n := len(out)
	number, low := make([]int, n), make([]int, n)
	on := make([]bool, n)
	var stack []int
	last := 0
	type step struct{ node, next int }
	for root := range n {
		if number[root] != 0 || len(out[root]) == 0 {
			continue
		}
		for todo := []step{{root, 0}}; len(todo) > 0; {
			s := &todo[len(todo)-1]
			v := s.node
			if s.next == 0 {
				last++
				number[v], low[v] = last, last
				stack = append(stack, v)
				on[v] = true
			}
			if s.next < len(out[v]) {
				w := out[v][s.next]
				s.next++
				switch {
				case number[w] == 0:
					todo = append(todo, step{w, 0})
				case on[w]:
					low[v] = min(low[v], number[w])
				}
				continue
			}
			todo = todo[:len(todo)-1]
			if len(todo) > 0 {
				up := todo[len(todo)-1].node
				low[up] = min(low[up], low[v])
			}
			if low[v] != number[v] {
				continue
			}
			at := len(stack) - 1
			for stack[at] != v {
				at--
			}
			part := slices.Clone(stack[at:])
			for _, w := range part {
				on[w] = false
			}
			stack = stack[:at]
			if len(part) > 1 || slices.Contains(out[v], v) {
				all = append(all, part)
			}
		}
	}
	return all
}
