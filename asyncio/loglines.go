package asyncio

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"strings"
)

// logLines logs an error, by log/slog: key is the name of err in the record, if err
// is not nil. The stacks of the panics in it and text have lines, which most
// handlers would make one of, with escapes. So where slog writes to package log, as
// it does at first, they follow as they are; else they are attributes.
func logLines(message, key string, err error, text string, about ...any) {
	stacks, short := withoutStacks(err)
	if err != nil {
		about = append(about, key, short)
	}
	lines := strings.Join(append(stacks, strings.TrimRight(text, "\n")), "\n")
	lines = strings.Trim(lines, "\n")
	if lines != "" && !logsPlainly() {
		about = append(about, "lines", lines)
	}
	slog.Error(message, about...)
	if lines != "" && logsPlainly() {
		fmt.Fprintf(log.Writer(), "%s\n", lines)
	}
}

// logsPlainly reports whether slog hands its records to package log.
func logsPlainly() bool {
	return fmt.Sprintf("%T", slog.Default().Handler()) == "*slog.defaultHandler"
}

// withoutStacks returns err with a text that has no stacks of panics in it, and
// those stacks.
func withoutStacks(err error) (stacks []string, short error) {
	panics := panicsIn(err, nil)
	if len(panics) == 0 {
		return nil, err
	}
	text := fmt.Sprint(err)
	for _, p := range panics {
		text = strings.ReplaceAll(text, "\n\n"+string(p.Stack), "")
		stacks = append(stacks, strings.TrimRight(string(p.Stack), "\n"))
	}
	return stacks, &shortError{err, strings.TrimSpace(text)}
}

// A shortError is an error with another text.
type shortError struct {
	error
	text string
}

func (e *shortError) Error() string { return e.text }
func (e *shortError) Unwrap() error { return e.error }

// panicsIn adds the panics in err, which may wrap several errors, to found.
func panicsIn(err error, found []*PanicError) []*PanicError {
	if p, ok := err.(*PanicError); ok {
		found = append(found, p)
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			found = panicsIn(e, found)
		}
	} else if inner := errors.Unwrap(err); inner != nil {
		found = panicsIn(inner, found)
	}
	return found
}
