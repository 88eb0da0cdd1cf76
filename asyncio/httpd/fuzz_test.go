package httpd_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// FuzzSameAsNetHTTP puts requests together, of parts that are right and parts that
// are not, and has both servers answer them.
func FuzzSameAsNetHTTP(f *testing.F) {
	for _, seed := range []string{"", "\x00\x01\x02\x03", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "abcdefghijklmnopqrstuvwxyz", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7"} {
		f.Add([]byte(seed))
	}
	for i := range 64 {
		f.Add([]byte{byte(i), byte(i * 7), byte(i * 13), byte(i * 29), byte(i * 31), byte(i * 37), byte(i * 41), byte(i * 43), byte(i * 47), byte(i * 53)})
	}
	var addrs [2]string
	for i, k := range kinds {
		addrs[i] = k.serve(f, &http.Server{Handler: http.HandlerFunc(manifold), MaxHeaderBytes: 4096})
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		says := (&chooser{program}).requests()
		ours, theirs := exchange(t, addrs[0], says), exchange(t, addrs[1], says)
		if differ(t, says, ours, theirs) {
			t.Errorf("to %q\nhttpd answers\n%s\nnet/http answers\n%s", says, ours, theirs)
		}
	})
}

// manifold does what the path says, one thing after the other.
func manifold(w http.ResponseWriter, r *http.Request) {
	for step := range strings.SplitSeq(r.URL.Path, "/") {
		name, value, _ := strings.Cut(step, "=")
		switch name {
		case "write":
			n, _ := strconv.Atoi(value)
			w.Write([]byte(big[:n]))
		case "status":
			n, _ := strconv.Atoi(value)
			w.WriteHeader(n)
		case "length", "coding", "type", "connection", "trailer", "date":
			field := map[string]string{"length": "Content-Length", "coding": "Transfer-Encoding", "type": "Content-Type"}[name]
			if field == "" {
				field = name
			}
			w.Header().Set(field, value)
		case "late":
			w.Header().Set("X-Late", value)
			w.Header().Set(http.TrailerPrefix+"X-Later", value)
		case "read":
			n, _ := strconv.Atoi(value)
			got, err := io.CopyN(io.Discard, r.Body, int64(n))
			fmt.Fprint(w, got, err)
		case "close":
			r.Body.Close()
		case "copy":
			io.Copy(w, r.Body)
		case "flush":
			w.(http.Flusher).Flush()
		case "show":
			fmt.Fprint(w, r.Method, r.RequestURI, r.Proto, r.Host, r.Header, r.ContentLength, r.TransferEncoding, r.Close, r.Trailer)
		case "panic":
			panic(http.ErrAbortHandler)
		}
	}
}

// A chooser makes choices by what the fuzzer says.
type chooser struct{ left []byte }

func (c *chooser) byte() byte {
	if len(c.left) == 0 {
		return 0
	}
	b := c.left[0]
	c.left = c.left[1:]
	return b
}

// of chooses one of several.
func (c *chooser) of(all ...string) string { return all[int(c.byte())%len(all)] }

// requests makes requests, up to three on a connection.
func (c *chooser) requests() string {
	var b strings.Builder
	for range 1 + int(c.byte())%3 {
		b.WriteString(c.request())
	}
	return b.String()
}

func (c *chooser) request() string {
	end := c.of("\r\n", "\r\n", "\r\n", "\n")
	method := c.of("GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "BREW", "P(T", "")
	target := "/show"
	for range int(c.byte()) % 5 {
		target += "/" + c.of("write=5", "write=600", "write=3000", "status=200", "status=204", "status=304", "status=404", "status=103",
			"status=799", "length=5", "length=9999", "length=x", "coding=chunked", "coding=identity", "coding=gzip", "type=a%2Fb",
			"connection=close", "connection=keep-alive", "trailer=X-Late,Te", "date=", "late=1", "read=3", "read=400", "close", "copy", "flush", "panic")
	}
	target = c.of(target, target, target, target, target, "*", "http://other.test"+target, "http://"+target, "a.test:1", "", "/a b", "/%zz")
	version := c.of("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.x", "")
	var b strings.Builder
	b.WriteString(method + " " + target + " " + version + end)
	b.WriteString(c.of("Host: a.test"+end, "Host: a.test"+end, "Host: a.test"+end, "Host:"+end, "", "Host: a/b"+end, "Host: a"+end+"Host: b"+end))
	body := c.of("", "", "body", "a longer body, with more in it", big[:3000])
	switch c.byte() % 8 {
	case 0, 1, 2:
		if body != "" {
			b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + end)
		}
	case 3:
		b.WriteString("Content-Length: " + c.of("0", "3", "300000", "-1", "x", "", "5, 5", " 4 ") + end)
	case 4, 5:
		b.WriteString("Transfer-Encoding: " + c.of("chunked", "chunked", "Chunked", "gzip", "identity", "chunked, chunked") + end)
		body = strconv.FormatInt(int64(len(body)), 16) + c.of("", ";a=b", " ", "z") + "\r\n" + body + c.of("\r\n", "\r\n", "") +
			"0\r\n" + c.of("", "", "X-Sum: 1\r\n", "X Sum: 1\r\n") + c.of("\r\n", "\r\n", "\n", "x")
	case 6:
		body = ""
	}
	for range int(c.byte()) % 4 {
		b.WriteString(c.of("Connection: close", "Connection: keep-alive", "Connection: x, close", "Expect: 100-continue", "Expect: x",
			"Trailer: X-Sum", "Trailer: Content-Length", "X-A: b", "X-A:  c\t", "X A: b", "X-A : b", "X-A: \x01", ": x", "nothing", "Pragma: no-cache", " folded",
			"X-Long: "+big[:2000], "Upgrade: other") + end)
	}
	b.WriteString(c.of(end, end, end, end, end, end, ""))
	return b.String() + body
}
