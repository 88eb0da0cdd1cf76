//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet

import (
	"iter"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// What Pull returns, and yield, are no objects of their own; where they do not fit they
// are, and do the same.
func TestFunctionsWithin(t *testing.T) {
	require.True(t, functionsFit)
	counts := !builtWithoutInlining()
	defer Close()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // its cycles age what waits
	type block struct{ a, b, c, d complex128 }       // 64 bytes
	numbers := func(yield func(int) bool) { _ = yield(1) && yield(2) && yield(3) }
	words := func(yield func(string) bool) { _ = yield("a") && yield("b") && yield("c") }
	blocks := func(yield func(block) bool) { _ = yield(block{a: 1}) && yield(block{b: 2, c: 3}) && yield(block{d: 4}) }
	pairs := func(yield func(int, string) bool) { _ = yield(1, "a") && yield(2, "b") && yield(3, "c") }
	for fit, objects := range map[bool]int{true: 2, false: 5} {
		func() {
			defer func(was bool) { functionsFit = was }(functionsFit)
			functionsFit = fit
			require.Equal(t, []int{1, 2, 3}, pulledAll(numbers))
			require.Equal(t, []string{"a", "b", "c"}, pulledAll(words))
			require.Equal(t, []block{{a: 1}, {b: 2, c: 3}, {d: 4}}, pulledAll(blocks))
			var got []any
			next, stop := Pull2(pairs)
			for k, v, ok := next(); ok; k, v, ok = next() {
				got = append(got, k, v)
				runtime.GC()
			}
			stop()
			require.Equal(t, []any{1, "a", 2, "b", 3, "c"}, got)

			for steps := range 5 {
				if !counts {
					break // some are objects then
				}
				require.Equal(t, objects, made(func() {
					next, stop := Pull(numbers)
					for range steps {
						next()
					}
					stop()
				})+oneOfStart(fit, steps), steps)
				require.Equal(t, objects+1, made(func() {
					next, stop := Pull2(pairs)
					for range steps {
						next()
					}
					stop()
				})+oneOfStart(fit, steps), steps)
				require.Equal(t, objects, made(func() {
					next, stop := Pull(blocks)
					for range steps {
						next()
					}
					stop()
				})+oneOfStart(fit, steps), steps)
			}
		}()
	}
}

func builtWithoutInlining() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool {
		return s.Key == "-gcflags" && strings.Contains(s.Value, "-l")
	})
}

// oneOfStart is 1 if yield is an object, and has not been made.
func oneOfStart(fit bool, steps int) int {
	if !fit && steps == 0 {
		return 1
	}
	return 0
}

func made(f func()) (objects int) { return int(testing.AllocsPerRun(100, f)) }

func pulledAll[V any](seq iter.Seq[V]) (all []V) {
	next, stop := Pull(seq)
	defer stop()
	for v, ok := next(); ok; v, ok = next() {
		all = append(all, v)
		runtime.GC()
	}
	return slices.Clip(all)
}

// What a function refers to is where within expects it, and nothing else is.
func TestFunctionHolds(t *testing.T) {
	h, other := new(holder[string]), new(holder[string])
	require.True(t, functionHolds(h))
	within(&h.at, func() string { return other.value })
	require.Equal(t, unsafe.Pointer(other), h.at.refers)
}

// An object is not copied: there may be nothing behind it that can be read.
func TestFunctionThatIsAnObject(t *testing.T) {
	h := &holder[string]{value: "its own"}
	heldLiteral = func() string { return h.value }
	f := within(&h.at, heldLiteral)
	require.Zero(t, h.at)
	require.Equal(t, "its own", f())
}

var heldLiteral func() string
