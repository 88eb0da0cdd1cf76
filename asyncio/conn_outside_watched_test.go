//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// kinds are connections of each kind that the system has, of which a can write to b.
func kinds(t *testing.T) map[string]pipeMaker {
	all := map[string]pipeMaker{"tcp": connected("tcp"), "unix": connected("unix")}
	messages := func(network string, addr func(t *testing.T) string) pipeMaker {
		return func(t *testing.T, ctx context.Context) (a, b net.Conn) {
			t.Helper()
			to, err := asyncio.ListenPacket(ctx, network, addr(t))
			require.NoError(t, err)
			if a, err = asyncio.Dial(ctx, network, to.LocalAddr().String()); err != nil {
				t.Fatal(err)
			}
			return a, to.(net.Conn)
		}
	}
	all["udp"] = messages("udp", func(*testing.T) string { return "127.0.0.1:0" })
	all["unixgram"] = messages("unixgram", func(t *testing.T) string { return filepath.Join(t.TempDir(), "s") })
	if overNetwork != nil {
		return all // which has no unixpacket
	}
	path := filepath.Join(t.TempDir(), "packet")
	if ln, err := net.Listen("unixpacket", path); err == nil { // not every system has it
		ln.Close()
		all["unixpacket"] = func(t *testing.T, ctx context.Context) (a, b net.Conn) {
			t.Helper()
			ln, err := asyncio.Listen(ctx, "unixpacket", path)
			require.NoError(t, err)
			defer ln.Close()
			if a, err = asyncio.Dial(ctx, "unixpacket", path); err != nil {
				t.Fatal(err)
			}
			if b, err = ln.Accept(); err != nil {
				t.Fatal(err)
			}
			return a, b
		}
	}
	return all
}

// A goroutine's calls allocate nothing, while the loop runs and after its end.
func TestConnAllocationsOutside(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, make := range kinds(t) {
		var a, b net.Conn
		measure := func(when string) {
			var p, got [64]byte
			later := time.Now().Add(time.Hour)
			for what, set := range map[string]func(){
				"no deadline": func() {},
				"a deadline": func() {
					a.SetWriteDeadline(later)
					b.SetReadDeadline(later)
				},
			} {
				if n := testing.AllocsPerRun(500, func() {
					set()
					if n, err := a.Write(p[:]); n != len(p) || err != nil {
						t.Fatal(n, err)
					}
					if n, err := b.Read(got[:]); n != len(p) || err != nil {
						t.Fatal(n, err)
					}
				}); n > 0 {
					t.Errorf("%s, %s, %s: %v allocations", name, when, what, n)
				}
			}
		}
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			a, b = make(t, ctx)
			asyncio.ToThreadFunc(ctx, func(context.Context) error {
				measure("on a goroutine")
				return nil
			})
		}, asyncio.WithDebug(false))
		measure("after the end of the loop")
		a.Close()
		b.Close()
	}
}

// A Read tells an empty message from the end, whoever calls it.
func TestEmptyMessages(t *testing.T) {
	for name, make := range kinds(t) {
		for _, s := range sides {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				inTask(t, func(ctx context.Context, l *asyncio.Loop) {
					a, b := make(t, ctx)
					defer a.Close()
					defer b.Close()
					stream := name == "tcp" || name == "unix"
					s.run(ctx, func(context.Context) {
						if n, err := b.Read(nil); n != 0 || err != nil {
							t.Error("nothing wanted:", n, err)
						}
						for _, want := range []string{"one", "", "three"} {
							if n, err := a.Write([]byte(want)); n != len(want) || err != nil {
								t.Error("Write:", n, err)
							}
							if stream && want == "" {
								continue
							}
							var p [10]byte
							n, err := b.Read(p[:])
							if end := err == io.EOF; string(p[:n]) != want || end != (want == "" && name == "unixpacket") || err != nil && !end {
								t.Errorf("%q, %v in the place of %q", p[:n], err, want)
							}
						}
						if name == "udp" || name == "unixgram" {
							return
						}
						a.Close()
						if n, err := b.Read(new([1]byte)[:]); n != 0 || err != io.EOF {
							t.Error("the end:", n, err)
						}
					})()
				})
			})
		}
	}
}

// Buffers of package net are written one by one, as docs/net-conn.md says: each is a
// message.
func TestNetBuffers(t *testing.T) {
	for name, make := range kinds(t) {
		for _, s := range sides {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				inTask(t, func(ctx context.Context, l *asyncio.Loop) {
					a, b := make(t, ctx)
					defer a.Close()
					defer b.Close()
					s.run(ctx, func(context.Context) {
						all := net.Buffers{[]byte("one"), []byte("two")}
						if n, err := all.WriteTo(a); n != 6 || err != nil || len(all) != 0 {
							t.Error(n, err, all)
							return
						}
						var p [6]byte
						if name == "tcp" || name == "unix" {
							if _, err := io.ReadFull(b, p[:]); err != nil || string(p[:]) != "onetwo" {
								t.Errorf("%q, %v", p, err)
							}
							return
						}
						for _, want := range []string{"one", "two"} {
							if n, err := b.Read(p[:]); err != nil || string(p[:n]) != want {
								t.Errorf("%q, %v", p[:n], err)
							}
						}
					})()
				})
			})
		}
	}
}
