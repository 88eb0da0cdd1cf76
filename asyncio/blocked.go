package asyncio

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/go-greenlet/greenlet/sched"
)

// This file finds out where a loop is stuck. The tasks of a loop have a goroutine
// each, and all but one of them are suspended. The runtime's list of goroutines
// says which: a suspended one is inside a switch, whatever the backend, and the
// one that is stuck is somewhere else.

// dumpMost is how much of the list of goroutines is looked at.
const dumpMost = 64 << 20

// A stuck is a goroutine that keeps a loop from going on.
type stuck struct {
	frames []runtime.Frame // its calls, the innermost first: the user's; nil: it was not found
	busy   bool            // it computes; else it waits
}

// whatBlocks looks for the goroutine on which s runs.
func whatBlocks(s *sched.Loop) stuck {
	me := fmt.Sprintf("(%p", s)
	var sure, likely, possible stuck
	for block := range bytes.SplitSeq(goroutineDump(), []byte("\n\n")) {
		text := string(block)
		if !strings.Contains(text, modulePath) {
			continue
		}
		frames := parseFrames(text)
		if isSuspended(frames) {
			continue
		}
		one := stuck{frames, computes(text)}
		hosts := strings.Contains(text, workerCall) || strings.Contains(text, hubCall)
		switch {
		case strings.Contains(text, workerCall+me) || strings.Contains(text, hubCall+me):
			sure = one
		case hosts:
			likely = one // the compiler may not have kept the receiver
		case strings.Contains(text, carrierCall):
			possible = one // a greenlet that a task has made
		}
	}
	for _, one := range []stuck{sure, likely, possible} {
		if one.frames != nil {
			return stuck{usersFrames(one.frames), one.busy}
		}
	}
	return stuck{}
}

// computes reports whether a goroutine of the list runs, or would if the world had not
// been stopped for the list: "goroutine 7 [runnable]:", maybe with more in between.
func computes(block string) bool {
	head, _, _ := strings.Cut(block, "\n")
	_, status, _ := strings.Cut(head, "[")
	for _, runs := range []string{"running", "runnable", "preempted"} {
		if strings.HasPrefix(status, runs) {
			return true
		}
	}
	return false
}

// The calls that tell the goroutines of loops from others.
const (
	workerCall  = modulePath + "/sched.(*Loop).work"
	hubCall     = modulePath + "/sched.(*Loop).runOnce"
	carrierCall = modulePath + ".(*carrier).serve"
)

func goroutineDump() []byte {
	for size := 1 << 18; ; size *= 4 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size || size >= dumpMost {
			return buf[:n]
		}
	}
}

// parseFrames reads the frames of one goroutine: a line about it, then two lines
// for each frame.
func parseFrames(block string) (all []runtime.Frame) {
	lines := strings.Split(block, "\n")
	for i := 1; i+1 < len(lines); i += 2 {
		function, at := lines[i], strings.TrimPrefix(lines[i+1], "\t")
		if strings.HasPrefix(function, "created by ") {
			break
		}
		if k := strings.LastIndexByte(function, '('); k > 0 {
			function = function[:k]
		}
		at, _, _ = strings.Cut(at, " +0x")
		f := runtime.Frame{Function: function, File: at}
		if k := strings.LastIndexByte(at, ':'); k > 0 {
			f.File = at[:k]
			f.Line, _ = strconv.Atoi(at[k+1:])
		}
		all = append(all, f)
	}
	return all
}

// isSuspended reports whether a goroutine waits in a switch.
func isSuspended(frames []runtime.Frame) bool {
	for _, f := range frames {
		rest, ours := strings.CutPrefix(f.Function, modulePath)
		switch {
		case strings.HasPrefix(f.Function, "runtime."), strings.HasPrefix(f.Function, "iter."), ours && strings.HasPrefix(rest, "/internal/"):
		default:
			return ours && strings.HasPrefix(rest, ".")
		}
	}
	return true // nothing to see
}

// usersFrames cuts off what the loop itself has called.
func usersFrames(frames []runtime.Frame) []runtime.Frame {
	for i, f := range frames {
		rest, ours := strings.CutPrefix(f.Function, modulePath)
		if !ours || i == 0 {
			continue
		}
		for _, first := range []string{"/asyncio.(*runner[", "/asyncio.(*Loop).guard", "/sched.(*Loop).work", "/sched.(*Loop).runOnce", ".(*carrier).serve"} {
			if strings.HasPrefix(rest, first) {
				return frames[:i]
			}
		}
	}
	return frames
}

// blockingCall is the innermost call that is not the standard library's.
func blockingCall(frames []runtime.Frame) runtime.Frame {
	for _, f := range frames {
		if !isStandard(f) {
			return f
		}
	}
	return frames[0]
}

// standardRoot is where the sources of the standard library lay.
var standardRoot = func() string {
	f := runtime.FuncForPC(reflect.ValueOf(errors.New).Pointer())
	file, _ := f.FileLine(f.Entry())
	return strings.TrimSuffix(file, "errors/errors.go")
}()

func isStandard(f runtime.Frame) bool {
	if standardRoot != "" {
		return strings.HasPrefix(f.File, standardRoot)
	}
	first, _, nested := strings.Cut(f.File, "/") // built with -trimpath
	return nested && !strings.Contains(first, ".") && !strings.HasPrefix(f.Function, "main.")
}

func printFrames(frames []runtime.Frame) string {
	var b strings.Builder
	for _, f := range frames {
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
	return b.String()
}
