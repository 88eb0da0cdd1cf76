package sight

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
)

// The page has its style and its script in it, and takes nothing else than what this
// handler serves.
//
//go:embed page.html
var pageText string

const iconText = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2fa37a" stroke-width="2.4" stroke-linecap="round">` +
	`<path d="M5 19C19 19 5 5 19 5"/><path d="M5 5c4 0 5.500 2.600 6.500 5M12.500 14c1 2.400 2.500 5 6.500 5"/></svg>`

// policy lets a browser run the script of the page, and no other: what somebody called a
// task is shown as text, and if it were not, it could still not be run.
var policy = sync.OnceValue(func() string {
	return "default-src 'self'; script-src " + hashOf("script") + "; style-src " + hashOf("style") +
		"; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// hashOf names the one element of the page by its content, as a policy does.
func hashOf(element string) string {
	_, rest, _ := strings.Cut(pageText, "<"+element)
	_, rest, _ = strings.Cut(rest, ">")
	inside, _, _ := strings.Cut(rest, "</"+element+">")
	sum := sha256.Sum256([]byte(inside))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (h *handler) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, pageText)
}

func (h *handler) icon(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	io.WriteString(w, iconText)
}
