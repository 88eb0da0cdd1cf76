package httpd_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// An answerCase is what a client says to a handler, which must bring the same bytes
// from both servers.
type answerCase struct {
	name    string
	handler http.HandlerFunc
	says    string
	has     []string // what must be in the answer, so that it is no mere agreement
	hasNot  []string
	set     func(cfg *http.Server)
}

func hello(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }

// echo answers with the body.
func echo(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(w, r.Body); err != nil {
		fmt.Fprintf(w, "error: %v", err)
	}
}

// status answers with a status.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
}

func post(path, body string, fields ...string) string {
	head := "POST " + path + " HTTP/1.1\r\nHost: example.test\r\n"
	for _, f := range fields {
		head += f + "\r\n"
	}
	return head + "\r\n" + body
}

func withLength(body string) string { return "Content-Length: " + strconv.Itoa(len(body)) }

const chunkedField = "Transfer-Encoding: chunked"

var big = strings.Repeat("0123456789abcdef", 1<<10) // 16 KiB

var answers = []answerCase{
	// Lengths and chunks.
	{name: "short", handler: hello, says: get("/"), has: []string{"HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n", "text/plain", "\r\n\r\nhello"}},
	{name: "nothing written", handler: func(http.ResponseWriter, *http.Request) {}, says: get("/"), has: []string{"Content-Length: 0\r\n"}},
	{name: "as much as is collected", handler: write(big[:2048]), says: get("/"), has: []string{"Content-Length: 2048"}},
	{name: "a byte more than is collected", handler: write(big[:2048], "x"), says: get("/"), has: []string{"Transfer-Encoding: chunked", "\r\n800\r\n"}},
	{name: "long, in one string", handler: write(big), says: get("/"), has: []string{"chunked", "\r\n800\r\n", "0\r\n\r\n"}},
	{name: "long, in one piece", handler: func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(big)) },
		says: get("/"), has: []string{"chunked", "\r\n4000\r\n", "0\r\n\r\n"}},
	{name: "long, in many pieces", handler: write(strings.SplitAfter(big, "f")...), says: get("/"), has: []string{"chunked"}},
	{name: "long, with a length", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(big)))
		io.WriteString(w, big)
	}, says: get("/") + get("/"), has: []string{"Content-Length: 16384"}, hasNot: []string{"chunked"}},
	{name: "more than the length", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		io.WriteString(w, "abc")
		_, err := io.WriteString(w, "d")
		if err != http.ErrContentLength {
			panic(err)
		}
	}, says: get("/"), has: []string{"\r\n\r\nabc"}},
	{name: "less than the length", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9")
		io.WriteString(w, "abc")
	}, says: get("/") + get("/"), has: []string{"Content-Length: 9"}},
	{name: "a length that is none", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "many")
		io.WriteString(w, "abc")
	}, says: get("/"), has: []string{"abc"}},
	{name: "a length that is none, HTTP/1.0", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "-1")
		io.WriteString(w, "abc")
	}, says: "GET / HTTP/1.0\r\n\r\n", has: []string{"abc"}},
	{name: "length and coding", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.Header().Set("Transfer-Encoding", "chunked")
		io.WriteString(w, "abc")
	}, says: get("/"), has: []string{"chunked", "3\r\nabc\r\n0"}},
	{name: "identity", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Transfer-Encoding", "identity")
		io.WriteString(w, "abc")
	}, says: get("/") + get("/"), has: []string{"Connection: close"}},
	{name: "another coding", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Transfer-Encoding", "gzip")
		io.WriteString(w, "abc")
	}, says: get("/"), has: []string{"gzip"}},
	{name: "flush", handler: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		io.WriteString(w, "two")
		http.NewResponseController(w).Flush()
		http.NewResponseController(w).Flush()
	}, says: get("/"), has: []string{"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"}},
	{name: "flush before anything", handler: func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
	}, says: get("/"), has: []string{"chunked", "\r\n\r\n0\r\n\r\n"}},
	{name: "flush with a length", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "6")
		io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		io.WriteString(w, "two")
	}, says: get("/"), has: []string{"\r\n\r\nonetwo"}},
	{name: "a reader is copied", handler: copyOf(big), says: get("/"), has: []string{"chunked"}},
	{name: "a short reader is copied", handler: copyOf("abc"), says: get("/"), has: []string{"Content-Length: 3"}},
	{name: "512 bytes are copied", handler: copyOf(big[:512]), says: get("/"), has: []string{"chunked"}},
	{name: "511 bytes are copied", handler: copyOf(big[:511]), says: get("/"), has: []string{"Content-Length: 511"}},
	{name: "a reader is copied after a piece", handler: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "before")
		io.Copy(w, strings.NewReader(big))
		io.Copy(w, strings.NewReader("after"))
	}, says: get("/"), has: []string{"chunked"}},
	{name: "a reader is copied to HEAD", handler: copyOf(big), says: head("/"), hasNot: []string{"0123"}},
	{name: "a file's content", handler: func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "page.html", time.Unix(1e9, 0), strings.NewReader(big))
	}, says: get("/") + get("/", "Range: bytes=3-7") + get("/", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT") + get("/", "Range: bytes=99999-"),
		has: []string{"206 Partial", "Content-Range: bytes 3-7/16384", "304 Not Modified", "416 "}},

	// Statuses.
	{name: "204", handler: status(204), says: get("/") + get("/"), has: []string{"HTTP/1.1 204 No Content\r\n"}, hasNot: []string{"Content-Length"}},
	{name: "204 with a body", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.Header().Set("Content-Type", "text/x")
		w.WriteHeader(204)
		if _, err := io.WriteString(w, "abc"); err != http.ErrBodyNotAllowed {
			panic(err)
		}
	}, says: get("/") + get("/"), has: []string{"204"}, hasNot: []string{"abc", "Content-Length"}},
	{name: "304 with fields", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/x")
		w.Header().Set("Content-Length", "7")
		w.Header().Set("Etag", `"x"`)
		w.WriteHeader(304)
	}, says: get("/") + get("/"), has: []string{"304 Not Modified", "Etag"}, hasNot: []string{"Content-"}},
	{name: "404", handler: http.NotFound, says: get("/"), has: []string{"404 Not Found", "404 page not found"}},
	{name: "a status without a name", handler: status(799), says: get("/"), has: []string{"HTTP/1.1 799 status code 799\r\n"}},
	{name: "a status without a name, HTTP/1.0", handler: status(299), says: "GET / HTTP/1.0\r\n\r\n", has: []string{"HTTP/1.0 299 status code 299\r\n"}},
	{name: "a status that is none", handler: status(99), says: get("/")},
	{name: "two statuses", handler: func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(201)
		w.WriteHeader(500)
		io.WriteString(w, "made")
	}, says: get("/"), has: []string{"201 Created"}},
	{name: "early hints", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.Header().Set("Content-Length", "5")
		w.WriteHeader(103)
		w.Header().Set("Link", "</other.css>")
		w.WriteHeader(102)
		io.WriteString(w, "hello")
	}, says: get("/"), has: []string{"HTTP/1.1 103 Early Hints\r\nLink: </style.css>", "HTTP/1.1 102 Processing", "HTTP/1.1 200 OK"}},
	{name: "101", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Upgrade", "other")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(101)
	}, says: get("/", "Connection: close"), has: []string{"101 Switching Protocols", "Connection: Upgrade"}},

	// HEAD.
	{name: "HEAD, short", handler: hello, says: head("/") + head("/"), has: []string{"Content-Length: 5"}, hasNot: []string{"\r\n\r\nhello"}},
	{name: "HEAD, nothing", handler: func(http.ResponseWriter, *http.Request) {}, says: head("/"), hasNot: []string{"Content-Length"}},
	{name: "HEAD, long", handler: write(big), says: head("/") + head("/"), hasNot: []string{"0123"}},
	{name: "HEAD with a length", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "7")
	}, says: head("/") + get("/", "Connection: close"), has: []string{"Content-Length: 7"}},
	{name: "HEAD, HTTP/1.0", handler: hello, says: "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", has: []string{"Connection: keep-alive"}},

	// Fields of the answer.
	{name: "fields in order", handler: func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Two"] = []string{"b", "a"}
		h["x-lower"] = []string{"l"}
		h.Set("A-First", "1")
		h["Bad Name"] = []string{"dropped"}
		h["Bad\nName"] = []string{"dropped"}
		h[""] = []string{"dropped"}
		h.Set("X-Lines", "  a\r\nb\n ")
		h["X-None"] = nil
		io.WriteString(w, "x")
	}, says: get("/"), has: []string{"X-Two: b\r\nX-Two: a\r\n", "X-Lines: a  b\r\n"}, hasNot: []string{"dropped", "X-None"}},
	{name: "fields of every kind", handler: func(w http.ResponseWriter, r *http.Request) {
		for i := range 40 {
			w.Header().Add("X-"+strconv.Itoa(i*7%40), strconv.Itoa(i))
		}
		io.WriteString(w, "x")
	}, says: get("/")},
	{name: "fields after the status", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Before", "1")
		h := w.Header()
		v := []string{"first"}
		h["X-Slice"] = v
		w.WriteHeader(200)
		v[0] = "changed"
		h.Set("X-After", "1")
		h.Del("X-Before")
		w.Header().Set("Content-Type", "after/all")
		io.WriteString(w, "x")
	}, says: get("/"), has: []string{"X-Before: 1", "X-Slice: first"}, hasNot: []string{"X-After", "after/all"}},
	{name: "fields first seen after the status", handler: func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.Header().Set("X-After", "1")
	}, says: get("/"), hasNot: []string{"X-After"}},
	{name: "no date, no type", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		w.Header()["Content-Type"] = nil
		io.WriteString(w, "<html>")
	}, says: get("/"), hasNot: []string{"Date", "Content-Type"}},
	{name: "a date of its own", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
	}, says: get("/"), has: []string{"Date: NOW"}},
	{name: "sniffed", handler: write("<html><body>"), says: get("/"), has: []string{"Content-Type: text/html"}},
	{name: "sniffed from the first piece", handler: write("\x89PNG\r\n\x1a\n", big), says: get("/"), has: []string{"image/png"}},
	{name: "not sniffed when it is coded", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, "<html>")
	}, says: get("/"), hasNot: []string{"Content-Type"}},
	{name: "trailers", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum, Content-Length, If-Not, X-Never")
		w.Header().Add("Trailer", "x-other")
		io.WriteString(w, "abc")
		w.Header().Set("X-Sum", "6")
		w.Header()["X-Other"] = []string{"a", "b"}
		w.Header().Set(http.TrailerPrefix+"X-Late", "yes")
	}, says: get("/"), has: []string{"Trailer: ", "X-Sum: 6\r\n", "X-Late: yes\r\n"}},
	{name: "trailers that are announced by nothing", handler: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, big)
		w.Header().Set(http.TrailerPrefix+"X-Late", "yes")
	}, says: get("/"), has: []string{"0\r\nX-Late: yes\r\n\r\n"}},
	{name: "trailers set before the status", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(http.TrailerPrefix+"X-Early", "yes")
		io.WriteString(w, "abc")
	}, says: get("/"), has: []string{"chunked", "X-Early: yes"}},

	// Connections.
	{name: "three requests at once", handler: func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) },
		says: get("/a") + get("/b") + get("/c"), has: []string{"/a", "/b", "/c"}},
	{name: "the client wants to close", handler: hello, says: get("/", "Connection: close") + get("/"), has: []string{"Connection: close\r\n"}},
	{name: "the client wants to close, among others", handler: hello, says: get("/", "Connection: x, Close") + get("/"), has: []string{"Connection: close\r\n"}},
	{name: "the handler wants to close", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
	}, says: get("/") + get("/"), has: []string{"Connection: close\r\n"}},
	{name: "the handler has other words", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "x-other, close")
	}, says: get("/", "Connection: close"), has: []string{"Connection: x-other, close\r\n"}},
	{name: "HTTP/1.0", handler: hello, says: "GET / HTTP/1.0\r\n\r\n" + get("/"), has: []string{"HTTP/1.0 200 OK"}, hasNot: []string{"Connection"}},
	{name: "HTTP/1.0, kept", handler: hello, says: strings.Repeat("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 2), has: []string{"Connection: keep-alive"}},
	{name: "HTTP/1.0, kept, long", handler: write(big), says: strings.Repeat("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 2), hasNot: []string{"chunked"}},
	{name: "HTTP/1.0, kept, 304", handler: status(304), says: strings.Repeat("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 2), has: []string{"keep-alive"}},
	{name: "HTTP/1.0, kept, the handler says so", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "keep-alive")
		w.Header().Set("Content-Length", "2")
		io.WriteString(w, "ab")
	}, says: strings.Repeat("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 2), has: []string{"keep-alive"}},
	{name: "HTTP/1.0, kept, the handler does not want it", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
	}, says: strings.Repeat("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 2)},
	{name: "HTTP/1.2", handler: hello, says: "GET / HTTP/1.2\r\nHost: a\r\n\r\n", has: []string{"HTTP/1.1 200"}},

	// Bodies of requests.
	{name: "a body", handler: echo, says: post("/", "body", withLength("body")) + get("/", "Connection: close"), has: []string{"\r\n\r\nbody"}},
	{name: "a body in chunks", handler: echo, says: post("/", "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", chunkedField) + get("/"), has: []string{"\r\n\r\nabcde"}},
	{name: "a body with a trailer", handler: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Trailer)
		io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.Trailer)
	}, says: post("/", "3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n", chunkedField, "Trailer: X-Sum") + post("/", "3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n", chunkedField),
		has: []string{"map[X-Sum:[]]map[X-Sum:[6]]"}},
	{name: "a trailer that ends too early", handler: echo, says: post("/", "3\r\nabc\r\n0\r\nX-Sum", chunkedField)},
	{name: "a trailer that is none", handler: echo, says: post("/", "3\r\nabc\r\n0\r\nX Sum\r\n\r\n", chunkedField) + get("/")},
	{name: "a trailer that is none, not read", handler: hello, says: post("/", "3\r\nabc\r\n0\r\nX Sum\r\n\r\n", chunkedField) + get("/")},
	{name: "chunks that are none", handler: echo, says: post("/", "z\r\nabc\r\n", chunkedField) + get("/"), has: []string{"error: "}},
	{name: "chunks that are none, not read", handler: hello, says: post("/", "z\r\nabc\r\n", chunkedField) + get("/")},
	{name: "a body that ends too early", handler: echo, says: post("/", "ab", "Content-Length: 4"), has: []string{"error: unexpected EOF"}},
	{name: "a body that ends too early, not read", handler: hello, says: post("/", "ab", "Content-Length: 4")},
	{name: "a body that is not read", handler: hello, says: post("/", big, withLength(big)) + get("/"), has: []string{"hello"}},
	{name: "a body that is not read, in chunks", handler: hello, says: post("/", "4000\r\n"+big+"\r\n0\r\n\r\n", chunkedField) + get("/")},
	{name: "a body that is half read", handler: func(w http.ResponseWriter, r *http.Request) {
		io.CopyN(w, r.Body, 5)
	}, says: post("/", big, withLength(big)) + get("/"), has: []string{"01234"}},
	{name: "a body that is closed", handler: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Body.Close())
		_, err := r.Body.Read(make([]byte, 1))
		fmt.Fprint(w, err)
	}, says: post("/", big, withLength(big)) + get("/"), has: []string{"http: invalid Read on closed Body"}},
	{name: "a body that nobody will read", handler: hello, says: post("/", "x", "Content-Length: 99999999"), has: []string{"Connection: close\r\n"}},
	{name: "a body that nobody will read is closed", handler: func(w http.ResponseWriter, r *http.Request) {
		r.Body.Close()
		io.WriteString(w, "closed")
	}, says: post("/", "x", "Content-Length: 99999999"), has: []string{"closed"}},
	{name: "a body of HTTP/1.0", handler: echo, says: "POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody", has: []string{"body"}},
	{name: "a body of a request that closes, not read", handler: hello, says: post("/", big, withLength(big), "Connection: close"), has: []string{"hello"}},
	{name: "full duplex", handler: func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		if err := rc.EnableFullDuplex(); err != nil {
			panic(err)
		}
		io.WriteString(w, "before ")
		rc.Flush()
		io.Copy(w, r.Body)
	}, says: post("/", "body", withLength("body")) + get("/"), has: []string{"before", "body"}},
	{name: "an empty line after a body", handler: echo, says: post("/", "body", withLength("body")) + "\r\n" + get("/"), has: []string{"body"}},
	{name: "a body that is read after the answer has begun", handler: func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		_, err := r.Body.Read(make([]byte, 1))
		fmt.Fprint(w, err)
	}, says: post("/", big, withLength(big)) + get("/"), has: []string{"http: invalid Read on closed Body"}},
	{name: "a form", handler: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.FormValue("a"), r.FormValue("b"))
	}, says: post("/?b=2", "a=1", withLength("a=1"), "Content-Type: application/x-www-form-urlencoded"), has: []string{"12"}},
	{name: "a form with a file", handler: func(w http.ResponseWriter, r *http.Request) {
		f, h, err := r.FormFile("f")
		if err != nil {
			panic(err)
		}
		text, _ := io.ReadAll(f)
		fmt.Fprint(w, h.Filename, string(text))
	}, says: post("/", upload, withLength(upload), "Content-Type: multipart/form-data; boundary=B"), has: []string{"n.txt", "inside"}},

	// Expect.
	{name: "continue", handler: echo, says: post("/", "body", withLength("body"), "Expect: 100-continue") + get("/"),
		has: []string{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", "body"}},
	{name: "continue, in chunks", handler: echo, says: post("/", "4\r\nbody\r\n0\r\n\r\n", chunkedField, "Expect: 100-Continue"), has: []string{"100 Continue"}},
	{name: "continue, not read", handler: status(413), says: post("/", "body", withLength("body"), "Expect: 100-continue"),
		has: []string{"413 ", "Connection: close"}, hasNot: []string{"100 Continue"}},
	{name: "continue, no body", handler: echo, says: get("/", "Expect: 100-continue") + get("/"), hasNot: []string{"100 Continue"}},
	{name: "continue, by the handler", handler: func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(100)
		io.Copy(w, r.Body)
	}, says: post("/", "body", withLength("body"), "Expect: 100-continue"), has: []string{"100 Continue", "body"}},
	{name: "continue, HTTP/1.0", handler: echo, says: "POST / HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody", hasNot: []string{"100 Continue"}},
	{name: "continue, read in part", handler: func(w http.ResponseWriter, r *http.Request) {
		r.Body.Read(make([]byte, 2))
		w.WriteHeader(400)
	}, says: post("/", "body", withLength("body"), "Expect: 100-continue"), has: []string{"100 Continue", "Connection: close"}},
	{name: "another expectation", handler: hello, says: get("/", "Expect: cake") + get("/"), has: []string{"417 Expectation Failed", "Connection: close"}},

	// Requests that are not served.
	{name: "no request", handler: hello, says: "hello there\r\n\r\n", has: []string{"400 Bad Request"}},
	{name: "half a request", handler: hello, says: "GET / HT", has: []string{"400 Bad Request"}},
	{name: "half a head", handler: hello, says: "GET / HTTP/1.1\r\nHost: a\r\n", has: []string{"400 Bad Request"}},
	{name: "half a second request", handler: hello, says: get("/") + "GE", has: []string{"hello"}},
	{name: "a second request that is none", handler: hello, says: get("/") + "nonsense\r\n\r\n", has: []string{"hello", "400 Bad Request"}},
	{name: "nothing", handler: hello, says: ""},
	{name: "empty lines", handler: hello, says: "\r\n\r\n" + get("/"), has: []string{"400"}},
	{name: "no host", handler: hello, says: "GET / HTTP/1.1\r\n\r\n", has: []string{"400 Bad Request: missing required Host header"}},
	{name: "an empty host", handler: hello, says: "GET / HTTP/1.1\r\nHost:\r\n\r\n", has: []string{"200 OK"}},
	{name: "no host, HTTP/1.0", handler: hello, says: "GET / HTTP/1.0\r\n\r\n", has: []string{"200 OK"}},
	{name: "two hosts", handler: hello, says: get("/", "Host: b"), has: []string{"400"}},
	{name: "a host that is none", handler: hello, says: "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", has: []string{"malformed Host header"}},
	{name: "hosts of every byte", handler: hello, says: "GET / HTTP/1.1\r\nHost: !$%&()*+,-.:;=['_]~\r\n\r\n", has: []string{"200 OK"}},
	{name: "a whole URL", handler: showHost, says: "GET http://one.test/x HTTP/1.1\r\nHost: two.test\r\n\r\n", has: []string{"one.test /x"}},
	{name: "a whole URL without a host field", handler: showHost, says: "GET http://one.test/x HTTP/1.1\r\n\r\n", has: []string{"missing required Host"}},
	{name: "a whole URL and a host that is none", handler: showHost, says: "GET http://one.test/x HTTP/1.1\r\nHost: a/b\r\n\r\n", has: []string{"malformed Host"}},
	{name: "CONNECT", handler: showHost, says: "CONNECT one.test:443 HTTP/1.1\r\n\r\n", has: []string{"\r\n\r\none.test:443"},
		hasNot: []string{"Content-Length", "Transfer-Encoding", "Connection"}}, // a tunnel, on every release
	{name: "a name with a space", handler: hello, says: get("/", "X Y: 1"), has: []string{"invalid header name"}},
	{name: "a space before the colon", handler: hello, says: get("/", "X-Y : 1"), has: []string{"invalid header name"}},
	{name: "no colon", handler: hello, says: get("/", "XY"), has: []string{"400"}},
	{name: "a value of every kind", handler: showField, says: get("/", "X-Field: \t a \x80\xff b \t"), has: []string{"200 OK"}},
	{name: "a value that must not be", handler: hello, says: get("/", "X-Field: a\x01b"), has: []string{"400"}},
	{name: "a folded line", handler: showField, says: get("/", "X-Field: a", " b"), has: []string{"a b"}},
	{name: "a field twice", handler: showField, says: get("/", "X-Field: a", "x-field: b"), has: []string{`["a" "b"]`}},
	{name: "two lengths", handler: echo, says: post("/", "body", "Content-Length: 4", "Content-Length: 5"), has: []string{"400"}},
	{name: "two equal lengths", handler: echo, says: post("/", "body", "Content-Length: 4", "Content-Length: 4"), has: []string{"body"}},
	{name: "a request's length that is none", handler: echo, says: post("/", "body", "Content-Length: -4"), has: []string{"400"}},
	{name: "length and chunks", handler: echo, says: post("/", "3\r\nabc\r\n0\r\n\r\n", "Content-Length: 99", chunkedField), has: []string{"abc"}},
	{name: "a coding that is unknown", handler: echo, says: post("/", "", "Transfer-Encoding: gzip"), has: []string{"501 Not Implemented", "Unsupported transfer encoding"}},
	{name: "two codings", handler: echo, says: post("/", "", chunkedField, chunkedField), has: []string{"501"}},
	{name: "a version that is unknown", handler: hello, says: "GET / HTTP/3.0\r\nHost: a\r\n\r\n", has: []string{"505 HTTP Version Not Supported: unsupported protocol version"}},
	{name: "a version that is none", handler: hello, says: "GET / HTTP/x\r\nHost: a\r\n\r\n", has: []string{"400"}},
	{name: "HTTP/2 from the start", handler: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Method, r.ContentLength)
	}, says: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	{name: "a method of its own", handler: showHost, says: "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", has: []string{"/pot"}},
	{name: "a method that is none", handler: hello, says: "B@EW /pot HTTP/1.1\r\nHost: a\r\n\r\n", has: []string{"400"}},
	{name: "lines without returns", handler: showField, says: "GET / HTTP/1.1\nHost: a\nX-Field: b\n\n", has: []string{`["b"]`}},
	{name: "a head that is too long", handler: hello, says: get("/", "X-Long: "+strings.Repeat("x", 9000)), has: []string{"431 Request Header Fields Too Large"},
		set: func(cfg *http.Server) { cfg.MaxHeaderBytes = 1000 }},
	{name: "a head that is not too long", handler: hello, says: get("/", "X-Long: "+strings.Repeat("x", 9000)) + get("/"), has: []string{"hello"}},
	{name: "a long head with a host that is not the URL's", handler: showHost,
		says: "GET http://one.test/ HTTP/1.1\r\nX-Long: " + strings.Repeat("x", 9000) + "\r\nHost: a/b\r\n\r\n", has: []string{"malformed Host"}},
	{name: "a body after a long head", handler: echo, says: post("/", big, withLength(big), "X-Long: "+strings.Repeat("x", 9000)) + get("/"), has: []string{"0123"}},

	// Handlers.
	{name: "a panic", handler: func(http.ResponseWriter, *http.Request) { panic("broken") }, says: get("/") + get("/")},
	{name: "a panic after a piece", handler: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "some")
		panic("broken")
	}, says: get("/"), hasNot: []string{"some"}},
	{name: "an abort after a flush", handler: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "some")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}, says: get("/"), has: []string{"4\r\nsome\r\n"}, hasNot: []string{"0\r\n\r\n"}},
	{name: "OPTIONS of nothing", handler: hello, says: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" + post("*", "body", withLength("body")), has: []string{"200 OK", "Content-Length: 0"}},
	{name: "OPTIONS of nothing with a long body", handler: hello,
		says: "OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 16384\r\n\r\n" + big + get("/"), has: []string{"Connection: close"}},
	{name: "OPTIONS by the handler", handler: hello, says: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", has: []string{"hello"},
		set: func(cfg *http.Server) { cfg.DisableGeneralOptionsHandler = true }},
	{name: "a mux", handler: mux(), says: get("/item/7") + get("/item") + get("/other") + post("/item/8", ""), has: []string{"item 7", "405 ", "404 "}},
	{name: "hijacked", handler: func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		if _, err := w.Write([]byte("x")); err != http.ErrHijacked {
			panic(err)
		}
		if _, _, err := w.(http.Hijacker).Hijack(); err != http.ErrHijacked {
			panic(err)
		}
		line, _ := rw.ReadString('\n')
		fmt.Fprintf(rw, "not HTTP: %s", line)
		rw.Flush()
	}, says: get("/") + "a line\n", has: []string{"not HTTP: a line\n"}, hasNot: []string{"HTTP/1.1"}},
	{name: "hijacked after a flush", handler: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "some")
		w.(http.Flusher).Flush()
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		rw.WriteString("the rest is mine")
		rw.Flush()
	}, says: get("/"), has: []string{"4\r\nsome\r\nthe rest is mine"}},
}

func write(pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, p := range pieces {
			io.WriteString(w, p)
		}
	}
}

// copyOf answers by ReadFrom.
func copyOf(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(w, struct{ io.Reader }{strings.NewReader(s)}); n != int64(len(s)) || err != nil {
			panic(err)
		}
	}
}

func head(path string) string { return "HEAD " + path + " HTTP/1.1\r\nHost: example.test\r\n\r\n" }

func showHost(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, " ", r.URL.Path) }

func showField(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%q", r.Header["X-Field"]) }

const upload = "--B\r\nContent-Disposition: form-data; name=f; filename=n.txt\r\n\r\ninside\r\n--B--\r\n"

func mux() http.HandlerFunc {
	m := http.NewServeMux()
	m.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "item ", r.PathValue("id"), r.Pattern)
	})
	return m.ServeHTTP
}

// Both servers answer with the same bytes.
func TestSameAsNetHTTP(t *testing.T) {
	names := make(map[string]bool)
	for _, c := range answers {
		if names[c.name] {
			t.Errorf("two cases are %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got [2]string
			for i, k := range kinds {
				cfg := &http.Server{Handler: c.handler}
				if c.set != nil {
					c.set(cfg)
				}
				got[i] = exchange(t, k.serve(t, cfg), c.says)
			}
			if differ(t, c.says, got[0], got[1]) {
				t.Errorf("httpd answers\n%s\nnet/http answers\n%s", shortened(got[0]), shortened(got[1]))
			}
			for _, part := range c.has {
				if !strings.Contains(got[0], part) {
					t.Errorf("%q is not in\n%s", part, shortened(got[0]))
				}
			}
			for _, part := range c.hasNot {
				if strings.Contains(got[0], part) {
					t.Errorf("%q is in\n%s", part, shortened(got[0]))
				}
			}
		})
	}
}

// differ reports whether ours is another answer than net/http's. Until Go 1.26.9 or
// so, net/http took CONNECT for a request like others, and told a client of HTTP/1.0
// whose connection it closed that it kept it.
func differ(t *testing.T, says, ours, theirs string) bool {
	if older := old.is(t); older && strings.Contains(says, "CONNECT ") {
		return false
	} else if older {
		theirs = strings.ReplaceAll(theirs, "Connection: keep-alive\r\n", "")
		ours = strings.ReplaceAll(ours, "Connection: keep-alive\r\n", "")
	}
	return ours != theirs
}

// old is whether this release's net/http is from before that.
var old oldness

type oldness struct {
	once sync.Once
	yes  bool
}

func (o *oldness) is(t *testing.T) bool {
	o.once.Do(func() {
		addr := onGoroutines(t, &http.Server{Handler: http.HandlerFunc(hello)})
		o.yes = strings.Contains(exchange(t, addr, "CONNECT a.test:1 HTTP/1.1\r\n\r\n"), "Content-Length")
	})
	return o.yes
}

func shortened(s string) string {
	var b strings.Builder
	for lines := bufio.NewScanner(strings.NewReader(s)); lines.Scan(); {
		if line := lines.Text(); len(line) > 120 {
			fmt.Fprintf(&b, "%s... (%d bytes)\n", line[:100], len(line))
		} else {
			fmt.Fprintln(&b, line)
		}
	}
	return b.String()
}
