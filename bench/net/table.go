//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// report writes all tables, as Markdown.
func (m *measurements) report(w io.Writer) {
	fmt.Fprintf(w, "%s; rounds: %s.\n", m.Machine, m.Rounds)
	if noise, ok := m.noise(); ok {
		fmt.Fprintf(w, "Other programs used %.2f processors meanwhile.\n", noise)
		if noise > 0.1 {
			fmt.Fprint(w, "\n**The machine was not quiet: trust none of these figures.**\n")
		}
	}
	fmt.Fprint(w, "\n## What was asked\n\n"+
		"Over the four cases of 64 B and 1 KiB with 50 and 500 connections, their geometric mean.\n\n")
	m.asked(w)
	fmt.Fprint(w, "\n## What was measured\n\nMedians of the rounds; ± is half the distance of the quartiles.\n")
	for _, t := range []struct{ title, metric string }{
		{"Requests a second", perSecond},
		{"99th percentile of the latency, µs", p99},
		{"Processor time of the server for each request, µs", cpu},
		{"Of that in the program itself, not in the kernel, µs", user},
		{"System calls of the server for each request", calls},
		{"Of those other than waiting for events", butPoll},
		{"The part of its processor that the load generator used", loadShare},
	} {
		m.table(w, t.title, t.metric)
	}
	m.others(w)
}

func (m *measurements) table(w io.Writer, title, metric string) {
	var rows strings.Builder
	any := false
	for _, s := range m.Servers {
		fmt.Fprintf(&rows, "| %s |", s)
		for _, c := range m.Cases {
			values := m.values(s, c, metric)
			any = any || len(values) > 0
			fmt.Fprintf(&rows, " %s |", cell(values))
		}
		rows.WriteString("\n")
	}
	if any {
		fmt.Fprintf(w, "\n### %s\n\n| | %s |\n| --- |%s\n%s", title, strings.Join(m.Cases, " | "), strings.Repeat(" ---: |", len(m.Cases)), rows.String())
	}
}

// others is the table of what has no size and no number of connections.
func (m *measurements) others(w io.Writer) {
	fmt.Fprintf(w, "\n### Connections and children\n\n| | 100 busy, requests/s | with %s idle | bytes for an idle one | connections/s | µs of the server for each | children/s |\n| --- |%s\n",
		number(float64(m.Idle)), strings.Repeat(" ---: |", 6))
	for _, s := range m.Servers {
		fmt.Fprintf(w, "| %s |", s)
		for _, k := range []key{{s, busy, perSecond}, {s, idle, perSecond}, {s, idle, idleBytes}, {s, accept, perSecond}, {s, accept, cpu}, {s, spawn, perSecond}} {
			fmt.Fprintf(w, " %s |", cell(m.values(k.server, k.what, k.metric)))
		}
		fmt.Fprintln(w)
	}
}

func cell(values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	text := number(median(values))
	if s := spread(values); len(values) > 1 && !math.IsNaN(s) {
		text += fmt.Sprintf(" ±%.0f %%", 100*s)
	}
	return text
}

// number has three digits, or all before the point.
func number(v float64) string {
	switch {
	case math.Abs(v) >= 1000:
		text := strconv.FormatFloat(v, 'f', 0, 64)
		for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
			text = text[:i] + "," + text[i:]
		}
		return text
	case math.Abs(v) >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case math.Abs(v) >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
