package simnet

// Shrink leaves out of p what a failure does not need: fails is to play a smaller plan
// and to report whether it fails, too. By halves, by quarters and so on, down to single
// faults, until none can be left out (Zeller's ddmin).
//
// Any change of a plan moves everything after it. So fails should try a plan with
// several seeds, ten say: with one it mostly finds that everything is needed.
// asynciotest.Explore does that by itself.
func Shrink(p Plan, fails func(Plan) bool) Plan {
	for size := (len(p) + 1) / 2; size >= 1; {
		left := false
		for i := 0; i < len(p); {
			smaller := append(append(Plan{}, p[:i]...), p[min(i+size, len(p)):]...)
			if len(smaller) < len(p) && fails(smaller) {
				p, left = smaller, true
			} else {
				i += size
			}
		}
		switch {
		case size > 1:
			size = (size + 1) / 2
		case !left:
			return p
		}
	}
	return p
}
