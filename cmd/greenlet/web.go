package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

//go:embed page.html
var page []byte

// web serves a page that looks at the process each second, until the program is
// interrupted or the process has ended.
func web(from source, w io.Writer, o options) error {
	l, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	if at, ok := l.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		l.Close()
		return fmt.Errorf("%s is no address of this machine alone: anybody could look", o.addr)
	}
	fmt.Fprintf(w, "http://%s/\n", l.Addr())
	h := &pages{from: from}
	server := &http.Server{Handler: h, ReadHeaderTimeout: answerTime}
	over := make(chan struct{})
	defer close(over)
	go func() {
		every := time.NewTicker(time.Second)
		defer every.Stop()
		for {
			select {
			case <-over:
				return
			case <-every.C:
				if h.ended() {
					server.Close()
					return
				}
			}
		}
	}()
	if err := server.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return fmt.Errorf("the process has ended")
}

// pages answers what the page asks for.
type pages struct {
	mu    sync.Mutex // one look at a time
	from  source
	fails int
}

// failsMost is after how many looks in vain the process counts as ended.
const failsMost = 3

// ended reports whether the process has ended, whether or not anybody asks for the page.
func (h *pages) ended() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fails >= failsMost || h.from.Alive() != nil
}

func (h *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) { // a name of another site that leads here
		http.Error(w, "greenlet: this host is not asked for", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet {
		http.Error(w, "greenlet: only GET", http.StatusMethodNotAllowed)
		return
	}
	for name, value := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'",
		"X-Frame-Options":         "DENY",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "no-referrer",
		"Cache-Control":           "no-store",
	} {
		w.Header().Set(name, value)
	}
	var command func(source, io.Writer, options) error
	o := options{all: r.URL.Query().Has("all")}
	switch r.URL.Path {
	case "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
		return
	case "/tasks.json":
		w.Header().Set("Content-Type", "application/json")
		o.json = true
		command = ps
	case "/ps", "/pstree":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		command = ps
		if r.URL.Path == "/pstree" {
			command = pstree
		}
	default:
		http.NotFound(w, r)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var text bytes.Buffer
	if err := command(h.from, &text, o); err != nil {
		h.fails++
		http.Error(w, "greenlet: "+clean(err.Error()), http.StatusBadGateway)
		return
	}
	h.fails = 0
	w.Write(text.Bytes())
}
