package simnet

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
)

//go:embed svgpage.html
var svgPage string

// WriteHTML writes a page of one file, which loads nothing, with the picture of
// WriteSVG in it: it can be zoomed, the names of the hosts stay in sight, and a message
// that is clicked on can be followed over its connection. The error is that of w. The
// same goroutines may call it that may call Events.
func (n *Network) WriteHTML(w io.Writer, p Picture) error {
	d := n.draw(p)
	_, err := strings.NewReplacer(
		"{{style}}", svgStyle,
		"{{window}}", fmt.Sprintf("%.4f s to %.4f s, %d events", d.from.Seconds(), d.to.Seconds(), len(d.events)),
		"{{width}}", fmt.Sprintf("%.0f", d.width),
		"{{height}}", fmt.Sprintf("%.0f", d.height),
		"{{headHeight}}", fmt.Sprint(headHeight),
		"{{head}}", d.head(),
		"{{picture}}", d.out.String(),
	).WriteString(w, svgPage)
	return err
}
