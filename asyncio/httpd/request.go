package httpd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strings"
)

// A refusal is why a request is not served, and with what it is answered.
type refusal struct {
	code    int
	text    string // added to the status
	instead string // sent in place of the status
}

func (r *refusal) Error() string { return http.StatusText(r.code) + ": " + r.text }

func badRequest(text string) error { return &refusal{code: http.StatusBadRequest, text: text} }

var (
	errMalformed = &refusal{code: http.StatusBadRequest}
	errTooLarge  = &refusal{code: http.StatusRequestHeaderFieldsTooLarge}
	errEncoding  = &refusal{code: http.StatusNotImplemented, instead: "Unsupported transfer encoding"}
)

// slop is how much more than MaxHeaderBytes is read, as in net/http.
const slop = 4096

// readRequest reads the head of a request. The error is a *refusal if there is
// something to answer.
func (c *conn) readRequest() (*http.Request, error) {
	cfg := c.srv.Config
	limit := int64(cfg.MaxHeaderBytes)
	if limit <= 0 {
		limit = http.DefaultMaxHeaderBytes
	}
	if c.lastMethod == "POST" {
		// RFC 7230, section 3.5: old clients end a body with an empty line.
		p, _ := c.br.Peek(4)
		c.br.Discard(len(p) - len(bytes.TrimLeft(p, "\r\n")))
	}
	buffered := c.br.Buffered()
	c.src.begin(c.br, limit+slop)
	req, err := http.ReadRequest(c.br)
	head, read := c.src.end()
	if read || buffered > 0 {
		c.setState(http.StateActive)
	}
	if d := cfg.WriteTimeout; d > 0 {
		defer c.setWriteDeadline(d)
	}
	switch {
	case err == nil:
	case c.src.remain <= 0:
		return nil, errTooLarge
	case isSilent(err):
		return nil, err
	case isUnsupportedEncoding(err):
		return nil, errEncoding
	default:
		return nil, errMalformed
	}
	c.src.remain = noLimit
	if !supported(req) {
		return nil, &refusal{code: http.StatusHTTPVersionNotSupported, text: "unsupported protocol version"}
	}
	c.lastMethod = req.Method
	if tooManyValues(cfg, req) {
		return nil, errTooLarge
	}
	if err := checkHead(req, head); err != nil {
		return nil, err
	}
	c.setReadDeadline(cfg.ReadTimeout)
	return req, nil
}

// isSilent reports whether err is one of the connection: nobody would read an
// answer.
func isSilent(err error) bool {
	var op *net.OpError
	return err == io.EOF || errors.As(err, &op) || errors.Is(err, os.ErrDeadlineExceeded) || cancellation(err) != nil
}

// isUnsupportedEncoding reports whether err is net/http's of a Transfer-Encoding
// other than chunked. It has a type of its own, which is not exported.
func isUnsupportedEncoding(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "unsupported transfer encoding") || strings.HasPrefix(text, "too many transfer encodings")
}

// isUpgrade reports whether r is the beginning of HTTP/2, which a handler may go on
// with.
func isUpgrade(r *http.Request) bool {
	return r.Method == "PRI" && len(r.Header) == 0 && r.RequestURI == "*" && r.Proto == "HTTP/2.0"
}

func supported(r *http.Request) bool {
	return r.ProtoMajor == 1 || r.ProtoMajor == 2 && r.ProtoMinor == 0 && r.Method == "PRI" && r.RequestURI == "*"
}

// checkHead checks what ReadRequest does not, and a server must.
func checkHead(r *http.Request, head []byte) error {
	host, has := r.Host, true
	if host == "" || r.URL.Host != "" { // it need not be what the header says
		host, has = hostIn(head)
	}
	if !has && r.ProtoAtLeast(1, 1) && !isUpgrade(r) && r.Method != "CONNECT" {
		return badRequest("missing required Host header")
	}
	for i := range len(host) {
		if !inHost[host[i]] {
			return badRequest("malformed Host header")
		}
	}
	for name := range r.Header {
		if strings.IndexByte(name, ' ') >= 0 { // all else was refused before
			return badRequest("invalid header name")
		}
	}
	return nil
}

// hostIn returns the Host of a head, which ReadRequest takes away.
func hostIn(head []byte) (host string, has bool) {
	_, fields, _ := bytes.Cut(head, []byte("\n"))
	header, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(fields))).ReadMIMEHeader()
	values := header["Host"]
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// inHost are the bytes of a Host.
var inHost = byteSet(alphanumeric + "!$%&()*+,-.:;=['_]~")

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func byteSet(of string) (set [256]bool) {
	for i := range len(of) {
		set[of[i]] = true
	}
	return set
}

// hasToken reports whether token is one of those in v, which commas and spaces
// part.
func hasToken(v, token string) bool {
	if v == "" {
		return false
	}
	parts := func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }
	for t := range strings.FieldsFuncSeq(v, parts) {
		if len(t) == len(token) && strings.EqualFold(t, token) {
			return true
		}
	}
	return false
}

// first is the first value of a canonical name.
func first(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}
