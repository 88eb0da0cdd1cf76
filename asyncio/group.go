package asyncio

import (
	"fmt"
	"strings"
)

// An ExceptionGroup is several errors that have happened independently: what a
// TaskGroup fails with. Groups may stand in groups, so they are a tree. Its
// fields are not to be changed once others know it.
//
// errors.Is and errors.As look through it, as they do through errors.Join. Where
// a program has to treat some of the errors and pass on the others, Split parts
// them: that is Python's except*.
//
// Python: ExceptionGroup, and BaseExceptionGroup if there is a cancellation or
// the end of the program among the errors.
type ExceptionGroup struct {
	Message    string  // what was done when they happened
	Exceptions []error // the errors; at least one
}

// NewExceptionGroup makes a group of errs. It panics with a ValueError if there
// is none, or one is nil. Any goroutine may call it.
func NewExceptionGroup(message string, errs ...error) *ExceptionGroup {
	if len(errs) == 0 {
		panic(valueErrorf("a group needs at least one error"))
	}
	for i, err := range errs {
		if err == nil {
			panic(valueErrorf("error %d of a group is nil", i))
		}
	}
	return &ExceptionGroup{message, errs}
}

// Error returns the message, the number of errors and what each of them says.
func (g *ExceptionGroup) Error() string {
	var b strings.Builder
	plural := "s"
	if len(g.Exceptions) == 1 {
		plural = ""
	}
	fmt.Fprintf(&b, "%s (%d sub-exception%s)", g.Message, len(g.Exceptions), plural)
	for i, err := range g.Exceptions {
		sep := ": "
		if i > 0 {
			sep = "; "
		}
		text := err.Error()
		if _, nested := err.(*ExceptionGroup); nested {
			text = "[" + text + "]"
		}
		b.WriteString(sep + text)
	}
	return b.String()
}

// Unwrap returns the errors, for errors.Is and errors.As.
func (g *ExceptionGroup) Unwrap() []error { return g.Exceptions }

// PyName is the name of the class in Python.
func (g *ExceptionGroup) PyName() string {
	if g.plain() {
		return "ExceptionGroup"
	}
	return "BaseExceptionGroup"
}

// plain reports whether all errors of the tree are what Python calls an
// Exception.
func (g *ExceptionGroup) plain() bool {
	for _, err := range g.Exceptions {
		if sub, ok := err.(*ExceptionGroup); ok && !sub.plain() || !ok && !IsException(err) {
			return false
		}
	}
	return true
}

// Subgroup returns the tree of those errors for which match is true, groups kept
// as they are nested, or nil if there are none. match is asked about errors and
// not, as in Python, about groups, too: errors.Is is true of a group that has what
// it looks for somewhere. Python: ExceptionGroup.subgroup.
func (g *ExceptionGroup) Subgroup(match func(error) bool) *ExceptionGroup {
	matching, _ := g.Split(match)
	return matching
}

// Split returns Subgroup(match), and the tree of all other errors. Each is nil if
// it has no errors; Err makes an error of it that can be returned. Python:
// ExceptionGroup.split.
func (g *ExceptionGroup) Split(match func(error) bool) (matching, rest *ExceptionGroup) {
	var in, out []error
	for _, err := range g.Exceptions {
		switch sub, ok := err.(*ExceptionGroup); {
		case ok:
			a, b := sub.Split(match)
			if a != nil {
				in = append(in, a)
			}
			if b != nil {
				out = append(out, b)
			}
		case match(err):
			in = append(in, err)
		default:
			out = append(out, err)
		}
	}
	return g.derive(in), g.derive(out)
}

// derive makes a group of errs, some of those in g, that is otherwise like g.
func (g *ExceptionGroup) derive(errs []error) *ExceptionGroup {
	if len(errs) == 0 {
		return nil
	}
	return &ExceptionGroup{g.Message, errs}
}

// Err returns g, or a nil error if g is nil.
func (g *ExceptionGroup) Err() error {
	if g == nil {
		return nil
	}
	return g
}
