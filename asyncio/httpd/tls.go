package httpd

import (
	"crypto/tls"
	"errors"
	"io"
	"time"
)

// shakeHands makes the handshake, if the connection is one of TLS. It reports
// whether a request may come.
func (c *conn) shakeHands() bool {
	over, ok := c.rwc.(*tls.Conn)
	if !ok {
		if known, ok := c.rwc.(interface{ ConnectionState() tls.ConnectionState }); ok {
			state := known.ConnectionState()
			c.tls = &state
		}
		return true
	}
	limit := c.handshakeTimeout()
	c.setReadDeadline(limit)
	c.setWriteDeadline(limit)
	if err := over.Handshake(); err != nil {
		reason := err.Error()
		var plain tls.RecordHeaderError
		if errors.As(err, &plain) && plain.Conn != nil && looksLikeHTTP(plain.RecordHeader) {
			io.WriteString(plain.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
			plain.Conn.Close()
			reason = "client sent an HTTP request to an HTTPS server"
		}
		c.srv.logf("http: TLS handshake error from %s: %v", c.remote, reason)
		return false
	}
	c.setReadDeadline(0)
	c.setWriteDeadline(0)
	state := over.ConnectionState()
	c.tls = &state
	switch state.NegotiatedProtocol {
	case "", "http/1.1", "http/1.0":
		return true
	}
	c.srv.logf("http: %s has chosen %q, which is not served", c.remote, state.NegotiatedProtocol)
	return false
}

// handshakeTimeout is the shortest of the timeouts that there are.
func (c *conn) handshakeTimeout() (shortest time.Duration) {
	cfg := c.srv.Config
	for _, d := range [...]time.Duration{cfg.ReadHeaderTimeout, cfg.ReadTimeout, cfg.WriteTimeout} {
		if d > 0 && (shortest == 0 || d < shortest) {
			shortest = d
		}
	}
	return shortest
}

// looksLikeHTTP reports whether a record of TLS is the beginning of a request.
func looksLikeHTTP(header [5]byte) bool {
	switch string(header[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}
