// Package printable makes text that others have chosen fit for a terminal and a log.
package printable

import (
	"strconv"
	"strings"
	"unicode"
)

// Text returns text with all that cannot be printed, line breaks among it, as Go writes it
// in a string: who chooses the name of a task can neither move a terminal's cursor
// nor add lines.
func Text(text string) string {
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if !unprintable(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
