package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A site has many pages, each of which takes its time, and some of which have
// troubles. It is served on goroutines, beside the loop.
type site struct {
	urls   []string
	delay  time.Duration
	mu     sync.Mutex
	asked  map[string]int
	server http.Server
}

func newSite(pages int) (*site, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &site{delay: 50 * time.Millisecond, asked: make(map[string]int)}
	for i := range pages {
		s.urls = append(s.urls, fmt.Sprintf("http://%s/page/%d", ln.Addr(), i))
	}
	s.server.Handler = s
	go s.server.Serve(ln)
	return s, nil
}

// ServeHTTP answers what the path says: /page/N a page, /busy/N with 503 for N
// times, /slow never, and all else with 404.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	asked := s.asked[r.URL.Path]
	s.mu.Unlock()
	var n int
	switch path := r.URL.Path; {
	case path == "/slow":
		<-r.Context().Done()
	case strings.HasPrefix(path, "/page/"):
		time.Sleep(s.delay)
		fmt.Fprintf(w, "<title>%s</title>%s", path, strings.Repeat("x", 4000))
	case has(path, "/busy/%d", &n):
		if asked <= n {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "at last")
	default:
		http.NotFound(w, r)
	}
}

func has(path, format string, n *int) bool {
	_, err := fmt.Sscanf(path, format, n)
	return err == nil
}

func (s *site) close() { s.server.Close() }
