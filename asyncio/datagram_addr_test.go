package asyncio_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
)

// told is a protocol that keeps the error it is told.
type told struct {
	asyncio.NopDatagramProtocol
	err chan error
}

func (p *told) ErrorReceived(err error) { p.err <- err }

// What package net says of a wrong address, all three say: a net.PacketConn, a
// DatagramTransport, which tells its protocol what the system says, and SockSendTo.
func TestWrongDatagramAddresses(t *testing.T) {
	onUnix(t)
	for network, host := range map[string]string{"udp4": "127.0.0.1", "udp6": "::1"} {
		theirs, err := net.ListenPacket(network, net.JoinHostPort(host, "0"))
		if err != nil {
			continue // the machine lacks the family
		}
		defer theirs.Close()
		for name, to := range map[string]net.Addr{
			"a zone that there is not": &net.UDPAddr{IP: net.ParseIP("fe80::1"), Port: 9, Zone: "nope"},
			"IPv6":                     &net.UDPAddr{IP: net.ParseIP("2001:db8::1"), Port: 0},
			"IPv4":                     &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 0},
			"no IP at all":             &net.UDPAddr{IP: net.IP{1, 2, 3}, Port: 9},
			"port 0":                   &net.UDPAddr{IP: net.ParseIP(host)},
			"TCP's":                    &net.TCPAddr{IP: net.ParseIP(host), Port: 9},
			"a path":                   &net.UnixAddr{Name: "x", Net: "unixgram"},
			"a nil pointer":            (*net.UDPAddr)(nil),
		} {
			_, want := theirs.WriteTo([]byte("x"), to)
			if want == nil {
				continue
			}
			inTask(t, func(ctx context.Context, l *asyncio.Loop) {
				check := func(what string, err error) {
					t.Helper()
					op, wanted := opOf(t, network+" "+name+" "+what, err), want.(*net.OpError)
					if op.Op != wanted.Op || op.Net != wanted.Net || !sameAddr(op.Addr, wanted.Addr) || op.Source == nil || op.Err.Error() != wanted.Err.Error() {
						t.Errorf("%s, %s: %s: %v, want %v", network, name, what, op, want)
					}
				}
				pc, err := asyncio.ListenPacket(ctx, network, net.JoinHostPort(host, "0"))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = pc.WriteTo([]byte("x"), to)
				check("PacketConn", err)
				pc.Close()

				tr, p, err := asyncio.CreateDatagramEndpoint(ctx, func() *told { return &told{err: make(chan error, 1)} }, network, asyncio.WithLocalAddr(net.JoinHostPort(host, "0")))
				if err != nil {
					t.Error(err)
					return
				}
				if err = tr.SendTo([]byte("x"), to); err == nil { // the system is asked
					asyncio.ToThreadFunc(ctx, func(context.Context) error {
						select {
						case err = <-p.err:
						case <-time.After(tooLate):
						}
						return nil
					})
				}
				check("DatagramTransport", err)
				tr.Close()

				if !asyncio.WatchesDescriptors || overNetwork != nil {
					return
				}
				s, err := asyncio.NewSocket(network)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				assert.NoError(t, s.Bind(net.JoinHostPort(host, "0")))
				_, err = s.SendTo(ctx, []byte("x"), to)
				check("SockSendTo", err)
			})
		}
	}
}
