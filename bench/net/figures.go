//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
)

// A figure is one that the project has set itself: a metric of ours over that of
// another server, or alone.
type figure struct {
	text   string
	metric string
	ours   string
	rival  string // none: the metric itself
	most   bool   // a bound from above
	bound  float64
	what   string // the case; none: the four that the report names
	over   string // the case of the rival, if it is another
}

// Equal to C means as equal as the machine resolves.
const equal = 0.85

var figures = []figure{
	{"requests/s of net.Conn against C", perSecond, conn, inC, false, equal, "", ""},
	{"the same of a protocol", perSecond, protocol, inC, false, equal, "", ""},
	{"the same of streams", perSecond, streams, inC, false, equal, "", ""},
	{"requests/s of io_uring in C against epoll in C", perSecond, inUring, inC, false, 1.2, "", ""},
	{"p99 of net.Conn against C", p99, conn, inC, true, 1.2, "", ""},
	{"the same of a protocol", p99, protocol, inC, true, 1.2, "", ""},
	{"the same of streams", p99, streams, inC, true, 1.2, "", ""},
	{"requests/s of net.Conn against gnet", perSecond, conn, gnet, false, 1, "", ""},
	{"the same of a protocol", perSecond, protocol, gnet, false, 1, "", ""},
	{"requests/s of net.Conn against Go net", perSecond, conn, goNet, false, 1, "", ""},
	{"system calls of net.Conn for a request, but for waiting", butPoll, conn, "", true, 2.02, "", ""},
	{"the same of a protocol", butPoll, protocol, "", true, 2.02, "", ""},
	{"the same of streams", butPoll, streams, "", true, 2.02, "", ""},
	{"user time of net.Conn for a request, against Go net", user, conn, goNet, true, 0.6, "", ""},
	{"the same against gnet", user, conn, gnet, true, 1, "", ""},
	{"user time of a protocol, against gnet", user, protocol, gnet, true, 1, "", ""},
	{"the same against a protocol of uvloop", user, protocol, uvProto, true, 0.6, "", ""},
	{"user time of streams, against those of uvloop", user, streams, uvStreams, true, 0.15, "", ""},
	{"the same against those of asyncio", user, streams, pyStreams, true, 0.1, "", ""},
	{"the same of ReadInto, against streams of uvloop", user, into, uvStreams, true, 0.15, "", ""},
	{"the same against those of asyncio", user, into, pyStreams, true, 0.1, "", ""},
	{"100 busy net.Conns with idle ones, against 100 alone", perSecond, conn, conn, false, 0.9, idle, busy},
	{"the same of streams", perSecond, streams, streams, false, 0.9, idle, busy},
	{"bytes for an idle net.Conn", idleBytes, conn, "", true, 8192, idle, ""},
	{"bytes for an idle connection with streams", idleBytes, streams, "", true, 8192, idle, ""},
	{"connections/s of streams, against those of asyncio", perSecond, streams, pyStreams, false, 4, accept, ""},
	{"connections/s of a protocol, against one of asyncio", perSecond, protocol, pyProto, false, 4, accept, ""},
	{"children started in a second, against asyncio", perSecond, conn, pyStreams, false, 1.2, spawn, ""},
}

// four are the cases that figures without a case are for.
var four = []echoCase{{64, 50}, {64, 500}, {1024, 50}, {1024, 500}}

// got is the figure of each round: the geometric mean of its cases.
func (f figure) got(m *measurements) []float64 {
	names := []string{f.what}
	if f.what == "" {
		names = nil
		for _, c := range four {
			names = append(names, c.String())
		}
	}
	var means []float64
	for _, name := range names {
		var values []float64
		if f.rival == "" {
			values = m.values(f.ours, name, f.metric)
		} else {
			under := key{f.rival, name, f.metric}
			if f.over != "" {
				under.what = f.over
			}
			values = m.ratios(key{f.ours, name, f.metric}, under)
		}
		if len(values) > 0 {
			means = append(means, math.Log(median(values)))
		}
	}
	if len(means) == 0 {
		return nil
	}
	sum := 0.0
	for _, v := range means {
		sum += v
	}
	return []float64{math.Exp(sum / float64(len(means)))}
}

// asked writes the figures that the project has set itself.
func (m *measurements) asked(w io.Writer) {
	fmt.Fprint(w, "| what | asked | got | |\n| --- | ---: | ---: | --- |\n")
	for _, f := range figures {
		bound, unit := "≥ ", "×"
		if f.most {
			bound = "≤ "
		}
		if f.rival == "" {
			unit = ""
		}
		got, verdict := "not measured", ""
		if values := f.got(m); len(values) > 0 {
			v := median(values)
			got, verdict = number(v)+unit, "**no**"
			if v == f.bound || (v < f.bound) == f.most {
				verdict = "yes"
			}
		}
		fmt.Fprintf(w, "| %s | %s%s%s | %s | %s |\n", f.text, bound, number(f.bound), unit, got, verdict)
	}
}
