package libraries

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
)

// httptestTLS is a server with a certificate of its own.
func httptestTLS(h http.HandlerFunc) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	return srv
}
