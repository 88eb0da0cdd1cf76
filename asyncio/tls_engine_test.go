package asyncio

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
)

// A tlsSide is one of two engines that are connected in memory.
type tlsSide struct {
	*tlsEngine
	got   []byte // plaintext
	err   error  // why nothing more comes
	shook bool
}

// take gives s ciphertext, and has it do what it can.
func (s *tlsSide) take(p []byte) {
	s.feed(p)
	for s.err == nil {
		if !s.shook {
			switch err := s.handshake(); err {
			case nil:
				s.shook = true
			case errTLSMore:
				s.keep()
				return
			default:
				s.err = err
			}
			continue
		}
		var buf [1000]byte
		n, err := s.read(buf[:])
		s.got = append(s.got, buf[:n]...)
		if err == errTLSMore {
			break
		}
		s.err = err
	}
	s.keep()
}

// A tlsPair is a client and a server. What one sends comes to the other in pieces
// of at most piece bytes; zero is all at once.
type tlsPair struct {
	client, server tlsSide
	piece          int
}

func newTLSPair(t testing.TB, client, server *tls.Config, piece int) *tlsPair {
	p := &tlsPair{piece: piece}
	p.client.tlsEngine = newTLSEngine(client, false, nil, nil)
	p.server.tlsEngine = newTLSEngine(server, true, nil, nil)
	t.Cleanup(func() { p.client.close(); p.server.close() })
	return p
}

// pump carries ciphertext until both sides are silent.
func (p *tlsPair) pump() {
	p.client.take(nil)
	p.server.take(nil)
	for p.carry(&p.client, &p.server) || p.carry(&p.server, &p.client) {
	}
}

func (p *tlsPair) carry(from, to *tlsSide) (any bool) {
	out := bytes.Clone(from.tlsEngine.take())
	for rest := out; len(rest) > 0; {
		n := len(rest)
		if p.piece > 0 {
			n = min(n, p.piece)
		}
		to.take(bytes.Clone(rest[:n]))
		rest = rest[n:]
	}
	return len(out) > 0
}

// shake is pump for a handshake that must succeed.
func (p *tlsPair) shake(t testing.TB) {
	t.Helper()
	p.pump()
	if !p.client.shook || !p.server.shook || p.client.err != nil || p.server.err != nil {
		t.Fatalf("the handshake: client %v %v, server %v %v", p.client.shook, p.client.err, p.server.shook, p.server.err)
	}
}

func TestTLSEngineSizes(t *testing.T) {
	defer greenlet.Close()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, piece := range []int{0, 1, 7, 4096} {
			t.Run(fmt.Sprintf("%s in pieces of %d", tls.VersionName(version), piece), func(t *testing.T) {
				server, client := NewTLSConfigs(t)
				client.MinVersion, client.MaxVersion = version, version
				p := newTLSPair(t, client, server, piece)
				p.shake(t)
				if v := p.client.conn.ConnectionState().Version; v != version {
					t.Errorf("version %x", v)
				}
				for _, n := range []int{1, 2, 1000, 16 << 10, 16<<10 + 1, 100_000} {
					there, back := bytes.Repeat([]byte{1}, n), bytes.Repeat([]byte{2}, n)
					require.NoError(t, errors.Join(p.client.write(there), p.server.write(back)))
					p.pump()
					if !bytes.Equal(p.server.got, there) || !bytes.Equal(p.client.got, back) {
						t.Fatalf("of %d bytes %d and %d have come", n, len(p.server.got), len(p.client.got))
					}
					p.server.got, p.client.got = nil, nil
				}
				require.NoError(t, p.client.closeNotify())
				p.server.write([]byte("half closed"))
				p.pump()
				if p.server.err != io.EOF || string(p.client.got) != "half closed" {
					t.Errorf("after close_notify: %v, %q", p.server.err, p.client.got)
				}
			})
		}
	}
}

// After the handshake there is no greenlet, and during it no goroutine but its
// carrier's.
func TestTLSEngineKeepsNoStack(t *testing.T) {
	defer greenlet.Close()
	server, client := NewTLSConfigs(t)
	p := newTLSPair(t, client, server, 0)
	before := runtime.NumGoroutine()
	p.client.take(nil)
	if p.client.shake == nil {
		t.Fatal("the handshake does not wait")
	}
	p.shake(t)
	if p.client.tlsEngine.shake != nil || p.server.tlsEngine.shake != nil {
		t.Error("a coroutine is left")
	}
	greenlet.Close()
	if n := runtime.NumGoroutine(); n > before+2 { // what is kept idle
		t.Errorf("%d goroutines, before %d", n, before)
	}
}

func TestTLSEngineClientCertificate(t *testing.T) {
	defer greenlet.Close()
	server, client := NewTLSConfigs(t)
	server.ClientAuth = tls.RequireAndVerifyClientCert
	server.NextProtos, client.NextProtos = []string{"a", "b"}, []string{"b"}
	client.Certificates = server.Certificates
	p := newTLSPair(t, client, server, 1)
	p.shake(t)
	s := p.server.conn.ConnectionState()
	if len(s.PeerCertificates) != 1 || s.NegotiatedProtocol != "b" {
		t.Errorf("%d certificates, protocol %q", len(s.PeerCertificates), s.NegotiatedProtocol)
	}

	client = client.Clone()
	client.Certificates = nil
	p = newTLSPair(t, client, server, 0)
	p.pump()
	var alert *net.OpError
	if p.server.err == nil || !errors.As(p.client.err, &alert) {
		t.Errorf("without a certificate: server %v, client %v", p.server.err, p.client.err)
	}
}

func TestTLSEngineBadCertificate(t *testing.T) {
	defer greenlet.Close()
	server, client := NewTLSConfigs(t)
	client.ServerName = "other.test"
	p := newTLSPair(t, client, server, 0)
	p.pump()
	var bad *tls.CertificateVerificationError
	if !errors.As(p.client.err, &bad) || p.server.err == nil || !strings.Contains(p.server.err.Error(), "bad certificate") {
		t.Errorf("client %v, server %v", p.client.err, p.server.err)
	}
}

func TestTLSEngineNoTLS(t *testing.T) {
	defer greenlet.Close()
	server, client := NewTLSConfigs(t)
	p := newTLSPair(t, client, server, 0)
	p.server.take([]byte("GET / HTTP/1.1\r\n"))
	var bad tls.RecordHeaderError
	if !errors.As(p.server.err, &bad) {
		t.Errorf("server %v", p.server.err)
	}
}

// A function of the Config may panic, or end the engine.
func TestTLSEngineFunctions(t *testing.T) {
	defer greenlet.Close()
	server, client := NewTLSConfigs(t)
	server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { panic("no configuration") }
	p := newTLSPair(t, client, server, 0)
	p.pump()
	var panicked *PanicError
	if !errors.As(p.server.err, &panicked) {
		t.Errorf("server %v", p.server.err)
	}

	server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		p.server.close()
		return nil, nil
	}
	p = newTLSPair(t, client, server, 0)
	p.pump()
	if p.server.shook || p.server.err != io.EOF {
		t.Errorf("an engine that its own function has closed: %v", p.server.err)
	}
}

func TestTLSEngineTruncated(t *testing.T) {
	defer greenlet.Close()
	server, client := NewTLSConfigs(t)
	for _, cut := range []int{0, 1, 6} {
		p := newTLSPair(t, client, server, 0)
		p.shake(t)
		p.client.write([]byte("one"))
		p.carry(&p.client, &p.server)
		p.client.write([]byte("two"))
		p.server.take(bytes.Clone(p.client.tlsEngine.take()[:cut]))
		p.server.end()
		p.server.take(nil)
		want := io.ErrUnexpectedEOF
		if cut == 0 {
			want = io.EOF
		}
		if string(p.server.got) != "one" || p.server.err != want {
			t.Errorf("an end after %d bytes of a record: %q, %v", cut, p.server.got, p.server.err)
		}
	}
}

func TestTLSEngineChanged(t *testing.T) {
	defer greenlet.Close()
	server, client := NewTLSConfigs(t)
	p := newTLSPair(t, client, server, 0)
	p.shake(t)
	p.client.write([]byte("data"))
	record := bytes.Clone(p.client.tlsEngine.take())
	record[len(record)-1] ^= 1
	p.server.take(record)
	p.carry(&p.server, &p.client)
	if p.server.err == nil || len(p.server.got) > 0 || p.client.err == nil {
		t.Errorf("server %v %q, client %v", p.server.err, p.server.got, p.client.err)
	}
}

// A handshake that nobody refers to any more is ended by the collector.
func TestTLSEngineAbandoned(t *testing.T) {
	defer greenlet.Close()
	_, client := NewTLSConfigs(t)
	ended := make(chan bool, 1)
	func() {
		e := newTLSEngine(client, false, nil, nil)
		if err := e.handshake(); err != errTLSMore {
			t.Fatal(err)
		}
		runtime.AddCleanup(e.wire, func(ended chan bool) { ended <- true }, ended)
	}()
	for range 1000 {
		runtime.GC()
		greenlet.New(func(any) (any, error) { return nil, nil }).Switch(nil) // which sweeps
		select {
		case <-ended:
			return
		default:
		}
	}
	t.Error("the stack of the handshake is still there")
}
