// Package chart draws bars, and lines over logarithmic axes, as plain SVG. The greys
// and colours are legible on white and on black, so they need not know which it is.
package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The colours: of what is ours, and of others.
const (
	Blue  = "#2f81f7"
	Green = "#2da44e"
	Amber = "#bf8700"
	Red   = "#d1495b"
	Grey  = "#7a828b"
)

const width = 720

const bold = `font-weight="600"`

type svg struct{ strings.Builder }

// begin opens an image; title is for those who cannot see it, too.
func (s *svg) begin(height float64, title, note string) {
	fmt.Fprintf(s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" role="img" font-family="system-ui,sans-serif" font-size="14">`+"\n<title>%s</title>\n",
		width, height, escape(title))
	s.text(8, 20, "start", title, bold)
	s.text(8, 40, "start", note, `font-size="12"`)
}

func (s *svg) end() string {
	s.WriteString("</svg>\n")
	return s.String()
}

func (s *svg) text(x, y float64, anchor, text, style string) {
	fmt.Fprintf(s, `<text x="%.0f" y="%.0f" text-anchor="%s" fill="%s" %s>%s</text>`+"\n", x, y, anchor, Grey, style, escape(text))
}

func (s *svg) line(x1, y1, x2, y2 float64) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-opacity=".35"/>`+"\n", x1, y1, x2, y2, Grey)
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// A Bar is a name with two values, the second of which is drawn below the first, and
// thinner.
type Bar struct {
	Name, Colour  string
	First, Second float64
}

// Bars draws bars, each with its values in numbers. note says what they are, and
// where they were measured.
func Bars(title, note string, bars []Bar) string {
	const left, right, step, top = 290.0, 80.0, 42.0, 62.0
	longest := 0.0
	for _, b := range bars {
		longest = max(longest, b.First, b.Second)
	}
	var s svg
	s.begin(top+step*float64(len(bars))+4, title, note)
	y := top
	for _, b := range bars {
		s.text(left-12, y+14, "end", b.Name, "")
		for i, v := range []float64{b.First, b.Second} {
			long := v / longest * (width - left - right)
			high := []float64{16, 10}[i]
			fmt.Fprintf(&s, `<rect x="%.0f" y="%.0f" width="%.1f" height="%.0f" rx="2" fill="%s" fill-opacity="%s"/>`+"\n",
				left, y+float64(i)*18, long, high, b.Colour, []string{"1", ".5"}[i])
			s.text(left+long+6, y+float64(i)*16+12, "start", Number(v), []string{bold, `font-size="11"`}[i])
		}
		y += step
	}
	return s.end()
}

// A Line goes through points; the first of each is how many.
type Line struct {
	Name, Colour string
	Points       [][2]float64
}

// Lines draws lines over two logarithmic axes, each with ticks at the powers of ten.
func Lines(title, note string, lines []Line) string {
	const left, right, bottom, row = 92.0, 30.0, 40.0, 22.0
	top := 62 + row*float64((len(lines)+1)/2)
	height := top + 320
	fewest, most := math.Inf(1), 0.0
	cheapest, dearest := math.Inf(1), 0.0
	for _, l := range lines {
		for _, p := range l.Points {
			fewest, most = min(fewest, p[0]), max(most, p[0])
			cheapest, dearest = min(cheapest, p[1]), max(dearest, p[1])
		}
	}
	cheapest = math.Pow(10, math.Floor(math.Log10(cheapest)))
	dearest = math.Pow(10, math.Ceil(math.Log10(dearest)))
	x := func(n float64) float64 {
		return left + (width-left-right)*math.Log(n/fewest)/math.Log(most/fewest)
	}
	y := func(v float64) float64 {
		return top + (height-top-bottom)*math.Log(dearest/v)/math.Log(dearest/cheapest)
	}
	var s svg
	s.begin(height, title, note)
	for v := cheapest; v <= dearest*1.01; v *= 10 {
		s.line(left, y(v), width-right, y(v))
		s.text(left-8, y(v)+5, "end", Number(v), "")
	}
	for n := fewest; n <= most*1.01; n = math.Pow(10, math.Floor(math.Log10(n)+1.001)) {
		s.line(x(n), top, x(n), height-bottom)
		s.text(x(n), height-bottom+20, "middle", Number(n), "")
	}
	for i, l := range lines {
		lx, ly := left+float64(i%2)*320, 62+float64(i/2)*row
		fmt.Fprintf(&s, `<circle cx="%.0f" cy="%.0f" r="5" fill="%s"/>`+"\n", lx+5, ly-5, l.Colour)
		s.text(lx+18, ly, "start", l.Name, "")
		var points []string
		for _, p := range l.Points {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(p[0]), y(p[1])))
			fmt.Fprintf(&s, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", x(p[0]), y(p[1]), l.Colour)
		}
		fmt.Fprintf(&s, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), l.Colour)
	}
	return s.end()
}

// Number is v with three digits, thousands parted by commas.
func Number(v float64) string {
	switch {
	case math.IsNaN(v):
		return ""
	case v < 100 && v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v < 10:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case v < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	s := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
