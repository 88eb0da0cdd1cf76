package asyncio

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// A source is where something was made.
type source []uintptr

// sourceHere is the calls that led to the function that calls it, without skip of
// them.
func sourceHere(skip int) *source {
	pcs := make([]uintptr, 32)
	s := source(pcs[:runtime.Callers(skip+2, pcs)])
	return &s
}

// frames returns the calls of s, the innermost first, without those of this
// package and of the switch.
func (s *source) frames() []runtime.Frame {
	if s == nil {
		return nil
	}
	var all []runtime.Frame
	for frames, more := runtime.CallersFrames(*s), true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); f.PC != 0 && !isOurs(f.Function) {
			all = append(all, f)
		}
	}
	return all
}

// isOurs reports whether a function is one of this package or below it.
func isOurs(function string) bool {
	if strings.HasPrefix(function, "runtime.") {
		return true
	}
	rest, ours := strings.CutPrefix(function, modulePath)
	return ours && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "/asyncio.") || strings.HasPrefix(rest, "/sched.") || strings.HasPrefix(rest, "/internal/"))
}

const modulePath = "github.com/go-greenlet/greenlet"

// place names a call for people.
func place(f runtime.Frame) string { return fmt.Sprintf("%s (%s:%d)", f.Function, f.File, f.Line) }

// calledTask returns what the task of that number is called where people read of it: its
// name, if there is something to see of that.
func calledTask(name string, number uint64) string {
	if strings.TrimSpace(name) == "" {
		return "task " + strconv.FormatUint(number, 10)
	}
	return name
}

func taskName(name *string, number uint64) string {
	if name != nil {
		return *name
	}
	return "Task-" + strconv.FormatUint(number, 10)
}
