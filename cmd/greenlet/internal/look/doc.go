// Package look reads what the loops and greenlets of another process do from its
// memory, without stopping it. It needs nothing prepared in the program but the sight
// table, which each program with package greenlet has: see internal/rt/sight.go of the
// module. Functions and lines come from the tables that the program has for its own
// tracebacks, so symbols and debug information may be missing.
//
// The process goes on meanwhile, and may be anybody's: what is read may be half
// changed, or made to mislead. So no length, pointer or list is believed: each is
// bounded, and what does not fit is left out.
package look
