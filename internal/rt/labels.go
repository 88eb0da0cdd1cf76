package rt

import "unsafe"

// Labels is the profiler labels of a goroutine, as runtime/pprof sets them. The
// zero Labels is none. It can be compared.
type Labels struct{ p unsafe.Pointer }

// OwnLabels returns those of the running goroutine: none where its layout is not
// known (see Fast).
func OwnLabels() Labels {
	if !Fast {
		return Labels{}
	}
	return Labels{*(*unsafe.Pointer)(getg().field(GLabels))}
}

// SetOwnLabels gives the running goroutine l, as pprof.SetGoroutineLabels does. Where
// the layout is not known it does nothing.
func SetOwnLabels(l Labels) {
	if !Fast {
		return
	}
	own := (*unsafe.Pointer)(getg().field(GLabels))
	if *own != l.p {
		*own = l.p
	}
}

// Each calls f with each label.
//
// SAFETY: in the releases whose layout is known a set of labels begins with a slice of
// pairs of strings; TestLabelsEach looks whether it still does.
func (l Labels) Each(f func(key, value string)) {
	if l.p == nil {
		return
	}
	for _, pair := range *(*[]struct{ key, value string })(l.p) {
		f(pair.key, pair.value)
	}
}
