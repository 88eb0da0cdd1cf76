package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// The charts are plain SVG. Their greys and colours are legible on white and on
// black, so they need not know which it is.
const (
	grey  = "#7a828b"
	blue  = "#2f81f7"
	green = "#2da44e"
	amber = "#bf8700"
	red   = "#d1495b"

	chartWidth = 720
)

type svg struct{ strings.Builder }

// begin opens an image of the given height; title is for those who cannot see it.
func (s *svg) begin(height int, title string) {
	fmt.Fprintf(s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="system-ui,sans-serif" font-size="14">`+"\n<title>%s</title>\n",
		chartWidth, height, escape(title))
}

func (s *svg) end(w io.Writer) error {
	s.WriteString("</svg>\n")
	_, err := io.WriteString(w, s.String())
	return err
}

func (s *svg) text(x, y float64, anchor, text, style string) {
	fmt.Fprintf(s, `<text x="%.0f" y="%.0f" text-anchor="%s" fill="%s" %s>%s</text>`+"\n", x, y, anchor, grey, style, escape(text))
}

func (s *svg) line(x1, y1, x2, y2 float64) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-opacity=".35"/>`+"\n", x1, y1, x2, y2, grey)
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

const bold = `font-weight="600"`

// switchChart draws what one switch costs, as bars.
func (m *measurements) switchChart(w io.Writer) error {
	bars := []struct {
		name, colour string
		key          key
	}{
		{"greenlet", blue, ours},
		{"Boost jump_fcontext, C++", grey, rival("boost")},
		{"iter.Pull", grey, rival("pull")},
		{"runtime.Gosched, no value", grey, ns("Switch", "sites=same", "gosched")},
		{"unbuffered channel", grey, rival("chan0")},
		{"sync.Cond", grey, ns("Switch", "sites=same", "cond")},
	}
	const left, right, step, top = 220.0, 70.0, 34.0, 52.0
	longest := 0.0
	count := 0
	for _, b := range bars {
		if s, ok := m.of(b.key); ok {
			longest = max(longest, s.Center)
			count++
		}
	}
	var s svg
	s.begin(int(top+step*float64(count)+8), "What one switch costs, in nanoseconds")
	s.text(8, 20, "start", "One switch, nanoseconds", bold)
	s.text(chartWidth-8, 20, "end", m.where(), `font-size="12"`)
	y := top
	for _, b := range bars {
		v, ok := m.of(b.key)
		if !ok {
			continue
		}
		long := v.Center / longest * (chartWidth - left - right)
		s.text(left-12, y+5, "end", b.name, "")
		fmt.Fprintf(&s, `<rect x="%.0f" y="%.0f" width="%.1f" height="20" rx="3" fill="%s"/>`+"\n", left, y-10, long, b.colour)
		s.text(left+long+8, y+5, "start", number(v.Center), bold)
		y += step
	}
	return s.end(w)
}

// scaleChart draws what one switch costs among more and more, as lines; both
// axes are logarithmic.
func (m *measurements) scaleChart(w io.Writer) error {
	lines := []struct {
		name, colour, what, by string
	}{
		{"channels in a ring", red, "Ring", "chan0"},
		{"iter.Pull, each in turn", amber, "Round", "pull"},
		{"greenlets, each in turn", green, "Round", "greenlet"},
		{"greenlets in a ring", blue, "Ring", "greenlet"},
	}
	const left, right, top, bottom, height = 64.0, 36.0, 96.0, 40.0, 420.0
	const fewest, most, cheapest, dearest = 2.0, 100_000.0, 2.0, 1_000.0
	x := func(n float64) float64 {
		return left + (chartWidth-left-right)*math.Log(n/fewest)/math.Log(most/fewest)
	}
	y := func(ns float64) float64 {
		return top + (height-top-bottom)*math.Log(dearest/ns)/math.Log(dearest/cheapest)
	}
	var s svg
	s.begin(height, "What one switch costs among 2 to 100,000")
	s.text(8, 20, "start", "One switch among many, nanoseconds", bold)
	s.text(chartWidth-8, 20, "end", m.where(), `font-size="12"`)
	for _, ns := range []float64{2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		s.line(left, y(ns), chartWidth-right, y(ns))
		s.text(left-8, y(ns)+5, "end", number(ns), "")
	}
	for _, n := range []float64{2, 8, 100, 1_000, 10_000, 100_000} {
		s.line(x(n), top, x(n), height-bottom)
		s.text(x(n), height-bottom+20, "middle", number(n), "")
	}
	for i, l := range lines {
		legendX, legendY := left+float64(i%2)*300, 48+float64(i/2)*22
		fmt.Fprintf(&s, `<circle cx="%.0f" cy="%.0f" r="5" fill="%s"/>`+"\n", legendX+5, legendY-5, l.colour)
		s.text(legendX+18, legendY, "start", l.name, "")
		var points []string
		for _, k := range m.keys {
			if k.what != l.what || k.by != l.by || k.unit != "ns/switch" {
				continue
			}
			n, err := strconv.ParseFloat(strings.TrimPrefix(k.how, "n="), 64)
			v, ok := m.of(k)
			if err != nil || !ok {
				continue
			}
			px, py := x(n), y(min(dearest, max(cheapest, v.Center)))
			points = append(points, fmt.Sprintf("%.1f,%.1f", px, py))
			fmt.Fprintf(&s, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", px, py, l.colour)
		}
		fmt.Fprintf(&s, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), l.colour)
	}
	return s.end(w)
}

// where is the machine, for the corner of a chart.
func (m *measurements) where() string {
	noise := ""
	if !m.quiet() {
		noise = "; not quiet, do not trust"
	}
	return strings.Join([]string{m.config["cpu"], m.config["goos"] + "/" + m.config["goarch"], m.config["toolchain"] + noise}, ", ")
}
