package asyncio

import (
	"net"
	"strings"
	"testing"
)

// The two families are tried in turns, after some of the one that comes first.
func TestInterleaved(t *testing.T) {
	for _, c := range []struct {
		addrs string
		first int
		want  string
	}{
		{"::1 ::2 ::3 1.1.1.1 2.2.2.2", 0, "::1 ::2 ::3 1.1.1.1 2.2.2.2"},
		{"::1 ::2 ::3 1.1.1.1 2.2.2.2", 1, "::1 1.1.1.1 ::2 2.2.2.2 ::3"},
		{"::1 ::2 ::3 1.1.1.1 2.2.2.2", 2, "::1 ::2 1.1.1.1 ::3 2.2.2.2"},
		{"1.1.1.1 2.2.2.2 3.3.3.3 ::1", 1, "1.1.1.1 ::1 2.2.2.2 3.3.3.3"},
		{"1.1.1.1", 5, "1.1.1.1"},
	} {
		var addrs []net.Addr
		for _, ip := range strings.Fields(c.addrs) {
			addrs = append(addrs, &net.TCPAddr{IP: net.ParseIP(ip)})
		}
		var got []string
		for _, a := range interleaved(addrs, c.first) {
			got = append(got, a.(*net.TCPAddr).IP.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s with %d first: %s, want %s", c.addrs, c.first, got, c.want)
		}
	}
}
