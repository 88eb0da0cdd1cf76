package asyncio_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// tlsPeer serves one connection of crypto/tls on a goroutine, and returns where.
func tlsPeer(t *testing.T, ctx context.Context, cfg *tls.Config, serve func(c *tls.Conn) error) (addr string) {
	t.Helper()
	return rawPeer(t, ctx, func(c net.Conn) error { return serve(tls.Server(c, cfg)) })
}

// rawPeer is tlsPeer without TLS.
func rawPeer(t *testing.T, ctx context.Context, serve func(c net.Conn) error) (addr string) {
	t.Helper()
	ln, err := netListen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			err = serve(c)
			c.Close()
		}
		ended <- err
	}()
	t.Cleanup(func() {
		ln.Close()
		if err := <-ended; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error("the peer: ", err)
		}
	})
	return ln.Addr().String()
}

// echoTLS sends back what comes until its end.
func echoTLS(c *tls.Conn) error {
	if _, err := io.Copy(c, c); err != nil {
		return err
	}
	return c.Close()
}

// sendsAndGets sends data by w while it reads as much by r, and ends.
func sendsAndGets(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter, data []byte) error {
	sender := asyncio.Go(ctx, func(ctx context.Context) error {
		for piece := data; len(piece) > 0; {
			n := min(len(piece), 100_000)
			if err := w.Write(piece[:n]); err != nil {
				return err
			}
			if err := w.Drain(ctx); err != nil {
				return err
			}
			piece = piece[n:]
		}
		return nil
	})
	got, err := r.ReadExactly(ctx, len(data))
	if err != nil {
		return err
	}
	if _, err := sender.Await(ctx); err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return errors.New("other data came back")
	}
	w.Close()
	return w.WaitClosed(ctx)
}

// counting is kept, as tests want megabytes of it again and again.
var counting struct {
	sync.Mutex
	text []byte
	next int
}

const much = 4 << 20

func TestTLSClient(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		addr := tlsPeer(t, ctx, server, echoTLS)
		r, w, err := asyncio.OpenConnection(ctx, "tcp", addr, asyncio.WithTLS(client, asyncio.WithTLSServerHostname("example.test")))
		if err != nil {
			return err
		}
		return sendsAndGets(ctx, r, w, counted(much))
	})
}

func TestTLSServer(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		srv := serving(t, ctx, echo, asyncio.WithTLS(server))
		defer srv.Close()
		return asyncio.ToThreadFunc(ctx, func(context.Context) error {
			raw, err := netDial(ctx, "tcp", srv.Addr().String())
			if err != nil {
				return err
			}
			c := tls.Client(raw, client)
			data := counted(much)
			sent := make(chan error, 1)
			go func() {
				_, err := c.Write(data)
				sent <- err
			}()
			got := make([]byte, len(data))
			if _, err := io.ReadFull(c, got); err != nil {
				return err
			}
			if !bytes.Equal(got, data) {
				return errors.New("other data came back")
			}
			c.CloseWrite()
			if n, err := c.Read(got); err != io.EOF {
				return fmt.Errorf("no close_notify: %d, %v", n, err)
			}
			return errors.Join(<-sent, c.Close())
		})
	})
}

func TestTLSBothSides(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server, client := asyncio.NewTLSConfigs(t)
		client.MaxVersion = version
		onSockets(t, func(ctx context.Context) error {
			srv := serving(t, ctx, echo, asyncio.WithTLS(server))
			defer srv.Close()
			var all []*asyncio.Task[asyncio.None]
			for range 8 {
				all = append(all, asyncio.Go(ctx, func(ctx context.Context) error {
					r, w, err := asyncio.OpenConnection(ctx, "tcp", srv.Addr().String(), asyncio.WithTLS(client))
					if err != nil {
						return err
					}
					if s := w.ExtraInfo("ssl_object").(tls.ConnectionState); s.Version != version {
						t.Errorf("version %x", s.Version)
					}
					return sendsAndGets(ctx, r, w, counted(much/8))
				}))
			}
			for _, task := range all {
				if _, err := task.Await(ctx); err != nil {
					return err
				}
			}
			srv.Close()
			return srv.WaitClosed(ctx)
		})
	}
}

// What a protocol is told, in order, and what its transport tells.
func TestTLSProtocol(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		addr := tlsPeer(t, ctx, server, func(c *tls.Conn) error {
			c.Write([]byte("hello"))
			return c.Close()
		})
		tr, p, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", addr, asyncio.WithTLS(client))
		if err != nil {
			return err
		}
		if p.tr != tr || tr.Protocol() != p {
			t.Errorf("the protocol has %v, not %v", p.tr, tr)
		}
		if _, timers := mustLoop(ctx).Pending(); timers > 0 && overNetwork == nil { // another network has its own
			t.Errorf("%d timers are set after the handshake", timers)
		}
		if err := tr.WriteEOF(); tr.CanWriteEOF() || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("WriteEOF: %v", err)
		}
		if tr.ExtraInfo("sslcontext") != client {
			t.Error("no sslcontext")
		}
		if s, ok := tr.ExtraInfo("ssl_object").(tls.ConnectionState); !ok || !s.HandshakeComplete {
			t.Error("no ssl_object")
		}
		if cert, ok := tr.ExtraInfo("peercert").(*x509.Certificate); !ok || cert.DNSNames[0] != "example.test" {
			t.Error("no peercert")
		}
		if suite, _ := tr.ExtraInfo("cipher").(string); !strings.HasPrefix(suite, "TLS_") {
			t.Errorf("cipher %q", suite)
		}
		if a, ok := tr.ExtraInfo("peername").(net.Addr); !ok || a.String() != addr {
			t.Errorf("peername %v", a)
		}
		if tr.ExtraInfo("compression", "none") != "none" {
			t.Error("no fallback")
		}
		if err := p.lost.Wait(ctx); err != nil {
			return err
		}
		p.check(t, "made data eof lost")
		if p.data.String() != "hello" || p.lostErr != nil || !tr.IsClosing() {
			t.Errorf("%q, %v", &p.data, p.lostErr)
		}
		return tr.Write([]byte("dropped"))
	})
}

func TestTLSHandshakeFails(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	other := client.Clone()
	other.ServerName = "other.test"
	onSockets(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { t.Errorf("%s: %v", c.Message, c.Exception) })
		served := newRecorder()
		srv, err := asyncio.CreateServer(ctx, func() *recorder { return served }, "tcp", "127.0.0.1:0", asyncio.WithTLS(server))
		if err != nil {
			return err
		}
		tr, _, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", srv.Addr().String(), asyncio.WithTLS(other))
		var bad *tls.CertificateVerificationError
		if !errors.As(err, &bad) || tr != nil {
			t.Errorf("a certificate for another name: %v, %v", tr, err)
		}
		_, _, err = asyncio.CreateConnection(ctx, newRecorder, "tcp", srv.Addr().String(), asyncio.WithTLS(nil))
		if !errors.As(err, &bad) {
			t.Errorf("a certificate of nobody known: %v", err)
		}
		srv.Close()
		if err := srv.WaitClosed(ctx); err != nil {
			return err
		}
		served.check(t, "")

		// The peer is told why.
		told := make(chan bool)
		addr := tlsPeer(t, ctx, server, func(c *tls.Conn) error {
			defer close(told)
			if err := c.Handshake(); err == nil || !strings.Contains(err.Error(), "bad certificate") {
				return fmt.Errorf("the handshake: %v", err)
			}
			return nil
		})
		if _, _, err := asyncio.OpenConnection(ctx, "tcp", addr, asyncio.WithTLS(other)); err == nil {
			t.Error("no error")
		}
		return asyncio.ToThreadFunc(ctx, func(context.Context) error { <-told; return nil })
	})
}

// Peers that end the handshake, or do not answer; and a caller who gives up.
func TestTLSHandshakeEnds(t *testing.T) {
	_, client := asyncio.NewTLSConfigs(t)
	silent := func(c net.Conn) error {
		io.Copy(io.Discard, c) // until it is closed
		return nil
	}
	asynciotest.CheckLeaks(t)
	onSockets(t, func(ctx context.Context) error {
		addr := rawPeer(t, ctx, func(c net.Conn) error {
			_, err := c.Read(make([]byte, 1))
			c.(tcpConn).CloseWrite()
			io.Copy(io.Discard, c)
			return err
		})
		_, _, err := asyncio.OpenConnection(ctx, "tcp", addr, asyncio.WithTLS(client))
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a peer that closes: %v", err)
		}

		_, _, err = asyncio.OpenConnection(ctx, "tcp", rawPeer(t, ctx, silent), asyncio.WithTLS(client, asyncio.WithTLSHandshakeTimeout(time.Millisecond)))
		if !errors.Is(err, syscall.ECONNABORTED) || !strings.Contains(err.Error(), "SSL handshake is taking longer than 1ms") {
			t.Errorf("a peer that does not answer: %v", err)
		}

		hello, gone := asyncio.NewEvent(), asyncio.NewEvent()
		l, _ := asyncio.RunningLoop(ctx)
		addr = rawPeer(t, ctx, func(c net.Conn) error {
			_, err := c.Read(make([]byte, 1))
			l.CallSoonThreadsafe(hello.Set)
			silent(c)
			l.CallSoonThreadsafe(gone.Set)
			return err
		})
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := asyncio.OpenConnection(ctx, "tcp", addr, asyncio.WithTLS(client))
			return err
		})
		if err := hello.Wait(ctx); err != nil {
			return err
		}
		task.Cancel()
		if _, err := task.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Errorf("a cancelled handshake: %v", err)
		}
		return gone.Wait(ctx) // it is closed
	})
}

// A loop that is closed ends handshakes.
func TestTLSLoopClosed(t *testing.T) {
	asynciotest.CheckLeaks(t)
	_, client := asyncio.NewTLSConfigs(t)
	hello := make(chan bool)
	before := suspendedGreenlets()
	l := asyncio.NewLoop(loopBeneath()...)
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // the task is killed
	asyncio.NewTask(l, func(ctx context.Context) (asyncio.None, error) {
		addr := rawPeer(t, ctx, func(c net.Conn) error {
			c.Read(make([]byte, 1))
			close(hello)
			io.Copy(io.Discard, c)
			return nil
		})
		_, _, err := asyncio.OpenConnection(ctx, "tcp", addr, asyncio.WithTLS(client))
		return asyncio.None{}, err
	})
	go func() {
		<-hello
		l.Stop()
	}()
	assert.NoError(t, l.RunForever())
	if during := suspendedGreenlets(); during < before+2 {
		t.Errorf("%d greenlets are suspended, and %d before: the handshake is not under way", during, before)
	}
	assert.NoError(t, l.Close())
	if after := suspendedGreenlets(); after > before {
		t.Errorf("%d greenlets are suspended after Close, %d before", after, before)
	}
}

func suspendedGreenlets() (n int) {
	for g := range greenlet.All() {
		if g.Started() && !g.Dead() && !g.IsCurrent() && g.Parent() != nil { // a goroutine's own is no matter
			n++
		}
	}
	return n
}

// An end without close_notify is an end between records, and an error inside one.
func TestTLSTruncated(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	for _, inside := range []bool{false, true} {
		onSockets(t, func(ctx context.Context) error {
			addr := rawPeer(t, ctx, func(c net.Conn) error {
				s := tls.Server(c, server)
				if _, err := s.Write([]byte("all")); err != nil {
					return err
				}
				if inside {
					c.Write([]byte{23, 3, 3, 1, 0})
				}
				c.(tcpConn).CloseWrite()
				io.Copy(io.Discard, c)
				return nil
			})
			_, p, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", addr, asyncio.WithTLS(client))
			if err != nil {
				return err
			}
			if err := p.lost.Wait(ctx); err != nil {
				return err
			}
			if inside {
				p.check(t, "made data lost")
			} else {
				p.check(t, "made data eof lost")
			}
			if p.data.String() != "all" || errors.Is(p.lostErr, io.ErrUnexpectedEOF) != inside || !inside && p.lostErr != nil {
				t.Errorf("inside %v: %q, %v", inside, &p.data, p.lostErr)
			}
			return nil
		})
	}
}

// Close waits for the peer's close_notify, but not for ever; what comes meanwhile
// is dropped.
func TestTLSShutdown(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		addr := tlsPeer(t, ctx, server, func(c *tls.Conn) error {
			if _, err := c.Read(make([]byte, 1)); err != io.EOF {
				return fmt.Errorf("not the end: %v", err)
			}
			if _, err := c.Write(counted(1 << 20)); err != nil {
				return err
			}
			return c.Close()
		})
		tr, p, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", addr, asyncio.WithTLS(client))
		if err != nil {
			return err
		}
		tr.PauseReading()
		tr.Close()
		tr.Close()
		if err := p.lost.Wait(ctx); err != nil {
			return err
		}
		p.check(t, "made lost")
		if p.lostErr != nil {
			t.Errorf("after a shutdown: %v", p.lostErr)
		}

		addr = tlsPeer(t, ctx, server, func(c *tls.Conn) error {
			c.Handshake()
			io.Copy(io.Discard, c.NetConn())
			return nil
		})
		tr, p, err = asyncio.CreateConnection(ctx, newRecorder, "tcp", addr, asyncio.WithTLS(client, asyncio.WithTLSShutdownTimeout(time.Millisecond)))
		if err != nil {
			return err
		}
		tr.Close()
		if err := p.lost.Wait(ctx); err != nil {
			return err
		}
		if !errors.Is(p.lostErr, asyncio.ErrTimeout) {
			t.Errorf("a peer that does not close: %v", p.lostErr)
		}

		addr = tlsPeer(t, ctx, server, func(c *tls.Conn) error {
			io.Copy(io.Discard, c)
			return nil
		})
		tr, p, err = asyncio.CreateConnection(ctx, newRecorder, "tcp", addr, asyncio.WithTLS(client))
		if err != nil {
			return err
		}
		tr.Abort()
		if err := p.lost.Wait(ctx); err != nil {
			return err
		}
		p.check(t, "made lost")
		return p.lostErr
	})
}

func TestTLSPauseReading(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	data := counted(1 << 20)
	onSockets(t, func(ctx context.Context) error {
		addr := tlsPeer(t, ctx, server, func(c *tls.Conn) error {
			_, err := c.Write(data)
			return errors.Join(err, c.Close())
		})
		pauses := 0
		_, p, err := asyncio.CreateConnection(ctx, func() *recorder {
			p := newRecorder()
			p.on = func(event string) { // at each piece, until the end
				if event != "data" {
					return
				}
				p.tr.PauseReading()
				if p.tr.IsReading() {
					t.Error("it reads")
				}
				pauses++
				l, _ := asyncio.RunningLoop(ctx)
				got := p.data.Len()
				l.CallLater(time.Microsecond, func() {
					if p.data.Len() != got {
						t.Error("data has come in a pause")
					}
					p.tr.ResumeReading()
				})
			}
			return p
		}, "tcp", addr, asyncio.WithTLS(client))
		if err != nil {
			return err
		}
		if err := p.lost.Wait(ctx); err != nil {
			return err
		}
		if !bytes.Equal(p.data.Bytes(), data) || p.lostErr != nil || pauses < 2 {
			t.Errorf("%d bytes, %d pauses, %v", p.data.Len(), pauses, p.lostErr)
		}
		return nil
	})
}

// What has come in a pause, the end included, is there when it is over.
func TestTLSEndInPause(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	data := counted(40_000) // more than is decrypted at once
	for _, end := range []string{"close_notify", "no close_notify", "close"} {
		sent := make(chan bool)
		onSockets(t, func(ctx context.Context) error {
			addr := tlsPeer(t, ctx, server, func(c *tls.Conn) error {
				_, err := c.Write(data)
				if end == "no close_notify" {
					c.NetConn().(tcpConn).CloseWrite()
				} else {
					c.CloseWrite()
				}
				close(sent)
				io.Copy(io.Discard, c.NetConn()) // it waits for the other side
				return err
			})
			pauses := 0
			_, p, err := asyncio.CreateConnection(ctx, func() *recorder {
				p := newRecorder()
				p.on = func(event string) {
					if event == "made" || event == "data" {
						p.tr.PauseReading()
						pauses++
					}
				}
				return p
			}, "tcp", addr, asyncio.WithTLS(client))
			if err != nil {
				return err
			}
			if err := asyncio.ToThreadFunc(ctx, func(context.Context) error { <-sent; return nil }); err != nil {
				return err
			}
			for !p.tr.IsClosing() {
				p.tr.ResumeReading()
				p.until(ctx, "data")
				for range 5 {
					asyncio.Sleep(ctx, 0) // a turn of the transport below
				}
				if end == "close" {
					p.tr.Close()
				}
			}
			if err := p.lost.Wait(ctx); err != nil {
				return err
			}
			switch {
			case p.lostErr != nil:
				t.Errorf("%s: %v", end, p.lostErr)
			case end == "close":
				p.check(t, "made data lost")
			case !bytes.Equal(p.data.Bytes(), data) || p.events[len(p.events)-2] != "eof" || pauses < 3:
				t.Errorf("%s: %d bytes, %d pauses: %q", end, p.data.Len(), pauses, p.events)
			}
			return nil
		})
	}
}

func TestTLSFlowControl(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	read := make(chan bool)
	onSockets(t, func(ctx context.Context) error {
		addr := tlsPeer(t, ctx, server, func(c *tls.Conn) error {
			c.Handshake()
			<-read
			_, err := io.Copy(io.Discard, c)
			return errors.Join(err, c.Close())
		})
		tr, p, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", addr, asyncio.WithTLS(client))
		if err != nil {
			close(read)
			return err
		}
		piece := make([]byte, 64<<10)
		for !strings.Contains(strings.Join(p.events, " "), "pause") {
			tr.WriteLines(piece[:1], piece)
		}
		if low, high := tr.WriteBufferLimits(); low != 16<<10 || high != 64<<10 || tr.WriteBufferSize() <= high {
			t.Errorf("limits %d and %d, %d bytes wait", low, high, tr.WriteBufferSize())
		}
		if err := tr.SetWriteBufferLimits(1, 2); err == nil {
			t.Errorf("a low-water mark above the high: %v", err)
		}
		close(read)
		p.until(ctx, "resume")
		tr.Close()
		if err := p.lost.Wait(ctx); err != nil {
			return err
		}
		p.check(t, "made pause resume lost")
		return p.lostErr
	})
}

func TestTLSBufferedProtocol(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	data := counted(100_000)
	onSockets(t, func(ctx context.Context) error {
		addr := tlsPeer(t, ctx, server, func(c *tls.Conn) error {
			_, err := c.Write(data)
			return errors.Join(err, c.Close())
		})
		_, p, err := asyncio.CreateConnection(ctx, func() *bufferedOnly {
			return &bufferedOnly{lost: asyncio.NewEvent()}
		}, "tcp", addr, asyncio.WithTLS(client))
		if err != nil {
			return err
		}
		if err := p.lost.Wait(ctx); err != nil {
			return err
		}
		if !bytes.Equal(p.got, data) {
			t.Errorf("%d bytes", len(p.got))
		}
		return nil
	})
}

type bufferedOnly struct {
	buf  [999]byte
	got  []byte
	lost *asyncio.Event
}

func (p *bufferedOnly) ConnectionMade(asyncio.Transport) {}
func (p *bufferedOnly) GetBuffer(int) []byte             { return p.buf[:] }
func (p *bufferedOnly) BufferUpdated(n int)              { p.got = append(p.got, p.buf[:n]...) }
func (p *bufferedOnly) ConnectionLost(error)             { p.lost.Set() }

// A panic of a protocol, or of a function of the Config, is the end of the
// connection and is reported.
func TestTLSPanics(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	for _, in := range []string{"made", "data", "config"} {
		onSockets(t, func(ctx context.Context) error {
			addr := tlsPeer(t, ctx, server, func(c *tls.Conn) error {
				c.Write([]byte("data"))
				io.Copy(io.Discard, c)
				return nil
			})
			reported := 0
			l, _ := asyncio.RunningLoop(ctx)
			l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { reported++ })
			client := client.Clone()
			if in == "config" {
				client.VerifyConnection = func(tls.ConnectionState) error { panic("in config") }
			}
			p := newRecorder()
			p.on = func(event string) {
				if event == in {
					panic("in " + in)
				}
			}
			_, _, err := asyncio.CreateConnection(ctx, func() *recorder { return p }, "tcp", addr, asyncio.WithTLS(client))
			if in == "data" && err == nil {
				if err := p.lost.Wait(ctx); err != nil {
					return err
				}
				err = p.lostErr
			}
			var panicked *asyncio.PanicError
			if !errors.As(err, &panicked) || panicked.Value != "in "+in || reported != 1 {
				t.Errorf("a panic in %s: %v, %d reports", in, err, reported)
			}
			return nil
		})
	}
}

// Functions of the Config run in no task: a wait is refused.
func TestTLSFunctionsCannotWait(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		waits := 0
		wait := func(tls.ConnectionState) error {
			waits++
			if err := asyncio.Sleep(ctx, time.Millisecond); !errors.Is(err, asyncio.ErrNoRunningLoop) {
				t.Errorf("a wait: %v", err)
			}
			return nil
		}
		server, client := server.Clone(), client.Clone()
		server.VerifyConnection, client.VerifyConnection = wait, wait
		srv := serving(t, ctx, startTLSServer(server))
		defer srv.Close()
		r, w, err := asyncio.OpenConnection(ctx, "tcp", srv.Addr().String())
		if err != nil {
			return err
		}
		w.WriteString("STARTTLS\n")
		if _, err := r.ReadLine(ctx); err != nil {
			return err
		}
		if err := w.StartTLS(ctx, client); err != nil {
			return err
		}
		w.WriteString("done\n")
		if _, err := r.ReadLine(ctx); err != nil {
			return err
		}
		if waits != 2 {
			t.Errorf("%d calls", waits)
		}
		w.Close()
		return w.WaitClosed(ctx)
	})
}

func TestTLSOptionsAreRefused(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		refused := func(what string, err error) {
			var class interface{ PyName() string }
			if !errors.As(err, &class) || class.PyName() != "ValueError" {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", echo, asyncio.WithTLS(nil))
		refused("a server without a Config", err)
		_, _, err = asyncio.OpenConnection(ctx, "tcp", "127.0.0.1:1", asyncio.WithTLS(client, asyncio.WithTLSHandshakeTimeout(0)))
		refused("no time for the handshake", err)
		_, err = asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", echo, asyncio.WithTLS(server, asyncio.WithTLSShutdownTimeout(-1)))
		refused("no time for the shutdown", err)
		addr := tlsPeer(t, ctx, server, func(c *tls.Conn) error { io.Copy(io.Discard, c.NetConn()); return nil })
		_, _, err = asyncio.CreateConnection(ctx, func() onlyLost { return onlyLost{} }, "tcp", addr, asyncio.WithTLS(client))
		if err == nil || !strings.Contains(err.Error(), "a Protocol or BufferedProtocol was expected") {
			t.Errorf("no protocol: %v", err)
		}
		return nil
	})
}

// CloseClients ends TLS in an orderly way.
func TestTLSCloseClients(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	client.MaxVersion = tls.VersionTLS12 // in which one sees what a record is
	onSockets(t, func(ctx context.Context) error {
		srv := serving(t, ctx, echo, asyncio.WithTLS(server))
		here := asyncio.NewEvent()
		l := mustLoop(ctx)
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			return asyncio.ToThreadFunc(ctx, func(context.Context) error {
				raw, err := netDial(ctx, "tcp", srv.Addr().String())
				if err != nil {
					return err
				}
				seen := &witness{Conn: raw}
				c := tls.Client(seen, client)
				defer c.Close()
				if _, err := c.Write([]byte("here\n")); err != nil {
					return err
				}
				if _, err := c.Read(make([]byte, 5)); err != nil {
					return err
				}
				l.CallSoonThreadsafe(here.Set)
				_, err = c.Read(make([]byte, 5))
				if kinds := seen.records(); err != io.EOF || kinds[len(kinds)-1] != 21 {
					return fmt.Errorf("the client reads %v; the kinds of records are %v", err, kinds)
				}
				return nil
			})
		})
		if err := here.Wait(ctx); err != nil {
			return err
		}
		srv.Close()
		srv.CloseClients()
		_, err := task.Await(ctx)
		return errors.Join(err, srv.WaitClosed(ctx))
	})
}

// A witness is a connection that keeps what was read.
type witness struct {
	net.Conn
	read []byte
}

func (w *witness) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.read = append(w.read, p[:n]...)
	return n, err
}

// records returns of which kinds the records are: 21 is an alert.
func (w *witness) records() (kinds []byte) {
	for p := w.read; len(p) >= 5; {
		kinds = append(kinds, p[0])
		p = p[min(len(p), 5+int(p[3])<<8+int(p[4])):]
	}
	return kinds
}

// startTLSServer speaks in the clear, goes over to TLS when it is asked to, and
// echoes a line.
func startTLSServer(cfg *tls.Config) asyncio.StreamHandler {
	return func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
		defer w.Close()
		line, err := r.ReadLine(ctx)
		if err != nil || string(line) != "STARTTLS\n" {
			return fmt.Errorf("the request is %q, %v", line, err)
		}
		w.WriteString("go ahead\n")
		if err := w.StartTLS(ctx, cfg); err != nil {
			return err
		}
		if line, err = r.ReadLine(ctx); err != nil {
			return err
		}
		w.WriteString("secret " + string(line))
		return w.Drain(ctx)
	}
}

func TestStartTLS(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		srv := serving(t, ctx, startTLSServer(server))
		defer srv.Close()

		// By a stream.
		r, w, err := asyncio.OpenConnection(ctx, "tcp", srv.Addr().String())
		if err != nil {
			return err
		}
		w.WriteString("STARTTLS\n")
		if line, err := r.ReadLine(ctx); string(line) != "go ahead\n" {
			t.Errorf("%q, %v", line, err)
		}
		before := w.Transport()
		if err := w.StartTLS(ctx, client); err != nil {
			return err
		}
		if w.Transport() == before || w.ExtraInfo("ssl_object") == nil {
			t.Error("the writer has its old transport")
		}
		w.WriteString("by a stream\n")
		if line, err := r.ReadLine(ctx); string(line) != "secret by a stream\n" {
			t.Errorf("%q, %v", line, err)
		}
		if _, err := r.ReadLine(ctx); err != io.EOF {
			t.Errorf("at the end: %v", err)
		}
		w.Close()
		if err := w.WaitClosed(ctx); err != nil {
			return err
		}

		// By a protocol: it is not told of a connection again.
		tr, p, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", srv.Addr().String())
		if err != nil {
			return err
		}
		tr.Write([]byte("STARTTLS\n"))
		p.until(ctx, "data")
		over, err := tr.Loop().StartTLS(ctx, tr, p, client)
		if err != nil {
			return err
		}
		over.Write([]byte("by a protocol\n"))
		if err := p.lost.Wait(ctx); err != nil {
			return err
		}
		p.check(t, "made data data eof lost")
		if s := p.data.String(); s != "go ahead\nsecret by a protocol\n" || p.lostErr != nil {
			t.Errorf("%q, %v", s, p.lostErr)
		}

		// By crypto/tls.
		return asyncio.ToThreadFunc(ctx, func(context.Context) error {
			raw, err := netDial(ctx, "tcp", srv.Addr().String())
			if err != nil {
				return err
			}
			defer raw.Close()
			fmt.Fprintf(raw, "STARTTLS\n")
			if line, err := bufio.NewReader(raw).ReadString('\n'); line != "go ahead\n" {
				return fmt.Errorf("%q, %v", line, err)
			}
			c := tls.Client(raw, client)
			fmt.Fprintf(c, "by crypto/tls\n")
			all, err := io.ReadAll(c)
			if string(all) != "secret by crypto/tls\n" {
				return fmt.Errorf("%q, %v", all, err)
			}
			return c.Close()
		})
	})
}

// What is sent in the clear after the request, to be taken for something that came
// by TLS, is not.
func TestStartTLSInjection(t *testing.T) {
	server, _ := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		result := asyncio.NewFuture[string](mustLoop(ctx))
		srv := serving(t, ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			err := startTLSServer(server)(ctx, r, w)
			result.SetResult(fmt.Sprint(err))
			return nil
		})
		defer srv.Close()
		r, w, err := asyncio.OpenConnection(ctx, "tcp", srv.Addr().String())
		if err != nil {
			return err
		}
		w.WriteString("STARTTLS\nDELETE everything\n")
		text, err := result.Await(ctx)
		if !strings.Contains(text, "does not look like a TLS handshake") {
			t.Errorf("the server says %s", text)
		}
		r.Read(ctx, -1)
		w.Close()
		w.WaitClosed(ctx)
		return err
	})
}

// TLS goes over TLS.
func TestStartTLSTwice(t *testing.T) {
	server, client := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		srv := serving(t, ctx, startTLSServer(server), asyncio.WithTLS(server))
		defer srv.Close()
		r, w, err := asyncio.OpenConnection(ctx, "tcp", srv.Addr().String(), asyncio.WithTLS(client))
		if err != nil {
			return err
		}
		w.WriteString("STARTTLS\n")
		if _, err := r.ReadLine(ctx); err != nil {
			return err
		}
		if err := w.StartTLS(ctx, client); err != nil {
			return err
		}
		w.WriteString("twice\n")
		if all, err := r.Read(ctx, -1); string(all) != "secret twice\n" {
			t.Errorf("%q, %v", all, err)
		}
		w.Close()
		return w.WaitClosed(ctx)
	})
}

func TestStartTLSRefuses(t *testing.T) {
	_, client := asyncio.NewTLSConfigs(t)
	onSockets(t, func(ctx context.Context) error {
		tr, p, peer := dial(t, ctx, newRecorder)
		if _, err := tr.Loop().StartTLS(context.Background(), tr, p, client); !errors.Is(err, asyncio.ErrNoRunningLoop) {
			t.Errorf("in no task: %v", err)
		}
		peer.Close()
		if _, err := tr.Loop().StartTLS(ctx, tr, p, client); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a peer that has closed: %v", err)
		}
		if err := p.lost.Wait(ctx); err != nil {
			return err
		}
		p.check(t, "made lost")
		if _, err := tr.Loop().StartTLS(ctx, tr, p, client); err == nil || !strings.Contains(err.Error(), "closing") {
			t.Errorf("on a transport that is closed: %v", err)
		}
		return nil
	})
}
