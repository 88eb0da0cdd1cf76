package simnet

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A Picture says what a picture of a run shows: see Network.WriteSVG. The zero value
// shows the last 300 things that a reader needs.
type Picture struct {
	// From and To are the window, on the loop's clock. A zero To is the last event.
	From, To time.Duration

	// Most is how many events are shown at most, the last ones of the window; 0 is
	// 300. A picture of more than a few hundred is hard to read.
	Most int

	// Hosts are the columns, by name, from left to right. None are all to which
	// something happens.
	Hosts []string

	// Keep says which events are shown; nil is Legible.
	Keep func(Event) bool
}

// Legible leaves out of a picture what is always there and says little: steps of tasks,
// random numbers, acknowledgements, probes, and writes to a disk, which is of no interest
// until it is synced.
func Legible(e Event) bool {
	switch e.Kind {
	case Step, SetOut, Drawn, DiskWritten, Listening, Connected:
		return false
	case Delivered, Lost, Held:
		return !strings.HasPrefix(e.Text, "ACK") && !strings.HasPrefix(e.Text, "probe")
	}
	return true
}

// WriteSVG draws the Events as a space-time diagram. Time goes down; a time in which nothing
// happens is drawn short. Each host is a column, with a bar while it is down or
// stands still. Each message is a line, whose title says what it was, with a cross
// where it was lost. What the programs note stands beside. The error is that of w.
// The same goroutines may call it that may call Events.
//
//	net.WriteSVG(f, simnet.Picture{From: 9 * time.Second, To: 10 * time.Second})
func (n *Network) WriteSVG(w io.Writer, p Picture) error {
	d := n.draw(p)
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%[1]f" height="%[2]f">%s%s%s</svg>`+"\n",
		d.width, d.height+headHeight, svgStyle, d.head(), fmt.Sprintf(`<g transform="translate(0 %d)">%s</g>`, headHeight, d.out.Bytes()))
	return err
}

const (
	headHeight  = 34
	axisWidth   = 84
	columnWidth = 132
	faultWidth  = 250 // what the network's links are set to, on the right
	lineHeight  = 13
	leastGap    = 5  // between two times
	mostGap     = 34 // a longer one is squeezed
	perMilli    = 3  // pixels for a millisecond
)

// A drawing is a picture that is being drawn.
type drawing struct {
	events []Event
	from   time.Duration
	to     time.Duration
	hosts  []*Host
	column map[*Host]int

	times         []time.Duration // at which something is drawn
	ys            []float64       // and where
	width, height float64
	labels        map[int]float64 // by column, where the last text ends
	out           bytes.Buffer
}

func (n *Network) draw(p Picture) *drawing {
	d := &drawing{from: p.From, to: p.To, column: make(map[*Host]int), labels: make(map[int]float64)}
	all := n.Events()
	if d.to == 0 && len(all) > 0 {
		d.to = all[len(all)-1].At
	}
	d.choose(p, all)
	d.layOut()
	d.axis()
	for i, h := range d.hosts {
		d.lane(i, h, all)
	}
	d.links()
	for _, e := range d.events {
		d.event(e)
	}
	return d
}

// choose finds out what is shown, and in which columns.
func (d *drawing) choose(p Picture, all []Event) {
	keep, most := p.Keep, p.Most
	if keep == nil {
		keep = Legible
	}
	if most <= 0 {
		most = 300
	}
	named := func(h *Host) bool {
		return h == nil || len(p.Hosts) == 0 || slices.Contains(p.Hosts, h.name)
	}
	for _, e := range all {
		if d.from <= e.At && e.At <= d.to && named(e.From) && named(e.To) && keep(e) {
			d.events = append(d.events, e)
		}
	}
	if left := len(d.events) - most; left > 0 {
		d.events = d.events[left:]
		d.from = max(d.from, d.events[0].At)
	}
	for _, e := range d.events {
		for _, h := range []*Host{e.From, e.To} {
			if h != nil && !slices.Contains(d.hosts, h) {
				d.hosts = append(d.hosts, h)
			}
		}
	}
	slices.SortFunc(d.hosts, func(a, b *Host) int {
		if len(p.Hosts) > 0 {
			return slices.Index(p.Hosts, a.name) - slices.Index(p.Hosts, b.name)
		}
		return a.index - b.index
	})
	for i, h := range d.hosts {
		d.column[h] = i
	}
}

// layOut gives each time at which something happens its place.
func (d *drawing) layOut() {
	d.times = []time.Duration{d.from}
	for _, e := range d.events {
		d.times = append(d.times, e.At)
		if e.isPacket() {
			d.times = append(d.times, max(e.Sent, d.from))
		}
	}
	slices.Sort(d.times)
	d.times = slices.Compact(d.times)
	y := 12.0
	for i, t := range d.times {
		if i > 0 {
			gap := float64(t-d.times[i-1]) / float64(time.Millisecond) * perMilli
			y += min(max(gap, leastGap), mostGap)
		}
		d.ys = append(d.ys, y)
	}
	d.width, d.height = float64(axisWidth+len(d.hosts)*columnWidth+faultWidth), y+24
}

func (d *drawing) y(t time.Duration) float64 {
	i, _ := slices.BinarySearch(d.times, max(t, d.from))
	return d.ys[min(i, len(d.ys)-1)]
}

func (d *drawing) x(h *Host) float64 { return d.xOf(d.column[h]) }

func (d *drawing) xOf(column int) float64 {
	return axisWidth + (float64(column)+0.5)*columnWidth
}

func (d *drawing) put(format string, args ...any) { fmt.Fprintf(&d.out, format+"\n", args...) }

func (e *Event) isPacket() bool { return e.Kind == Delivered || e.Kind == Lost || e.Kind == Held }

// head draws the names of the hosts.
func (d *drawing) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<g class="head"><rect width="%.0f" height="%d" class="paper"/>`, d.width, headHeight)
	for i, h := range d.hosts {
		fmt.Fprintf(&b, `<text x="%.0f" y="22" text-anchor="middle">%s<title>%s, %s</title></text>`, d.xOf(i), shortened(h.name, 16), plain(h.name), h.ip4)
	}
	b.WriteString("</g>")
	return b.String()
}

// axis draws the times, and where they are squeezed.
func (d *drawing) axis() {
	d.put(`<rect class="paper" y="-2" width="%.0f" height="%.0f"/>`, d.width, d.height+2)
	last := -100.0
	for i, t := range d.times {
		y := d.ys[i]
		if i > 0 {
			if gap := t - d.times[i-1]; float64(gap)/float64(time.Millisecond)*perMilli > mostGap {
				middle := (y + d.ys[i-1]) / 2
				d.put(`<g class="gap"><line x1="%d" x2="%.0f" y1="%.1f" y2="%.1[3]f"/><text x="%d" y="%.1f" text-anchor="end">+ %s</text></g>`,
					axisWidth, d.xOf(len(d.hosts)-1)+columnWidth/2, middle, axisWidth-8, middle+3, gap.Round(time.Millisecond))
				if y-last < 2*lineHeight {
					continue
				}
			}
		}
		if y-last > 30 {
			d.put(`<text class="time" x="%d" y="%.1f" text-anchor="end">%.4f s</text>`, axisWidth-8, y+3, t.Seconds())
			last = y
		}
	}
}

// lane draws a host, and bars while it is down or stands still.
func (d *drawing) lane(i int, h *Host, all []Event) {
	x := d.xOf(i)
	d.put(`<line class="lane" x1="%.0f" x2="%.0[1]f" y1="0" y2="%.1f"/>`, x, d.height)
	bar := func(class string, from, to time.Duration, ends bool) {
		if to < d.from || from > d.to {
			return
		}
		y1, y2, until := d.y(from), d.y(to), fmt.Sprintf("%.6f s", to.Seconds())
		if !ends {
			y2, until = d.height, "the end"
		}
		d.put(`<rect class="%s" x="%.1f" y="%.1f" width="10" height="%.1f"><title>%s is %s from %.6f s to %s</title></rect>`,
			class, x-5, y1, max(y2-y1, 3), plain(h.name), class, from.Seconds(), until)
	}
	since := make(map[string]time.Duration)
	for _, e := range all {
		if e.From != h {
			continue
		}
		switch e.Kind {
		case HostDown:
			since["down"] = e.At
		case HostPaused:
			since["paused"] = e.At
		case HostUp, HostResumed:
			class := "down"
			if e.Kind == HostResumed {
				class = "paused"
			}
			if from, was := since[class]; was {
				bar(class, from, e.At, true)
				delete(since, class)
			}
		}
	}
	for _, class := range []string{"down", "paused"} {
		if from, is := since[class]; is {
			bar(class, from, d.to, false)
		}
	}
}

// links draws what links are set to: what happens at one time to several is one line.
func (d *drawing) links() {
	x := d.xOf(len(d.hosts)-1) + columnWidth/2 + 6
	for i := 0; i < len(d.events); {
		e, first := d.events[i], i
		for i++; e.Kind == LinksSet && i < len(d.events) && d.events[i].Kind == LinksSet && d.events[i].At == e.At && d.events[i].Text == e.Text; i++ {
		}
		if e.Kind != LinksSet {
			continue
		}
		text := e.Text + ": " + ways(d.events[first:i])
		y := d.y(e.At)
		d.put(`<g class="links"><line x1="%d" x2="%.0f" y1="%.1f" y2="%.1[3]f"/><title>%.6f s, %s</title>`, axisWidth, x, y, e.At.Seconds(), plain(text))
		d.put(`<text x="%.0f" y="%.1f">%s</text></g>`, x+2, d.free(-1, y+4), shortened(text, 40))
	}
}

// ways says between which hosts the links of some events are: "a b > c" is from the
// first two to the third, "a b | c" also the other way.
func ways(links []Event) string {
	var froms []string
	to := make(map[string][]string)
	for _, e := range links {
		if e.From == nil || e.To == nil {
			continue
		}
		if to[e.From.name] == nil {
			froms = append(froms, e.From.name)
		}
		to[e.From.name] = append(to[e.From.name], e.To.name)
	}
	var sides [][2]string // those that lead to the same hosts together
	for _, from := range froms {
		all := strings.Join(to[from], " ")
		if i := slices.IndexFunc(sides, func(s [2]string) bool { return s[1] == all }); i >= 0 {
			sides[i][0] += " " + from
		} else {
			sides = append(sides, [2]string{from, all})
		}
	}
	var said []string
	for i, s := range sides {
		back := slices.Index(sides, [2]string{s[1], s[0]})
		switch {
		case back < 0:
			said = append(said, s[0]+" > "+s[1])
		case back > i:
			said = append(said, s[0]+" | "+s[1])
		}
	}
	return strings.Join(said, ", ")
}

// free returns where there is room for a line of text in a column, from y on.
func (d *drawing) free(column int, y float64) float64 {
	if last, used := d.labels[column]; used {
		y = max(y, last+lineHeight)
	}
	d.labels[column] = y
	return y
}
