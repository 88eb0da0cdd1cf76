package main

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"

	"github.com/gobwas/ws"
)

//go:embed page
var page embed.FS

// newHandler serves the page, and the room behind it.
func newHandler(r *room) http.Handler {
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is a part of the program
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", static(http.FileServerFS(files)))
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, req *http.Request) { join(r, w, req) })
	return mux
}

// static has the browser take scripts, styles and connections from here only. What
// somebody writes is shown as text; if it were not, it could still not be run.
func static(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		h.ServeHTTP(w, req)
	})
}

// join makes the connection a WebSocket and its task that of a member. It returns
// when the member has left.
func join(r *room, w http.ResponseWriter, req *http.Request) {
	if !sameOrigin(req) {
		http.Error(w, "the page of another site must not chat in your name", http.StatusForbidden)
		return
	}
	conn, buffers, _, err := ws.UpgradeHTTP(req, w)
	if err != nil { // what was wrong has been answered
		if conn != nil {
			conn.Close()
		}
		return
	}
	m := newMember(r, req.URL.Query().Get("name"), conn, buffers.Reader)
	m.stay(req.Context())
}

// sameOrigin reports whether it was our page that asks. A browser lets any page
// open a WebSocket to anywhere, and says whose page it is; programs do not.
func sameOrigin(req *http.Request) bool {
	origin := req.Header.Get("Origin")
	u, err := url.Parse(origin)
	return origin == "" || err == nil && u.Host == req.Host
}
