package httpd_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

// certificates returns configurations for example.com: a server's and a client's.
func certificates(t testing.TB) (server, client *tls.Config) {
	ts := httptest.NewTLSServer(nil)
	defer ts.Close()
	roots := x509.NewCertPool()
	roots.AddCert(ts.Certificate())
	return &tls.Config{Certificates: ts.TLS.Certificates}, &tls.Config{RootCAs: roots, ServerName: "example.com"}
}

func serveTLS(t testing.TB, cfg *http.Server, certFile, keyFile string) *serving {
	srv := httpd.New(cfg)
	return serveOn(t, srv, func(ctx context.Context, ln net.Listener) error { return srv.ServeTLS(ctx, ln, certFile, keyFile) })
}

// Over TLS the same is said, and HTTP/1.1 is what is offered.
func TestTLS(t *testing.T) {
	server, client := certificates(t)
	begun, ended := make(chan bool, 1), make(chan error, 1)
	s := serveTLS(t, &http.Server{TLSConfig: server, Handler: routes(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/wait":
			begun <- true
			ended <- asyncio.Sleep(r.Context(), patience)
		case "/watched":
			r.Context().Done() // the watch reads while the answer is written
			asyncio.Sleep(r.Context(), 0)
			io.WriteString(w, big)
		case "/hijack":
			c, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			fmt.Fprint(rw, "mine")
			rw.Flush()
		default:
			fmt.Fprint(w, r.TLS.ServerName, r.TLS.NegotiatedProtocol)
			echo(w, r)
		}
	})}, "", "")
	client.NextProtos = []string{"h2", "http/1.1"}
	connect := func() *tls.Conn { return tls.Client(dial(t, s.addr), client) }

	c := connect()
	lines := bufio.NewReader(c)
	for _, says := range []string{post("/", "body", withLength("body")), get("/watched"), get("/watched"), get("/")} {
		send(t, c, says)
		resp, err := http.ReadResponse(lines, nil)
		if err != nil {
			t.Fatalf("%q: %v", says, err)
		}
		text, err := io.ReadAll(resp.Body)
		want := "example.com http/1.1"
		if strings.Contains(says, "watched") {
			want = big
		}
		if err != nil || !strings.HasPrefix(strings.ReplaceAll(string(text), "comhttp", "com http"), want) {
			t.Errorf("%q: the answer is %q, %v", says, text, err)
		}
	}
	send(t, c, get("/wait"))
	within(t, begun)
	c.Close()
	if err := within(t, ended); err != context.Canceled {
		t.Errorf("the handler gets %v", err)
	}

	c = connect()
	send(t, c, get("/hijack"))
	if got, err := io.ReadAll(c); string(got) != "mine" || err != nil {
		t.Errorf("the hijacked connection gives %q, %v", got, err)
	}
	if got := exchange(t, s.addr, get("/")); got != "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n" {
		t.Errorf("a client without TLS gets %q", got)
	}
}

// Certificates of files, and a client that never shakes hands.
func TestTLSFilesAndTimeout(t *testing.T) {
	server, client := certificates(t)
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(server.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: server.Certificates[0].Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var logged logs
	s := serveTLS(t, &http.Server{Handler: routes(hello), ReadHeaderTimeout: soon, ErrorLog: log.New(&logged, "", 0)}, certFile, keyFile)
	closed(t, dial(t, s.addr))
	if text := logged.String(); !strings.Contains(text, "http: TLS handshake error from 127.0.0.1:") || !strings.Contains(text, "timeout") {
		t.Errorf("the log is %q", text)
	}
	s = serveTLS(t, &http.Server{Handler: routes(hello)}, certFile, keyFile)
	c := tls.Client(dial(t, s.addr), client)
	send(t, c, get("/", "Connection: close"))
	if got, err := io.ReadAll(c); !strings.HasSuffix(string(got), "hello") || err != nil {
		t.Errorf("the answer is %q, %v", got, err)
	}
	if err := s.do(t, func(ctx context.Context) error {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		return httpd.New(&http.Server{}).ServeTLS(ctx, ln, filepath.Join(dir, "none"), keyFile)
	}); !os.IsNotExist(err) {
		t.Errorf("without the file ServeTLS returns %v", err)
	}
}

// httputil.ReverseProxy works in a thread: bodies both ways, cancels, aborts, and
// connections that are upgraded.
func TestReverseProxy(t *testing.T) {
	gone := make(chan error, 1)
	begun := make(chan bool, 1)
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/wait":
			begun <- true
			<-r.Context().Done()
			gone <- r.Context().Err()
		case "/abort":
			w.Header().Set("Content-Length", "9")
			io.WriteString(w, "abc")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "/upgrade":
			c, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
			line, _ := rw.ReadString('\n')
			io.WriteString(c, strings.ToUpper(line))
		default:
			echo(w, r)
		}
	}))
	behind.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer behind.Close()
	target, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: transport, FlushInterval: -1,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	m := http.NewServeMux()
	m.HandleFunc("/hello", hello)
	m.Handle("/", httpd.InThread(proxy))
	onBoth(t, func(t *testing.T, k kind) {
		addr := k.serve(t, &http.Server{Handler: m})
		for _, says := range []string{post("/", big, withLength(big)), post("/", "4000\r\n"+big+"\r\n0\r\n\r\n", chunkedField)} {
			if got := ask(t, addr, says+get("/hello", "Connection: close")); !strings.Contains(got, big[:500]) || !strings.HasSuffix(got, "hello") {
				t.Errorf("the answer is %q", got)
			}
		}
		if got := ask(t, addr, get("/abort")); !strings.HasSuffix(got, "abc") {
			t.Errorf("the answer that was broken off is %q", got)
		}
		c := dial(t, addr)
		send(t, c, get("/wait"))
		within(t, begun)
		c.Close()
		within(t, gone)
		c = dial(t, addr)
		send(t, c, get("/upgrade", "Connection: Upgrade", "Upgrade: other"))
		lines := bufio.NewReader(c)
		if resp, err := http.ReadResponse(lines, nil); err != nil || resp.StatusCode != 101 {
			t.Fatal(resp, err)
		}
		send(t, c, "a line\n")
		if got, err := io.ReadAll(lines); string(got) != "A LINE\n" || err != nil {
			t.Errorf("the upgraded connection gives %q, %v", got, err)
		}
		alive(t, addr)
	})
}

// A panic on the handler's goroutine is one of the handler.
func TestPanicInThread(t *testing.T) {
	var logged logs
	s := serve(t, &http.Server{ErrorLog: log.New(&logged, "", 0), Handler: routes(httpd.InThread(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("broken there")
	})).ServeHTTP)})
	if got := exchange(t, s.addr, get("/abort")); got != "" || logged.String() != "" {
		t.Errorf("an abort is answered with %q, and logged as %q", got, &logged)
	}
	if got := exchange(t, s.addr, get("/")); got != "" {
		t.Errorf("a panic is answered with %q", got)
	}
	if text := logged.String(); !strings.Contains(text, "panic serving") || !strings.Contains(text, "broken there") || !strings.Contains(text, "tls_test.go") {
		t.Errorf("a panic is logged as %q", text)
	}
	alive(t, s.addr)
}

// A cancel reaches a handler on a goroutine by its context, and the task waits for
// it.
func TestCancelInThread(t *testing.T) {
	begun, ended := make(chan bool, 1), make(chan error, 1)
	s := serve(t, &http.Server{Handler: httpd.InThread(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-r.Context().Done()
		io.WriteString(w, "a last word")
		ended <- context.Cause(r.Context())
	}))})
	c := dial(t, s.addr)
	send(t, c, get("/"))
	within(t, begun)
	s.do(t, func(context.Context) error { s.task.Cancel(); return nil })
	if got := closed(t, c); !strings.HasSuffix(got, "a last word") {
		t.Errorf("the answer is %q", got)
	}
	within(t, ended)
	within(t, s.ended)
}
