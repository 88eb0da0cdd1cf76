//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// The chart is plain SVG. Its greys and its blue are legible on white and on
// black.
const (
	grey = "#7a828b"
	blue = "#2f81f7"

	chartWidth = 720.0
	bold       = `font-weight="600"`
)

// chart draws the servers in the case of 64 bytes and 50 connections: how many
// requests, and how much of their own time for each.
func (m *measurements) chart(w io.Writer) {
	what := echoCase{64, 50}.String()
	const top, step = 74.0, 30.0
	title := "Echo, " + what + " connections, server on one processor"
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" font-family="system-ui,sans-serif" font-size="14">`+"\n<title>%s</title>\n",
		chartWidth, top+step*float64(len(m.Servers)), escape(title))
	text(w, 8, 20, "start", title, bold)
	text(w, 8, 40, "start", m.Machine, `font-size="12"`)
	m.bars(w, what, perSecond, "requests a second", 150, 190, top, step)
	m.bars(w, what, user, "µs of its own for a request", 440, 190, top, step)
	for i, s := range m.Servers {
		text(w, 142, top+step*float64(i)+5, "end", s, "")
	}
	fmt.Fprintln(w, "</svg>")
}

func (m *measurements) bars(w io.Writer, what, metric, title string, left, width, top, step float64) {
	longest := 0.0
	for _, s := range m.Servers {
		if v := m.values(s, what, metric); len(v) > 0 {
			longest = max(longest, median(v))
		}
	}
	if longest == 0 {
		return
	}
	text(w, left, top-18, "start", title, `font-size="12"`)
	for i, s := range m.Servers {
		values := m.values(s, what, metric)
		if len(values) == 0 {
			continue
		}
		colour := grey
		if strings.HasPrefix(s, "greenlet") {
			colour = blue
		}
		y, long := top+step*float64(i), median(values)/longest*width
		fmt.Fprintf(w, `<rect x="%.0f" y="%.0f" width="%.1f" height="18" rx="3" fill="%s"/>`+"\n", left, y-9, long, colour)
		text(w, left+long+6, y+5, "start", number(median(values)), bold)
	}
}

func text(w io.Writer, x, y float64, anchor, text, style string) {
	fmt.Fprintf(w, `<text x="%.0f" y="%.0f" text-anchor="%s" fill="%s" %s>%s</text>`+"\n", x, y, anchor, grey, style, escape(text))
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
