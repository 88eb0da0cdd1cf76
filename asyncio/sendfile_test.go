//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// inEachWay runs f with a connection by which a file is sent by the system, by
// pieces, and by TLS. peer is the other side.
func inEachWay(t *testing.T, f func(t *testing.T, ctx context.Context, tr asyncio.Transport, p *recorder, peer net.Conn)) {
	server, client := asyncio.NewTLSConfigs(t)
	for _, way := range []string{"system", "pieces", "TLS"} {
		if way == "system" && !asyncio.WatchesDescriptors {
			continue // it always goes by pieces
		}
		t.Run(way, func(t *testing.T) {
			asyncio.SetSendfile(way == "system")
			defer asyncio.SetSendfile(true)
			var opts []asyncio.ConnectOption
			if way == "TLS" {
				opts = append(opts, asyncio.WithTLS(client, asyncio.WithTLSServerHostname("example.test")))
			}
			onSockets(t, func(ctx context.Context) error {
				ln, err := netListen(ctx, "tcp", "127.0.0.1:0")
				if err != nil {
					return err
				}
				defer ln.Close()
				accepting := asyncio.CreateTask(ctx, func(ctx context.Context) (net.Conn, error) {
					return asyncio.ToThread(ctx, func(context.Context) (net.Conn, error) {
						c, err := ln.Accept()
						if err != nil || way != "TLS" {
							return c, err
						}
						over := tls.Server(c, server)
						return over, over.Handshake()
					})
				})
				tr, p, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", ln.Addr().String(), opts...)
				if err != nil {
					return err
				}
				peer, err := accepting.Await(ctx)
				if err != nil {
					return err
				}
				defer peer.Close()
				f(t, ctx, tr, p, peer)
				tr.Abort()
				return p.lost.Wait(ctx)
			})
		})
	}
}

// testFile returns a file with this content.
func testFile(t *testing.T, content []byte) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	return f
}

// readingAll reads n bytes of c, on a goroutine.
func readingAll(ctx context.Context, c net.Conn, n int) *asyncio.Task[[]byte] {
	return asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) {
		return asyncio.ToThread(ctx, func(context.Context) ([]byte, error) {
			p := make([]byte, n)
			got, err := io.ReadFull(c, p)
			return p[:got], err
		})
	})
}

func TestSendFile(t *testing.T) {
	content := counted(3_000_000)
	size := int64(len(content))
	f := testFile(t, content)
	inEachWay(t, func(t *testing.T, ctx context.Context, tr asyncio.Transport, p *recorder, peer net.Conn) {
		for _, part := range []struct{ offset, count, sent int64 }{
			{0, 0, size}, {5, 0, size - 5}, {7, 10, 10}, {size - 3, 100, 3}, {size + 3, 0, 0}, {1, 1_000_000, 1_000_000},
		} {
			before, after := counted(5_000_000), []byte("after")
			want := slices.Concat(before, content[min(part.offset, size):][:part.sent], after)
			received := readingAll(ctx, peer, len(want))
			tr.Write(before)
			n, err := tr.Loop().SendFile(ctx, tr, f, part.offset, part.count)
			if err != nil || n != part.sent {
				t.Errorf("%+v: sent %d, %v", part, n, err)
			}
			if at, _ := f.Seek(0, io.SeekCurrent); at != part.offset+n {
				t.Errorf("%+v: the position in the file is %d", part, at)
			}
			assert.NoError(t, tr.Write(after))
			if got, err := received.Await(ctx); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%+v: received %d bytes of %d, %v", part, len(got), len(want), err)
			}
		}
	})
}

// While a file is sent nothing is received, and nothing else can be written.
func TestSendFileKeepsOthersOut(t *testing.T) {
	content := counted(16 << 20)
	f := testFile(t, content)
	inEachWay(t, func(t *testing.T, ctx context.Context, tr asyncio.Transport, p *recorder, peer net.Conn) {
		sending := asyncio.CreateTask(ctx, func(ctx context.Context) (int64, error) {
			return tr.Loop().SendFile(ctx, tr, f, 0, 0)
		})
		asyncio.Sleep(ctx, 0)
		if _, err := peer.Write([]byte("request")); err != nil {
			t.Error(err)
		}
		refused := map[string]func() error{
			"Write":      func() error { return tr.Write([]byte("x")) },
			"WriteLines": func() error { return tr.WriteLines([]byte("x"), []byte("y")) },
			"SendFile":   func() error { _, err := tr.Loop().SendFile(ctx, tr, f, 0, 0); return err },
			"StartTLS": func() error {
				_, err := tr.Loop().StartTLS(ctx, tr, newRecorder(), &tls.Config{InsecureSkipVerify: true})
				return err
			},
		}
		if tr.CanWriteEOF() {
			refused["WriteEOF"] = tr.WriteEOF
		}
		for range 20 {
			for name, call := range refused {
				if err := call(); pyName(err) != "RuntimeError" {
					t.Errorf("%s: %v", name, err)
				}
			}
			asyncio.Sleep(ctx, time.Millisecond)
		}
		if sending.Done() {
			t.Fatal("all was sent to one who does not read")
		}
		p.check(t, "made pause")
		got, err := readingAll(ctx, peer, len(content)).Await(ctx)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("received %d bytes, %v", len(got), err)
		}
		if n, err := sending.Await(ctx); n != int64(len(content)) || err != nil {
			t.Errorf("sent %d, %v", n, err)
		}
		for len(p.events) < 4 && ctx.Err() == nil {
			p.told.Clear()
			p.told.Wait(ctx)
		}
		if slices.Contains(p.events[2:], "data") && !asyncio.WatchesDescriptors {
			p.events = []string{"made", "pause", "resume", "data"} // the last two come as they may
		}
		p.check(t, "made pause resume data")
		if p.data.String() != "request" {
			t.Errorf("received %q", &p.data)
		}
		if err := tr.Write([]byte("x")); err != nil {
			t.Error("afterwards: ", err)
		}
	})
}

// It returns when all has gone out, also what it has sent by pieces.
func TestSendFileWaitsForTheLastPiece(t *testing.T) {
	f := testFile(t, counted(100_000))
	inEachWay(t, func(t *testing.T, ctx context.Context, tr asyncio.Transport, p *recorder, peer net.Conn) {
		if strings.HasSuffix(t.Name(), "/system") {
			return // nothing is ever left to the transport
		}
		for tr.WriteBufferSize() == 0 { // nobody reads, so at some time there is no more room
			sending := asyncio.CreateTask(ctx, func(ctx context.Context) (int64, error) {
				return tr.Loop().SendFile(ctx, tr, f, 0, 0)
			})
			for !sending.Done() && tr.WriteBufferSize() == 0 {
				asyncio.Sleep(ctx, time.Millisecond)
			}
			if left := tr.WriteBufferSize(); sending.Done() && left > 0 {
				t.Errorf("it has returned with %d bytes to be sent", left)
			}
			if !sending.Done() {
				sending.Cancel()
				sending.Await(ctx)
			}
		}
	})
}

// A SendFile that is cancelled says how much it has sent; so another can go on.
func TestSendFileCancelled(t *testing.T) {
	content := counted(24 << 20)
	f := testFile(t, content)
	inEachWay(t, func(t *testing.T, ctx context.Context, tr asyncio.Transport, p *recorder, peer net.Conn) {
		before := counted(100)
		tr.Write(before)
		sent := int64(0)
		send := func(ctx context.Context) (asyncio.None, error) {
			n, err := tr.Loop().SendFile(ctx, tr, f, sent, 0)
			sent += n
			return asyncio.None{}, err
		}
		for i := 0; (i < 3 || sent == 0) && ctx.Err() == nil; i++ { // nobody reads, so none of them can end
			sending := asyncio.CreateTask(ctx, send)
			for range 3 * i {
				asyncio.Sleep(ctx, time.Millisecond)
			}
			asyncio.Sleep(ctx, 0)
			sending.Cancel()
			if _, err := sending.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
				t.Error(err)
			}
			if at, _ := f.Seek(0, io.SeekCurrent); at != sent {
				t.Errorf("after %d bytes the position in the file is %d", sent, at)
			}
		}
		if sent == 0 || sent >= int64(len(content)) {
			t.Errorf("%d bytes were sent before the last cancel", sent)
		}
		received := readingAll(ctx, peer, len(before)+len(content))
		if _, err := send(ctx); err != nil || sent != int64(len(content)) {
			t.Errorf("sent %d in all, %v", sent, err)
		}
		if got, err := received.Await(ctx); err != nil || !bytes.Equal(got, slices.Concat(before, content)) {
			t.Errorf("received %d bytes, %v", len(got), err)
		}
	})
}

// What ends the connection ends a SendFile.
func TestSendFileEnds(t *testing.T) {
	f := testFile(t, counted(24<<20))
	ends := []struct {
		name string
		end  func(tr asyncio.Transport, peer net.Conn)
		is   []error
	}{
		{"Close", func(tr asyncio.Transport, _ net.Conn) { tr.Close() }, []error{asyncio.ErrConnectionLost}},
		{"Abort", func(tr asyncio.Transport, _ net.Conn) { tr.Abort() }, []error{asyncio.ErrConnectionLost}},
		{"reset", func(_ asyncio.Transport, peer net.Conn) {
			raw := peer
			if over, ok := peer.(*tls.Conn); ok {
				raw = over.NetConn()
			}
			raw.(tcpConn).SetLinger(0)
			raw.Close()
		}, []error{syscall.ECONNRESET, syscall.EPIPE}},
	}
	for _, end := range ends {
		for _, buffered := range []int{0, 16 << 20} { // it waits for room, or for what was written before
			t.Run(end.name, func(t *testing.T) {
				inEachWay(t, func(t *testing.T, ctx context.Context, tr asyncio.Transport, p *recorder, peer net.Conn) {
					tr.Write(make([]byte, buffered))
					sending := asyncio.CreateTask(ctx, func(ctx context.Context) (int64, error) {
						return tr.Loop().SendFile(ctx, tr, f, 0, 0)
					})
					for range 5 {
						asyncio.Sleep(ctx, time.Millisecond)
					}
					if sending.Done() {
						t.Fatal("it has ended already")
					}
					end.end(tr, peer)
					if end.name == "Close" { // what was written before is sent
						drained := asyncio.Go(ctx, func(ctx context.Context) error {
							return asyncio.ToThreadFunc(ctx, func(context.Context) error {
								_, err := io.Copy(io.Discard, peer)
								return errors.Join(err, peer.Close())
							})
						})
						defer drained.Await(ctx)
					}
					_, err := sending.Await(ctx)
					if !slices.ContainsFunc(end.is, func(is error) bool { return errors.Is(err, is) }) {
						t.Error(err)
					}
				})
			})
		}
	}
}

func TestSendFileRefuses(t *testing.T) {
	f := testFile(t, []byte("content"))
	inEachWay(t, func(t *testing.T, ctx context.Context, tr asyncio.Transport, p *recorder, peer net.Conn) {
		refuse := func(what, class string, tr asyncio.WriteTransport, f *os.File, offset, count int64, opts ...asyncio.SendFileOption) {
			t.Helper()
			if n, err := tr.Loop().SendFile(ctx, tr, f, offset, count, opts...); n != 0 || pyName(err) != class {
				t.Errorf("%s: %d, %v", what, n, err)
			}
		}
		refuse("an offset below zero", "ValueError", tr, f, -1, 0)
		refuse("a count below zero", "ValueError", tr, f, 0, -1)
		refuse("no file", "TypeError", tr, nil, 0, 0)
		if filepath.Base(t.Name()) != "system" || runtime.GOOS != "linux" {
			refuse("no fallback", "SendfileNotAvailableError", tr, f, 0, 0, asyncio.SendFileFallback(false))
		} else if n, err := tr.Loop().SendFile(ctx, tr, f, 0, 0, asyncio.SendFileFallback(false)); n != 7 || err != nil {
			t.Errorf("without the fallback: %d, %v", n, err)
		}
		r, w := osPipe(t)
		if _, err := tr.Loop().SendFile(ctx, tr, r, 0, 0); err == nil {
			t.Error("a pipe was sent")
		}
		closed := testFile(t, nil)
		closed.Close()
		if _, err := tr.Loop().SendFile(ctx, tr, closed, 0, 0); !errors.Is(err, os.ErrClosed) {
			t.Error("a file that is closed:", err)
		}
		pipe, _, err := asyncio.ConnectWritePipe(ctx, newListener, w)
		require.NoError(t, err)
		refuse("a pipe's transport", "RuntimeError", pipe, f, 0, 0)
		pipe.Close()
		if _, err := tr.Loop().SendFile(context.Background(), tr, f, 0, 0); !errors.Is(err, asyncio.ErrNoRunningLoop) {
			t.Error("outside:", err)
		}
		if tr.CanWriteEOF() {
			tr.WriteEOF()
			refuse("after WriteEOF", "RuntimeError", tr, f, 0, 0)
		}
		tr.Close()
		refuse("after Close", "RuntimeError", tr, f, 0, 0)
	})
}
