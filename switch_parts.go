package greenlet

import "unsafe"

// What a coroutine's two objects are made of. They are made for each life, so
// what can be found out is not stored. A pointer to a part of the object that it
// lies in keeps nothing alive and never changes: it is stored like a number, without
// the write barrier, which while the collector marks costs as much as a switch.

// state is what seq's stack refers to.
//
// SAFETY: newPuller has taken the pair from a pulled[V], of which it is the first part.
func (p *puller[V, Leave]) state() *pulled[V] { return (*pulled[V])(unsafe.Pointer(p.p)) }

// setHandle sets f.g to the handle that lies in one object with f.
//
// SAFETY: see above; and objects do not move.
func (f *face) setHandle(g *Greenlet) {
	*(*uintptr)(unsafe.Pointer(&f.g)) = uintptr(unsafe.Pointer(g))
}

// A script is a routine without its data, which is the pair that has the script.
type script struct{ table uintptr }

// scriptOf returns r's, which is a pointer to what begins with the pair.
//
// SAFETY: an interface with methods is two words, a table that is never freed and
// a pointer.
func scriptOf(r routine) script { return script{*(*uintptr)(unsafe.Pointer(&r))} }

// routine is what p's coroutine does.
//
// SAFETY: as above.
func (p *pair) routine() routine {
	r := struct {
		script
		p *pair
	}{p.script, p}
	return *(*routine)(unsafe.Pointer(&r))
}
