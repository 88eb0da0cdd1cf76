// Package sight shows what the loops, tasks and greenlets of a program do while it runs:
// on a page, as text, as JSON, as a graph, and as metrics.
//
//	mux.Handle("/debug/sight/", sight.Handler())
//
// Importing package asyncio/sight/agent does it without a line of code, and without
// a port: a signal has the program serve the same on a socket that only its user can
// reach.
//
//	/            a page that follows the program, once a second, while it is looked at
//	/tasks.txt   tasks as a tree, errors that nobody has looked at, warnings
//	/tasks.json  the same for programs: the wire format, version 1
//	/tasks.dot   who waits for whom, for Graphviz
//	/task        one task: ?id=7, and &loop=2 if there are several loops
//	/greenlets   suspended greenlets by their stacks, for go tool pprof; with ?debug=1 as text
//	/metrics     counters and gauges in OpenMetrics' text format
//
// tasks.json has of a loop with more than 1,000 tasks only those that matter, unless
// it is asked for all of them by ?all=1, or for those of a name by ?name=. The page
// docs/sight.md of the repository has the fields, the metrics and the warnings.
//
// This is the one package of asyncio that imports net/http. A program that imports
// it and serves nothing pays for it by its size alone.
package sight
