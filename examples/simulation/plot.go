package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// draw returns a picture, as SVG: the bank's queue over the day, how long its
// customers waited, and the machines that were down.
func draw(b *bank, s *shop) string {
	const width, height = 960, 600
	var p picture
	p.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#334">`, width, height)
	p.add(`<rect width="%d" height="%d" fill="#fff"/>`, width, height)

	hours := func(x float64) string { return fmt.Sprintf("%g:00", x) }
	plain := func(x float64) string { return fmt.Sprintf("%g", x) }

	queue := chart{picture: &p, left: 60, top: 60, width: 860, height: 190,
		xMin: b.opens.Hours(), xMax: math.Ceil(b.lengths[len(b.lengths)-1].at.Hours()*2) / 2, yMax: highest(b.lengths)}
	queue.title("A bank: customers in the queue",
		fmt.Sprintf("%d counters, %d customers, of whom %d gave up", b.counters, b.came, b.gaveUp))
	queue.axes(1, hours)
	queue.area(b.lengths, time.Hour, "#2b6cb0")

	const bin = time.Minute
	counts := histogram(b.waits, bin)
	waits := chart{picture: &p, left: 60, top: 355, width: 400, height: 190,
		xMax: float64(len(counts)), yMax: float64(slices.Max(counts))}
	waits.title("How long those waited who were served", "customers, by minutes of waiting")
	waits.axes(nice(waits.xMax), plain)
	waits.bars(counts, "#c05621")
	waits.mark(mean(b.waits).Minutes(), "mean")
	waits.mark(quantile(b.waits, 0.95).Minutes(), "95 %")

	const day = 24 * time.Hour
	down := chart{picture: &p, left: 540, top: 355, width: 380, height: 190,
		xMax: float64(s.history[len(s.history)-1].at) / float64(day), yMax: highest(s.history)}
	down.title("A workshop: machines that are down", fmt.Sprintf("of %d, with %d fitters, by days", s.machines, s.fitters))
	down.axes(5, plain)
	down.area(s.history, day, "#2f855a")

	p.add(`</svg>`)
	return p.String()
}

// histogram counts how many of the sorted ds fall into each bin.
func histogram(ds []time.Duration, bin time.Duration) []int {
	counts := make([]int, 1)
	if len(ds) > 0 {
		counts = make([]int, ds[len(ds)-1]/bin+1)
	}
	for _, d := range ds {
		counts[d/bin]++
	}
	return counts
}

func highest(points []point) float64 {
	return float64(slices.MaxFunc(points, func(a, b point) int { return a.value - b.value }).value)
}

// A picture is the text of an SVG file.
type picture struct{ strings.Builder }

func (p *picture) add(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// A chart is a rectangle of a picture with a scale each way. The vertical one
// begins at 0.
type chart struct {
	*picture
	left, top, width, height float64
	xMin, xMax, yMax         float64
}

// The conversions keep a processor from rounding once instead of twice, so that
// all draw the same picture.
func (c *chart) x(v float64) float64 { return c.left + float64((v-c.xMin)/(c.xMax-c.xMin)*c.width) }
func (c *chart) y(v float64) float64 { return c.top + c.height - float64(v/c.yMax*c.height) }

func (c *chart) title(title, below string) {
	c.add(`<text x="%.0f" y="%.0f" font-size="16" font-weight="bold">%s</text>`, c.left, c.top-32, title)
	c.add(`<text x="%.0f" y="%.0f" fill="#667">%s</text>`, c.left, c.top-14, below)
}

// axes draws the grid and its labels, one every step from left to right. It
// makes the chart high enough for a round number.
func (c *chart) axes(step float64, label func(float64) string) {
	rise := nice(c.yMax)
	c.yMax = max(rise, math.Ceil(c.yMax/rise)*rise)
	for v := 0.0; v <= c.yMax; v += rise {
		c.add(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#dde"/>`, c.left, c.left+c.width, c.y(v), c.y(v))
		c.add(`<text x="%.1f" y="%.1f" text-anchor="end">%g</text>`, c.left-8, c.y(v)+4, v)
	}
	for v := c.xMin; v <= c.xMax; v += step {
		c.add(`<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, c.x(v), c.top+c.height+20, label(v))
	}
}

// nice is a round step that goes four to ten times into upTo.
func nice(upTo float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(max(1, upTo))))
	for _, part := range []float64{1, 2, 5, 10} {
		if upTo/(step/part) >= 4 && step/part >= 1 {
			return step / part
		}
	}
	return 1
}

// area draws what the points count, each up to the next, by units of time.
func (c *chart) area(points []point, unit time.Duration, colour string) {
	var line strings.Builder
	fmt.Fprintf(&line, "M%.1f %.1f", c.x(float64(points[0].at)/float64(unit)), c.y(0))
	for _, p := range points {
		fmt.Fprintf(&line, "H%.1fV%.1f", c.x(float64(p.at)/float64(unit)), c.y(float64(p.value)))
	}
	fmt.Fprintf(&line, "V%.1f", c.y(0))
	c.add(`<path d="%s" fill="%s" fill-opacity="0.2" stroke="%[2]s" stroke-width="1.2"/>`, &line, colour)
}

func (c *chart) bars(counts []int, colour string) {
	for i, n := range counts {
		x, y := c.x(float64(i)), c.y(float64(n))
		c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" fill-opacity="0.75"/>`,
			x+1, y, c.width/(c.xMax-c.xMin)-2, c.top+c.height-y, colour)
	}
}

// mark draws a line upwards at x, with a name.
func (c *chart) mark(x float64, name string) {
	c.add(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#334" stroke-dasharray="4 3"/>`, c.x(x), c.x(x), c.top, c.top+c.height)
	c.add(`<text x="%.1f" y="%.1f">%s</text>`, c.x(x)+5, c.top+12, name)
}
