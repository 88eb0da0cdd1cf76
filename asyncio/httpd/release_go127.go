//go:build go1.27

package httpd

import "net/http"

const as127 = true

func tooManyValues(cfg *http.Server, r *http.Request) bool {
	most := cfg.MaxHeaderValueCount
	if most <= 0 {
		most = http.DefaultMaxHeaderValueCount
	}
	n := 1 // Host
	for _, values := range r.Header {
		n += len(values)
	}
	return n > most
}
