package simnet

import (
	"fmt"
	"html"
	"math"
	"strings"
	"unicode"
)

// event draws one that is a message, a mark on a host, or a text beside it.
func (d *drawing) event(e Event) {
	switch {
	case e.isPacket():
		d.packet(e)
	case e.From == nil || e.Kind == LinksSet:
	case e.Kind == DiskSynced || e.Kind == DiskWritten:
		d.put(`<rect class="%s" x="%.1f" y="%.1f" width="6" height="6"><title>%s</title></rect>`,
			className(e.Kind), d.x(e.From)-3, d.y(e.At)-3, plain(strings.TrimSpace(e.String())))
	default:
		text := e.Text
		if e.Kind != Noted {
			text = strings.TrimSuffix(e.Kind.String()+": "+text, ": ")
		}
		x, y := d.x(e.From), d.y(e.At)
		d.put(`<g class="%s"><circle cx="%.1f" cy="%.1f" r="3.5"/><text x="%.1f" y="%.1f">%s</text><title>%s</title></g>`,
			className(e.Kind), x, y, x+9, d.free(d.column[e.From], y+4), shortened(text, 26), plain(strings.TrimSpace(e.String())))
	}
}

// packet draws a message, from where it was sent to where it ended.
func (d *drawing) packet(e Event) {
	from, to := e.From, e.To
	if from == nil || to == nil {
		return
	}
	x1, y1, x2, y2 := d.x(from), d.y(e.Sent), d.x(to), d.y(e.At)
	word, _, _ := strings.Cut(e.Text, ":")
	class := "packet " + className(e.Kind)
	switch word {
	case "SYN", "SYN-ACK":
		class += " opens"
	case "FIN", "RST":
		class += " " + strings.ToLower(word)
	}
	if strings.HasSuffix(e.Text, damaged) {
		class += " damaged"
	}
	if e.Kind != Delivered && !strings.Contains(e.Text, "host is down") {
		x2, y2 = x1+(x2-x1)*0.4, y1+(y2-y1)*0.4
		if y2 == y1 {
			y2 += 4
		}
	}
	title := fmt.Sprintf("%s > %s: %s, %d bytes", from.name, to.name, e.Text, e.Size)
	if e.Conn != 0 {
		title += fmt.Sprintf(", connection %d", e.Conn)
	}
	title += fmt.Sprintf("\nsent %.6f s, %s %.6f s, after %s", e.Sent.Seconds(), e.Kind, e.At.Seconds(), e.At-e.Sent)
	d.put(`<g class="%s" data-conn="%d"><title>%s</title>`, class, e.Conn, plain(title))
	if from == to { // beside the column
		d.put(`<path d="M%.1f %.1fq 14 %.1f 0 %.1f"/></g>`, x1, y1, (y2-y1)/2, max(y2-y1, 3))
		return
	}
	d.put(`<line class="wide" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/><line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x1, y1, x2, y2, x1, y1, x2, y2)
	if e.Kind == Delivered {
		long := math.Hypot(x2-x1, y2-y1)
		ux, uy := (x2-x1)/long, (y2-y1)/long
		d.put(`<path class="point" d="M%.1f %.1fL%.1f %.1fL%.1f %.1fz"/>`, x2, y2, x2-8*ux-3*uy, y2-8*uy+3*ux, x2-8*ux+3*uy, y2-8*uy-3*ux)
	} else if e.Kind == Held {
		d.put(`<path class="cross" d="M%.1f %.1fv8m4 -8v8"/>`, x2-2, y2-4)
	} else {
		d.put(`<path class="cross" d="M%.1f %.1fl8 8m0 -8l-8 8"/>`, x2-4, y2-4)
	}
	d.put("</g>")
}

func className(k Kind) string { return strings.ReplaceAll(k.String(), " ", "-") }

// plain is s as the text of an SVG: what would be markup is not, and what no XML may
// have is replaced.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == 0xfffe || r == 0xffff) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return html.EscapeString(s)
}

// shortened is plain, with at most so many letters.
func shortened(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return plain(s)
}

const svgStyle = `<style>
svg { --ink: #24292f; --soft: #6e7781; --faint: #d0d7de; --paper: #fff; --data: #1f6feb; --opens: #1a7f37; --bad: #cf222e; --warn: #9a6700; --note: #8250df;
	font: 11px ui-sans-serif, system-ui, sans-serif; background: var(--paper) }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --soft: #8d96a0; --faint: #30363d; --paper: #0d1117; --data: #58a6ff; --opens: #3fb950; --bad: #f85149; --warn: #d29922; --note: #bc8cff } }
text { fill: var(--ink); stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; paint-order: stroke }
line, path { stroke-width: 1.2; fill: none }
.paper { fill: var(--paper) }
.head text { font-weight: 600; font-size: 13px }
.lane { stroke: var(--faint); stroke-width: 2 }
.time, .gap text { fill: var(--soft); font-variant-numeric: tabular-nums }
.gap line { stroke: var(--faint); stroke-dasharray: 1 5; stroke-width: 1.5 }
.down { fill: var(--bad) } .paused { fill: var(--warn) } rect.down, rect.paused { opacity: .55 }
.packet line, .packet path { stroke: var(--data) } .packet .point { fill: var(--data); stroke: none }
.packet .wide { stroke: transparent; stroke-width: 9 }
.opens line, .opens path { stroke: var(--opens) } .opens .point { fill: var(--opens) }
.fin line, .fin path { stroke: var(--soft) } .fin .point { fill: var(--soft) }
.rst line, .rst path { stroke: var(--bad) } .rst .point { fill: var(--bad) }
.lost line { stroke: var(--bad); stroke-dasharray: 4 3 } .lost .cross { stroke: var(--bad); stroke-width: 2 }
.damaged line, .damaged path { stroke: var(--warn); stroke-width: 2 } .damaged .point { fill: var(--warn) }
.held line { stroke: var(--warn); stroke-dasharray: 4 3 } .held .cross { stroke: var(--warn); stroke-width: 2 }
.links line { stroke: var(--warn); stroke-dasharray: 8 4 } .links text { fill: var(--warn) }
circle { fill: var(--soft) } .note circle { fill: var(--note) } .note text { fill: var(--note) }
.up circle, .resumed circle { fill: var(--opens) }
.failed circle, .down circle, .broken circle, .disk-lost circle, .disk-failed circle { fill: var(--bad) }
.failed text, .broken text, .disk-lost text, .disk-failed text { fill: var(--bad) } .down text { fill: var(--bad); font-weight: 600 }
.disk-synced { fill: var(--opens) } .disk-written { fill: var(--paper); stroke: var(--soft) }
.packet:hover line:not(.wide) { stroke-width: 2.6 }
</style>`
