// Package alone tells whether an error only says that something has ended, or was
// told to end: then whoever has asked for the end may drop it.
//
// errors.Is cannot tell. It looks into errors that wrap several, so by it
// errors.Join(Exit, f.Close()) is Exit, although the file was not closed; and who
// drops that error has lost the other one.
package alone

import "errors"

// Is reports whether err is one of ends, or wraps one and nothing else. Of an error
// that wraps several, as that of errors.Join, each must be one: what only Close had
// returned nil for is as quiet as without it. One that has a class in Python, as an
// exception group, is that class and no end, whatever is in it.
func Is(err error, ends ...error) bool {
	return Each(err, func(e error) bool {
		for _, end := range ends {
			if e == end {
				return true
			}
			if is, ok := e.(interface{ Is(error) bool }); ok && is.Is(end) {
				return true
			}
		}
		return false
	})
}

// Within reports whether end is in err, perhaps with others: then who looks by
// errors.Is takes err for an end.
func Within(err, end error) bool { return errors.Is(err, end) }

// Each reports whether end is true of err, or of what err wraps; of each, if it
// wraps several. It is Is for ends that are a type.
func Each(err error, end func(err error) bool) bool {
	for err != nil {
		if end(err) {
			return true
		}
		several, ok := err.(interface{ Unwrap() []error })
		if !ok {
			err = errors.Unwrap(err)
			continue
		}
		if _, ok := err.(interface{ PyName() string }); ok {
			return false
		}
		any := false
		for _, e := range several.Unwrap() {
			if e != nil && !Each(e, end) {
				return false
			}
			any = any || e != nil
		}
		return any
	}
	return false
}

// Behind returns an error that tells what err does, and behind which cause can be
// found by errors.Is and errors.As: all of it but ends, so that nobody takes it for
// an end.
func Behind(err, cause error, ends ...error) error { return &behind{err, cause, ends} }

type behind struct {
	error
	cause error
	ends  []error
}

func (b *behind) Unwrap() error { return b.error }

func (b *behind) Is(target error) bool {
	for _, end := range b.ends {
		if errors.Is(end, target) {
			return false
		}
	}
	return errors.Is(b.cause, target)
}

func (b *behind) As(target any) bool {
	return errors.As(b.error, target) || errors.As(b.cause, target)
}
