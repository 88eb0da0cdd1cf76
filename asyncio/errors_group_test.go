package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// TestExceptionGroup compares with what Python prints.
func TestExceptionGroup(t *testing.T) {
	v, r := valueError("v"), runtimeError("r")
	inner := asyncio.NewExceptionGroup("inner", r, v)
	eg := asyncio.NewExceptionGroup("outer", v, inner, r)
	is := func(class string) func(error) bool {
		return func(err error) bool { return pyName(err) == class }
	}
	show := func(eg *asyncio.ExceptionGroup) string {
		if eg.Err() == nil {
			return "None"
		}
		return eg.Error()
	}
	matching, rest := eg.Split(is("ValueError"))
	whole, none := eg.Split(func(err error) bool { return errors.Is(err, v) || errors.Is(err, r) })
	none2, whole2 := eg.Split(is("KeyError"))
	for _, c := range []struct{ what, got, want string }{
		{"text", eg.Error(), "outer (3 sub-exceptions): v; [inner (2 sub-exceptions): r; v]; r"},
		{"text of one", asyncio.NewExceptionGroup("one", v).Error(), "one (1 sub-exception): v"},
		{"matching", show(matching), "outer (2 sub-exceptions): v; [inner (1 sub-exception): v]"},
		{"rest", show(rest), "outer (2 sub-exceptions): [inner (1 sub-exception): r]; r"},
		{"all match", show(whole) + show(none), eg.Error() + "None"},
		{"none matches", show(none2) + show(whole2), "None" + eg.Error()},
		{"no groups are asked about", show(eg.Subgroup(func(err error) bool { return errors.Is(err, v) })), show(matching)},
		{"class", eg.PyName(), "ExceptionGroup"},
		{"class with a cancellation", asyncio.NewExceptionGroup("", v, asyncio.ErrCancelled).PyName(), "BaseExceptionGroup"},
		{"class of a group of such", asyncio.NewExceptionGroup("", asyncio.NewExceptionGroup("", asyncio.ErrKeyboardInterrupt)).PyName(), "BaseExceptionGroup"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	wrapped := fmt.Errorf("wrapped: %w", eg)
	var found *pyError
	if !errors.Is(wrapped, r) || errors.Is(wrapped, context.Canceled) || !errors.As(wrapped, &found) || found != v {
		t.Errorf("errors.Is and errors.As do not look through the group: found %v", found)
	}
	if !asyncio.IsException(eg) {
		t.Error("a group of errors is no Exception")
	}
	for _, c := range []struct {
		what string
		errs []error
		says string
	}{
		{"no errors", nil, "a group needs at least one error"},
		{"a nil error", []error{v, nil}, "error 1 of a group is nil"},
	} {
		func() {
			defer func() { wantPy(t, c.what, recover().(error), "ValueError", c.says) }()
			asyncio.NewExceptionGroup("", c.errs...)
		}()
	}
}
