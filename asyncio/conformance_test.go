package asyncio_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/internal/logtest"
)

// Scenarios are programs that were written in Python. Their Go form is a
// function beside a test of its area, which it calls with playScenarios; what
// it prints is compared, line by line, with what CPython printed.

// A scenario is a program's Go form, with the name of its files in
// testdata/conformance.
type scenario struct {
	name string // with its folder: "asyncio/001_call_soon_fifo"
	run  func(s *script)
}

func playScenarios(t *testing.T, scenarios ...scenario) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			s := &script{t: t}
			sc.run(s)
			logtest.Same(t, newestLog(t, sc.name), s.lines)
		})
	}
}

// newestLog returns the file with the log that the newest CPython prints: that of
// NAME.out is of 3.13, and NAME.3.15.out is of a version that prints another.
func newestLog(t *testing.T, name string) string {
	base := filepath.Join("testdata", "conformance", filepath.FromSlash(name))
	newer, err := filepath.Glob(base + ".3.??.out")
	require.NoError(t, err)
	if len(newer) == 0 {
		return base + ".out"
	}
	return slices.Max(newer)
}

// A script is one program at work: what it has printed.
type script struct {
	t     *testing.T
	lines []string
}

// print is Python's print, of what the programs print.
func (s *script) print(parts ...any) {
	words := make([]string, len(parts))
	for i, p := range parts {
		words[i] = pyString(p)
	}
	s.lines = append(s.lines, strings.Split(strings.Join(words, " "), "\n")...)
}

// must fails the test if err is not nil.
func (s *script) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Errorf("after line %d: unexpected error: %v", len(s.lines), err)
	}
}

// pyString is Python's str of what the programs print.
func pyString(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case error:
		return pyMessage(v)
	}
	return fmt.Sprint(v)
}

// yes is how the programs print a truth.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// A pyError is an error of a program, with the name of its class in Python.
type pyError struct{ class, msg string }

func (e *pyError) Error() string  { return e.msg }
func (e *pyError) PyName() string { return e.class }

func valueError(msg string) error   { return &pyError{"ValueError", msg} }
func runtimeError(msg string) error { return &pyError{"RuntimeError", msg} }
func keyError(msg string) error     { return &pyError{"KeyError", msg} }

// pyName is the name of err's class in Python: type(e).__name__.
func pyName(err error) string {
	var named interface{ PyName() string }
	if errors.As(err, &named) {
		return named.PyName()
	}
	return fmt.Sprintf("%T", err)
}

// pyMessage is what Python prints of err: str(e).
func pyMessage(err error) string {
	var named interface {
		error
		PyName() string
	}
	if errors.As(err, &named) {
		err = named
	}
	msg := strings.TrimPrefix(err.Error(), "asyncio: ")
	switch pyName(err) {
	case "CancelledError":
		return strings.TrimPrefix(strings.TrimPrefix(msg, "cancelled"), ": ")
	case "TimeoutError":
		return ""
	case "ExceptionGroup", "BaseExceptionGroup":
		head, _, _ := strings.Cut(msg, "): ") // what is in it is Go's addition
		return head + ")"
	}
	return msg
}
