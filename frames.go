package greenlet

import (
	"runtime"
	"strconv"
	"strings"
)

// trimFrames drops the frames of the switch itself, inside, and those of the
// carrier and the runtime, outside.
func trimFrames(all []runtime.Frame) []runtime.Frame {
	for len(all) > 0 && isOurs(all[0].Function) {
		all = all[1:]
	}
	for i, f := range all {
		if strings.HasPrefix(f.Function, packagePath+".(*carrier).serve") {
			all = all[:i]
			for len(all) > 0 && isOurs(all[len(all)-1].Function) { // a coroutine's
				all = all[:len(all)-1]
			}
			return all
		}
	}
	// A main greenlet: only what the runtime began with is dropped.
	for len(all) > 0 && strings.HasPrefix(all[len(all)-1].Function, "runtime.goexit") {
		all = all[:len(all)-1]
	}
	return all
}

const packagePath = "github.com/go-greenlet/greenlet"

// isOurs reports whether a function belongs to the switch: what lies between
// the runtime and the user's call of Switch, Yield and their like.
func isOurs(f string) bool {
	return isRuntimes(f) || strings.HasPrefix(f, packagePath+".")
}

// isRuntimes reports whether a function is what the switch parks a goroutine by.
func isRuntimes(f string) bool {
	return strings.HasPrefix(f, "runtime.") ||
		strings.HasPrefix(f, packagePath+"/internal/rt.") ||
		strings.HasPrefix(f, "iter.") // see switch_generic.go
}

// printedFrames reads the frames of a goroutine from what runtime.Stack prints
// of all goroutines.
func printedFrames(goid uint64) []runtime.Frame {
	start := "goroutine " + strconv.FormatUint(goid, 10) + " "
	for block := range strings.SplitSeq(printedGoroutines(), "\n\n") {
		if strings.HasPrefix(block, start) {
			return trimFrames(parseFrames(block))
		}
	}
	return nil
}

// printedGoroutines is what runtime.Stack prints of all goroutines.
func printedGoroutines() string {
	buf := make([]byte, 1<<16)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) || n >= 1<<30 {
			return string(buf[:n])
		}
		buf = make([]byte, 4*n)
	}
}

// parseFrames reads one goroutine's block: a line for the goroutine, then two
// lines for each frame, the function with its arguments and, after a tab, the
// file with its line.
func parseFrames(block string) []runtime.Frame {
	lines := strings.Split(block, "\n")
	var all []runtime.Frame
	for i := 1; i+1 < len(lines); i += 2 {
		function, place := lines[i], strings.TrimPrefix(lines[i+1], "\t")
		if strings.HasPrefix(function, "created by ") {
			break
		}
		if k := strings.LastIndexByte(function, '('); k > 0 {
			function = function[:k]
		}
		if k := strings.LastIndex(place, " +0x"); k > 0 {
			place = place[:k]
		}
		file, line := place, 0
		if k := strings.LastIndexByte(place, ':'); k > 0 {
			file = place[:k]
			line, _ = strconv.Atoi(place[k+1:])
		}
		all = append(all, runtime.Frame{Function: function, File: file, Line: line})
	}
	return all
}
