package asyncio_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// certificate makes one for 127.0.0.1, and a pool that trusts it.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	about := x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &about, &about, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestConnTLS(t *testing.T) {
	cert, pool := certificate(t)
	want := pattern(4 << 20)
	eachConn(t, func(t *testing.T, ctx context.Context, a, b net.Conn, here, there side) {
		client := tls.Client(a, &tls.Config{RootCAs: pool, ServerName: "localhost"})
		server := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{cert}})
		both(ctx, here, there, func(context.Context) {
			if n, err := client.Write(want); n != len(want) || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
			client.CloseWrite()
			got, err := io.ReadAll(client)
			if !bytes.Equal(got, want) || err != nil {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
			client.Close()
		}, func(context.Context) {
			all, err := io.ReadAll(server)
			assert.NoError(t, err)
			if _, err := server.Write(all); err != nil {
				t.Error(err)
			}
			server.Close()
		})
	})
}

func TestConnTextAndJSON(t *testing.T) {
	type message struct{ N int }
	eachConn(t, func(t *testing.T, ctx context.Context, a, b net.Conn, here, there side) {
		both(ctx, here, there, func(context.Context) {
			text := textproto.NewConn(a)
			assert.NoError(t, text.PrintfLine("HELO %d", 7))
			if code, line, err := text.ReadResponse(250); code != 250 || line != "hello\nyou" || err != nil {
				t.Errorf("%d %q %v", code, line, err)
			}
			encode, decode := json.NewEncoder(a), json.NewDecoder(text.R)
			for n := range 100 {
				var m message
				assert.NoError(t, encode.Encode(message{n}))
				if err := decode.Decode(&m); err != nil || m.N != n+1 {
					t.Errorf("%v, %v", m, err)
					return
				}
			}
			a.Close()
		}, func(context.Context) {
			r := bufio.NewReader(b)
			if line, err := r.ReadString('\n'); line != "HELO 7\r\n" || err != nil {
				t.Errorf("%q %v", line, err)
			}
			for _, c := range "250-hello\r\n250 you\r\n" { // a byte at a time
				b.Write([]byte(string(c)))
			}
			encode, decode := json.NewEncoder(b), json.NewDecoder(r)
			for {
				var m message
				if err := decode.Decode(&m); err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					return
				}
				encode.Encode(message{m.N + 1})
			}
		})
	})
}

// net/http serves on goroutines, from a listener of the loop; its client dials by
// the loop. The loop goes on meanwhile, and is not needed.
func TestConnHTTP(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Write(body)
		})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		dialer := asyncio.Dialer{Loop: l}
		transport := &http.Transport{DialContext: dialer.DialContext}
		client := &http.Client{Transport: transport, Timeout: tooLate}
		get := func(context.Context) error {
			for range 20 {
				want := strings.Repeat("body ", 20_000)
				r, err := client.Post("http://"+ln.Addr().String(), "text/plain", strings.NewReader(want))
				if err != nil {
					return err
				}
				got, err := io.ReadAll(r.Body)
				r.Body.Close()
				if string(got) != want || err != nil {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
			}
			return nil
		}
		_, err = asyncio.Gather(ctx,
			asyncio.Func(func(ctx context.Context) error { return asyncio.ToThreadFunc(ctx, get) }),
			asyncio.Func(func(ctx context.Context) error { return asyncio.ToThreadFunc(ctx, get) }),
		).Await(ctx)
		assert.NoError(t, err)
		if overNetwork == nil { // another network needs the loop
			if err := get(ctx); err != nil { // it stalls the loop, and works
				t.Error(err)
			}
		}
		transport.CloseIdleConnections()
		asyncio.ToThreadFunc(ctx, func(context.Context) error { return server.Close() }) // it waits for its goroutines
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// A server of tasks, with the plain functions of net/http.
func TestConnHTTPInTasks(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		server := asyncio.Go(ctx, func(ctx context.Context) error {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			defer c.Close()
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return err
			}
			answer := http.Response{ProtoMajor: 1, ProtoMinor: 1, StatusCode: 200, Request: r, ContentLength: 5,
				Body: io.NopCloser(strings.NewReader("hello"))}
			return answer.Write(c)
		})
		c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		q, _ := http.NewRequest("GET", "http://localhost/", nil)
		require.NoError(t, q.Write(c))
		r, err := http.ReadResponse(bufio.NewReader(c), q)
		require.NoError(t, err)
		if body, err := io.ReadAll(r.Body); string(body) != "hello" || err != nil {
			t.Errorf("%q, %v", body, err)
		}
		if _, err := server.Await(ctx); err != nil {
			t.Error(err)
		}
	})
}
