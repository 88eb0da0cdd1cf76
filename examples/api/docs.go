package main

import (
	_ "embed"
	"net/http"

	swagger "github.com/swaggo/files/v2"
)

//go:embed docs.html
var docsPage []byte

// serveDocs serves Swagger UI, which comes with the program: the page loads nothing
// from elsewhere.
func serveDocs(mux *http.ServeMux) {
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self' 'unsafe-inline'")
		w.Write(docsPage)
	})
	mux.Handle("GET /docs/", http.StripPrefix("/docs/", http.FileServerFS(swagger.FS)))
}
