package main

/*
extern int inner(int);

static int out(int n) { return inner(n); }
*/
import "C"

import "sync"

// callbacks are the functions that C is to call, by the number that it is given
// for them.
var callbacks = struct {
	mu   sync.Mutex
	next C.int
	by   map[C.int]func() int
}{by: make(map[C.int]func() int)}

// thereAndBack calls f by way of C.
func thereAndBack(f func() int) int {
	callbacks.mu.Lock()
	callbacks.next++
	n := callbacks.next
	callbacks.by[n] = f
	callbacks.mu.Unlock()
	return int(C.out(n))
}

//export inner
func inner(n C.int) C.int {
	callbacks.mu.Lock()
	f := callbacks.by[n]
	delete(callbacks.by, n)
	callbacks.mu.Unlock()
	return C.int(f())
}
