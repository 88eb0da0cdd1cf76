package rt

import (
	"reflect"
	"runtime"
	"slices"
	"testing"
	"unsafe"
)

// The check must not take a moment of the scheduler's for a wrong layout: the
// program would run on the slow switch, once in a thousand starts.
func TestSelfCheckIsSteady(t *testing.T) {
	if !Fast {
		t.Skip("the layout is not known: ", Reason)
	}
	stop := make(chan struct{})
	defer close(stop)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
			}
		}()
	}
	runtime.LockOSThread() // as while packages are initialised
	defer runtime.UnlockOSThread()
	n := 3000
	if testing.Short() {
		n = 500
	}
	for i := range n {
		if err := check(known); err != nil {
			t.Fatalf("check %d: %v", i, err)
		}
	}
}

// Every field is held against facts: none may lie where something else does that
// is not 0, and no status be another.
func TestSelfCheckSeesEachField(t *testing.T) {
	if !Fast {
		t.Skip("the layout is not known: ", Reason)
	}
	defer func(n int) { patience = n }(patience)
	patience = 1000
	ofThread := []string{"g0", "curg", "locks", "lockedG", "lockedExt", "lockedInt"}
	// Those of the switch are not looked at where that is not built.
	notBuilt := append([]string{"m", "waitReason", "lockedM", "dead"}, ofThread...)
	right := reflect.ValueOf(known)
	for i := range right.NumField() {
		name, was := right.Type().Field(i).Name, uintptr(right.Field(i).Uint())
		if !SwitchBuilt && slices.Contains(notBuilt, name) || name == "dit" && HasDIT == 0 {
			continue
		}
		wrongs := []uintptr{known.stackHi, known.goid}
		switch {
		case slices.Contains(ofThread, name):
			wrongs = []uintptr{known.curg, known.g0}
		case name == "running", name == "waiting", name == "dead":
			wrongs = []uintptr{was + 1, was + 3}
		case name == "traceSeq": // a goroutine's number may be one of a trace's
			wrongs = []uintptr{known.stackHi}
		case name == "dit", name == "scanDone":
			wrongs = []uintptr{known.stackHi + noBool(t)}
		case name == "waitReason": // whatever the address is and the number, they are not above these
			wrongs = []uintptr{known.goid + 7, known.stackHi + 7}
		}
		for _, wrong := range wrongs {
			if wrong == was {
				continue
			}
			table := known
			*(*uintptr)(reflect.ValueOf(&table).Elem().Field(i).Addr().UnsafePointer()) = wrong
			if check(table) == nil {
				t.Errorf("%s is taken for %d, it is %d, and nobody notices", name, wrong, was)
			}
		}
	}
}

// noBool returns which byte of the end of this goroutine's stack is neither 0 nor 1.
// Where stacks lie is left to chance.
func noBool(t *testing.T) uintptr {
	_, hi := getg().Bounds()
	for i := range unsafe.Sizeof(hi) {
		if hi>>(8*i)&0xff > 1 {
			return i
		}
	}
	t.Fatalf("a stack ends at %#x", hi)
	return 0
}

// Two fields that have changed places are noticed, where they can be told apart.
func TestSelfCheckSeesMixedUpFields(t *testing.T) {
	if !SwitchBuilt || !Fast {
		t.Skip("the layout is not known: ", Reason)
	}
	defer func(n int) { patience = n }(patience)
	patience = 1000
	k := known
	for _, swap := range [][2]*uintptr{
		{&k.stackLo, &k.stackHi}, {&k.stackHi, &k.stackGuard}, {&k.stackGuard, &k.stackLo},
		{&k.schedSP, &k.schedPC}, {&k.schedPC, &k.schedCtxt}, {&k.schedBP, &k.schedSP}, {&k.schedLR, &k.schedBP}, {&k.schedCtxt, &k.schedBP},
		{&k.status, &k.goid}, {&k.goid, &k.waitSince}, {&k.waitReason, &k.scanDone},
		{&k.m, &k.lockedM}, {&k.bubble, &k.m}, {&k.profiled, &k.status}, {&k.trace, &k.status}, {&k.labels, &k.m},
		{&k.g0, &k.curg}, {&k.locks, &k.curg}, {&k.lockedG, &k.curg},
		{&k.running, &k.waiting}, {&k.waiting, &k.dead},
	} {
		*swap[0], *swap[1] = *swap[1], *swap[0]
		if check(k) == nil {
			t.Errorf("a table goes unnoticed in which two fields have changed places: %+v", k)
		}
		*swap[0], *swap[1] = *swap[1], *swap[0]
	}
}
