// Package tracecheck holds a test only: an execution trace taken across
// switches is read to its end by the parser of golang.org/x/exp/trace and shows
// every switch. It is a module of its own, so that the library does not depend
// on the parser.
package tracecheck
