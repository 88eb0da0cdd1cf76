package httpd

import (
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A field is a line of a header.
type field struct {
	name, value string
	absent      bool // the name is there, without a value: what would be set is not
}

// snapshot keeps the header as it is: the handler may change it afterwards.
func (w *response) snapshot() {
	fields := w.c.fields[:0]
	for name, values := range w.header {
		for _, v := range values {
			fields = append(fields, field{name, v, false})
		}
		if len(values) == 0 {
			fields = append(fields, field{name, "", true})
		}
	}
	if len(fields) > 1 {
		slices.SortStableFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	}
	w.fields = fields
	w.c.fields = fields
	if v := w.value("Content-Length"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err == nil && n >= 0 {
			w.length = n
		} else {
			w.c.srv.logf("http: invalid Content-Length of %q", v)
			w.header.Del("Content-Length")
		}
	}
}

// has reports whether a name is in the header.
func (w *response) has(name string) bool {
	return slices.ContainsFunc(w.fields, func(f field) bool { return f.name == name })
}

// value is the first value of a name.
func (w *response) value(name string) string {
	for i := range w.fields {
		if w.fields[i].name == name {
			return w.fields[i].value
		}
	}
	return ""
}

// An addition is what a head has that is not of the handler.
type addition struct {
	length                        int64 // -1: none
	date                          bool
	contentType, connection, code string // code: the transfer's
	// What of the handler's is left out.
	noConnection, noType, noLength, noCode bool
}

// sendHead completes the head and puts it into the connection's buffer, once. p is
// the body's beginning, or all of it if the handler has returned.
func (w *response) sendHead(p []byte) {
	if w.sent {
		return
	}
	w.sent = true
	c := w.c
	keepsAlive := c.keepsAlive()
	head := w.method == "HEAD"
	allowed := hasBody(w.status)
	add := addition{length: -1}

	trailers := false
	for i := range w.fields {
		f := &w.fields[i]
		switch {
		case strings.HasPrefix(f.name, http.TrailerPrefix):
			trailers = true
		case f.name == "Trailer" && !f.absent:
			trailers = true
			w.declareTrailer(f.value)
		}
	}
	coding := w.value("Transfer-Encoding")
	connection := w.value("Connection")

	// Who has ended without a length, and with little, has one: also zero. But 0
	// bytes to HEAD may be a handler that looked at the method.
	if w.done && !trailers && coding == "" && allowed && !w.has("Content-Length") && (!head || len(p) > 0) {
		w.length = int64(len(p))
		add.length = w.length
	}
	known := w.length != -1

	if w.keep10 && (head || known || !allowed) {
		if !w.has("Connection") {
			add.connection = "keep-alive"
		}
	} else if !w.http11 || w.wants {
		w.close = true
	}
	if connection == "close" || !keepsAlive {
		w.close = true
	}
	// Who was to be asked for the body, and was not, or has not sent all of it: the
	// client may send it, or not.
	if w.expected() && !w.body.complete() {
		w.close = true
	}
	tunnel := w.method == "CONNECT" && w.status >= 200 && w.status < 300 // from here on
	if w.method == "CONNECT" {
		w.close = true
	}
	if w.body.src != nil && !w.close && !w.duplex {
		switch keep, tooLarge := w.body.settle(); {
		case tooLarge:
			w.refuseBody()
		case !keep:
			w.close = true
		}
	}

	if allowed {
		if w.value("Content-Encoding") == "" && !w.has("Content-Type") && coding == "" && len(p) > 0 {
			add.contentType = http.DetectContentType(p)
		}
	} else {
		add.noType = w.status == http.StatusNotModified
		add.noLength, add.noCode = true, true
	}
	add.date = !w.has("Date")

	if known && coding != "" && coding != "identity" {
		c.srv.logf("http: WriteHeader called with both Transfer-Encoding of %q and a Content-Length of %d", coding, w.length)
		add.noLength, known = true, false
	}
	switch {
	case tunnel:
		add.noCode, add.noLength, add.length = true, true, -1
	case head || !allowed, known:
		add.noCode = true
	case !w.http11:
		w.close, add.noCode = true, true // the end tells the length
	case coding == "identity":
		w.close, add.noCode = true, true
	default:
		w.chunked, add.noLength = true, true
		add.code = "chunked"
		add.noCode = add.noCode || coding == "chunked"
	}
	if !w.http10 {
		return
	}
	if w.close && (!keepsAlive || !hasToken(connection, "close")) && !w.switchesProtocol() {
		add.noConnection = true
		add.connection = ""
		if w.http11 && !tunnel {
			add.connection = "close"
		}
	}
	w.writeHead(&add)
}

// expected reports whether the client has waited to be asked for the body.
func (w *response) expected() bool {
	return w.http11 && w.body.src != nil && hasToken(first(w.received.Header, "Expect"), "100-continue")
}

// switchesProtocol reports whether the connection is another protocol's from here
// on.
func (w *response) switchesProtocol() bool {
	if w.status != http.StatusSwitchingProtocols || w.value("Upgrade") == "" {
		return false
	}
	for i := range w.fields {
		if f := &w.fields[i]; f.name == "Connection" && listHas(f.value, "Upgrade") {
			return true
		}
	}
	return false
}

// listHas reports whether token is an element of v, a list with commas.
func listHas(v, token string) bool {
	for e := range strings.SplitSeq(v, ",") {
		if e = strings.Trim(e, " \t"); len(e) == len(token) && strings.EqualFold(e, token) {
			return true
		}
	}
	return false
}

// declareTrailer notes the names in v, a list with commas.
func (w *response) declareTrailer(v string) {
	for name := range strings.SplitSeq(v, ",") {
		name = http.CanonicalHeaderKey(textproto.TrimString(name))
		if name != "" && !strings.HasPrefix(name, "If-") && !notInTrailer[name] {
			w.trailer = append(w.trailer, name)
		}
	}
}

// notInTrailer is what must not be in a trailer. RFC 7230, section 4.1.2.
var notInTrailer = map[string]bool{
	"Authorization": true, "Cache-Control": true, "Connection": true, "Content-Encoding": true, "Content-Length": true,
	"Content-Range": true, "Content-Type": true, "Expect": true, "Host": true, "Keep-Alive": true, "Max-Forwards": true,
	"Pragma": true, "Proxy-Authenticate": true, "Proxy-Authorization": true, "Proxy-Connection": true, "Range": true,
	"Realm": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Www-Authenticate": true,
}

// writeStatus writes the first line.
func (w *response) writeStatus(code int) {
	bw := w.c.bw
	if code == http.StatusOK && w.http11 {
		bw.WriteString("HTTP/1.1 200 OK\r\n")
		return
	}
	bw.WriteString("HTTP/1.")
	bw.WriteByte("01"[boolInt(w.http11)])
	bw.WriteByte(' ')
	bw.Write(strconv.AppendInt(bw.AvailableBuffer(), int64(code), 10))
	bw.WriteByte(' ')
	if text := http.StatusText(code); text != "" {
		bw.WriteString(text)
	} else {
		bw.WriteString("status code ")
		bw.Write(strconv.AppendInt(bw.AvailableBuffer(), int64(code), 10))
	}
	bw.WriteString("\r\n")
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// writeHead writes the head.
func (w *response) writeHead(add *addition) {
	bw := w.c.bw
	w.writeStatus(w.status)
	for i := range w.fields {
		f := &w.fields[i]
		if f.absent || add.leavesOut(f.name) || !isToken(f.name) {
			continue
		}
		w.writeField(f.name, oneLine(f.value))
	}
	if add.date {
		bw.WriteString("Date: ")
		bw.WriteString(w.c.srv.date.now())
		bw.WriteString("\r\n")
	}
	if add.length >= 0 {
		bw.WriteString("Content-Length: ")
		bw.Write(strconv.AppendInt(bw.AvailableBuffer(), add.length, 10))
		bw.WriteString("\r\n")
	}
	if add.contentType != "" {
		w.writeField("Content-Type", add.contentType)
	}
	if add.connection != "" {
		w.writeField("Connection", add.connection)
	}
	if add.code != "" {
		w.writeField("Transfer-Encoding", add.code)
	}
	bw.WriteString("\r\n")
}

func (w *response) writeField(name, value string) {
	bw := w.c.bw
	bw.WriteString(name)
	bw.WriteString(": ")
	bw.WriteString(value)
	bw.WriteString("\r\n")
}

// leavesOut reports whether the handler's field is not sent.
func (a *addition) leavesOut(name string) bool {
	switch name {
	case "Connection":
		return a.noConnection
	case "Content-Type":
		return a.noType
	case "Content-Length":
		return a.noLength
	case "Transfer-Encoding":
		return a.noCode
	}
	return strings.HasPrefix(name, http.TrailerPrefix)
}

// isToken reports whether s can be a field's name.
func isToken(s string) bool {
	for i := range len(s) {
		if !inToken[s[i]] {
			return false
		}
	}
	return s != ""
}

var inToken = byteSet(alphanumeric + "!#$%&'*+-.^_`|~")

// oneLine is v as it can be sent.
func oneLine(v string) string {
	if strings.IndexByte(v, '\n') >= 0 || strings.IndexByte(v, '\r') >= 0 {
		v = strings.NewReplacer("\n", " ", "\r", " ").Replace(v)
	}
	return textproto.TrimString(v)
}

// A dateCache is the time as heads have it, which changes once a second.
type dateCache struct{ last atomic.Pointer[datedText] }

type datedText struct {
	second int64
	text   string
}

func (d *dateCache) now() string {
	now := time.Now()
	if last := d.last.Load(); last != nil && last.second == now.Unix() {
		return last.text
	}
	made := &datedText{now.Unix(), now.UTC().Format(http.TimeFormat)}
	d.last.Store(made)
	return made.text
}
