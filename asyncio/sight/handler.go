package sight

import (
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// An Option is a choice made for Handler.
type Option func(*handler)

// WithHosts lets requests in that name one of the hosts, without a port, in their Host
// header; "*" lets all of them in. Without it, the host must be localhost, a name below
// it, or an address: a page of another site, whose name was made to lead here, is kept
// out.
func WithHosts(names ...string) Option {
	return func(h *handler) { h.hosts = append(h.hosts, names...) }
}

// WithoutErrors leaves the texts of errors out, as they can have secrets in them. That
// there is an error, and whose, is still said.
func WithoutErrors() Option { return func(h *handler) { h.hidesErrors = true } }

// Handler returns a handler that shows what the loops and the greenlets of the program do:
// a page, and what the page is made of. It serves below whatever path it is given, which must
// end with a slash:
//
//	mux.Handle("/debug/sight/", sight.Handler())
//
// It only reads, and answers GET and HEAD alone. Whoever can reach it sees the names of
// tasks and functions and the texts of errors, so it belongs on an address that only
// those can reach who may. It asks nobody who they are.
//
// It answers on the goroutine that calls it, also while a loop is blocked. That must
// not be a task of a loop that it shows: serve it by net/http, not by asyncio/httpd.
//
// All handlers of a program share their looks: there is one at a time, and at most
// four in a second; who asks in between is answered with the last one. So however
// often it is asked, a loop is kept busy by it for a small part of its time.
func Handler(opts ...Option) http.Handler {
	h := &handler{}
	for _, o := range opts {
		o(h)
	}
	return h
}

type handler struct {
	hosts       []string
	hidesErrors bool
}

// views are what is served, by the last part of the path.
var views = map[string]func(h *handler, w http.ResponseWriter, r *http.Request){
	"":           (*handler).page,
	"icon.svg":   (*handler).icon,
	"tasks.json": (*handler).json,
	"tasks.txt":  (*handler).text,
	"tasks.dot":  (*handler).dot,
	"task":       (*handler).task,
	"greenlets":  (*handler).greenlets,
	"metrics":    (*handler).metrics,
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	guard(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "sight: this is only looked at", http.StatusMethodNotAllowed)
		return
	}
	if !h.knows(r.Host) {
		http.Error(w, "sight: the host "+strconv.Quote(shortened(r.Host, 100))+" is none that may ask: see WithHosts", http.StatusForbidden)
		return
	}
	name := path.Base(r.URL.Path)
	if r.URL.Path == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = ""
	}
	view, ok := views[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	view(h, w, r)
}

// guard sets what keeps pages of other sites from showing, reading or guessing what is
// here. There is no CORS header: that alone would let them.
func guard(header http.Header) {
	header.Set("Content-Security-Policy", policy())
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
}

// knows reports whether a request may name host. A name that leads here only since a moment
// ago, to get round the browser's rules, is not known; an address leads nowhere else.
func (h *handler) knows(host string) bool {
	name := host
	if only, _, err := net.SplitHostPort(host); err == nil {
		name = only
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if net.ParseIP(bare) != nil {
		return true
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	for _, known := range h.hosts {
		if known == "*" || strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

// shortened is text, of at most n bytes.
func shortened(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}
