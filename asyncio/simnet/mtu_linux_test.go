package simnet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// What a program of datagrams sees on a narrow way is the same in a simulation as on
// Linux: a host, a router and a server, each a network namespace, with pairs of veth
// between them. That is in a child, with which the namespaces end.
func TestNarrowWayAsOnLinux(t *testing.T) {
	const variable = "SIMNET_LINUX_WAY"
	networks := []string{"udp4", "udp6"}
	if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil {
		networks = networks[:1]
	}
	if to := os.Getenv(variable); to != "" {
		seen, err := json.Marshal(sights(t, networks, newLinuxWay(t)))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, seen, 0o600))
		return
	}
	needed := os.Getenv("CI") == "true" && os.Getuid() == 0
	if _, err := exec.LookPath("ip"); err != nil && !needed {
		t.Skip("there is no command ip, of iproute2")
	}
	to := filepath.Join(t.TempDir(), "seen")
	c := exec.Command(os.Args[0], "-test.run=^TestNarrowWayAsOnLinux$", "-test.timeout=1m")
	c.Env = append(os.Environ(), variable+"="+to)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) && !needed {
		t.Skip("network namespaces are not permitted here: ", err)
	}
	require.NoError(t, err, "%s", out)
	written, err := os.ReadFile(to)
	require.NoError(t, err)
	var linux [][]string
	require.NoError(t, json.Unmarshal(written, &linux))
	simulated := sights(t, networks, &simulatedWay{})
	require.Len(t, linux, len(networks)*len(narrowPrograms))
	require.Len(t, simulated, len(linux))
	for i, seen := range linux {
		assert.Equal(t, seen, simulated[i])
	}
}

// A way is one from a program to a server.
type way interface {
	// next has the way as wide as at first, to another server.
	next(network string)
	host() string
	narrow(bytes int)
	run(t *testing.T, f func(ctx context.Context))
}

// sights are what all programs see.
func sights(t *testing.T, networks []string, w way) (all [][]string) {
	w.run(t, func(ctx context.Context) {
		for _, network := range networks {
			for _, program := range narrowPrograms {
				w.next(network)
				p := &prober{t: t, ctx: ctx, way: w, network: network, seen: []string{network + ": " + program.name}}
				p.marks = p.dial("7000")
				p.came()
				program.run(p)
				p.marks.Close()
				all = append(all, p.seen)
			}
		}
	})
	return all
}

// A prober does what a program may do, and writes down what it sees.
type prober struct {
	t       *testing.T
	ctx     context.Context
	way     way
	network string
	marks   net.Conn
	seen    []string
}

func (p *prober) note(format string, a ...any) { p.seen = append(p.seen, fmt.Sprintf(format, a...)) }

// says is an error in short.
func says(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

func (p *prober) dial(port string) net.Conn {
	c, err := asyncio.Dial(p.ctx, p.network, net.JoinHostPort(p.way.host(), port))
	require.NoError(p.t, err)
	return c
}

func (p *prober) listen() net.PacketConn {
	pc, err := asyncio.ListenPacket(p.ctx, p.network, ":0")
	require.NoError(p.t, err)
	return pc
}

// header is what a datagram has besides its payload.
func (p *prober) header() int {
	if p.network == "udp6" {
		return 48
	}
	return 28
}

// write sends a datagram that has so many bytes, with its headers.
func (p *prober) write(c net.Conn, size int) {
	_, err := c.Write(make([]byte, size-p.header()))
	p.note("write %d: %s", size, says(err))
}

func (p *prober) writeTo(c net.PacketConn, size int) {
	_, err := c.WriteTo(make([]byte, size-p.header()), &net.UDPAddr{IP: net.ParseIP(p.way.host()), Port: 7000})
	p.note("write %d to: %s", size, says(err))
}

func (p *prober) read(c net.Conn) {
	n, err := c.Read(make([]byte, 1<<16))
	p.note("read %d: %s", n, says(err))
}

// came notes what the server has received since the last time. Then what else was sent
// before has its answer, too.
func (p *prober) came() {
	_, err := p.marks.Write([]byte("?"))
	require.NoError(p.t, err)
	b := make([]byte, 1000)
	n, err := p.marks.Read(b)
	require.NoError(p.t, err)
	p.note("came: %s", b[:n])
}

// serveSizes answers a datagram of one byte with the lengths, headers included, of those
// that have come since the last one, and one of two bytes with the same.
func serveSizes(pc net.PacketConn, header int) error {
	sizes := []int{}
	for b := make([]byte, 1<<16); ; {
		n, from, err := pc.ReadFrom(b)
		switch {
		case err != nil:
			return err
		case n == 1:
			_, err = pc.WriteTo(fmt.Append(nil, sizes), from)
			sizes = sizes[:0]
		case n == 2:
			_, err = pc.WriteTo(b[:n], from)
		default:
			sizes = append(sizes, n+header)
		}
		if err != nil {
			return err
		}
	}
}

var narrowPrograms = []struct {
	name string
	run  func(p *prober)
}{
	{"connected", func(p *prober) {
		c := p.dial("7000")
		defer c.Close()
		p.write(c, 1280)
		p.way.narrow(1280)
		p.write(c, 1280)
		p.write(c, 1281)
		p.came()
		p.read(c)
		p.write(c, 1281)
		p.write(c, 5000)
		p.came()
	}},
	{"one that writes only", func(p *prober) {
		p.way.narrow(1280)
		c := p.dial("7000")
		defer c.Close()
		p.write(c, 1400)
		p.came()
		p.write(c, 1400)
		p.came()
		p.write(c, 1400)
		p.came()
	}},
	{"only who has sent is told", func(p *prober) {
		p.way.narrow(1280)
		c, d := p.dial("7000"), p.dial("7000")
		defer c.Close()
		defer d.Close()
		p.write(c, 1400)
		p.came()
		p.write(d, 1400)
		p.came()
		p.read(c)
		p.write(c, p.header()+2)
		p.came()
		p.read(c)
		p.write(d, 1400)
		p.came()
	}},
	{"an error is before what has come", func(p *prober) {
		p.way.narrow(1280)
		c := p.dial("7000")
		defer c.Close()
		p.write(c, p.header()+2)
		p.came()
		p.write(c, 1400)
		p.came()
		p.read(c)
		p.read(c)
	}},
	{"longer than its own link", func(p *prober) {
		p.way.narrow(1280)
		c := p.dial("7000")
		defer c.Close()
		p.write(c, 5000)
		p.came()
		p.write(c, 1400)
		p.came()
		p.write(c, 5000)
		p.came()
		p.write(c, 5000)
		p.came()
	}},
	{"not connected", func(p *prober) {
		p.way.narrow(1280)
		c := p.listen()
		defer c.Close()
		p.writeTo(c, 1400)
		p.came()
		p.writeTo(c, 1400)
		p.came()
	}},
	{"of two errors one is left", func(p *prober) {
		c := p.dial("7000")
		defer c.Close()
		for _, bytes := range []int{1450, 1400, 1350} {
			p.way.narrow(bytes)
			p.write(c, bytes+1)
			p.came()
		}
		p.read(c)
		p.write(c, p.header()+2)
		p.came()
		p.read(c)
	}},
	{"a port that nobody has", func(p *prober) {
		c := p.dial("1")
		defer c.Close()
		p.write(c, 100)
		p.came()
		p.write(c, 100)
		p.came()
		p.write(c, 100)
		p.came()
		p.read(c)
	}},
	{"narrower", func(p *prober) {
		p.way.narrow(1400)
		c := p.listen()
		defer c.Close()
		p.writeTo(c, 1500)
		p.came()
		p.way.narrow(1300)
		p.writeTo(c, 1500)
		p.came()
		p.writeTo(c, 1401)
		p.came()
		p.writeTo(c, 1400)
		p.came()
		p.writeTo(c, 1400)
		p.came()
		p.way.narrow(1500)
		p.writeTo(c, 1400)
		p.came()
	}},
	{"the longest", func(p *prober) {
		c := p.dial("7000")
		defer c.Close()
		for _, bytes := range []int{65507, 65508, 65527, 65528} {
			p.write(c, p.header()+bytes)
			p.came()
		}
	}},
}

// A linuxWay is one on Linux: from where the process is, by a router.
type linuxWay struct {
	t              *testing.T
	router, server *os.File // their namespaces
	servers        int
	address        string
}

func newLinuxWay(t *testing.T) *linuxWay {
	w := &linuxWay{t: t, router: newSpace(t), server: newSpace(t)}
	here, err := os.Open("/proc/thread-self/ns/net")
	require.NoError(t, err)
	at := func(space *os.File) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), space.Fd()) }
	w.ip(w.router, "link add left type veth peer name eth netns "+at(here))
	w.ip(w.router, "link add right type veth peer name eth netns "+at(w.server))
	for i, end := range []struct {
		side  string
		space *os.File
	}{{"left", here}, {"right", w.server}} {
		w.ip(w.router, fmt.Sprintf("addr add 10.7.%d.1/24 dev %s", i, end.side))
		w.ip(w.router, fmt.Sprintf("addr add fd07:%d::1/64 dev %s nodad", i, end.side))
		w.ip(w.router, fmt.Sprintf("link set %s up", end.side))
		w.ip(end.space, fmt.Sprintf("addr add 10.7.%d.2/24 dev eth", i))
		w.ip(end.space, fmt.Sprintf("addr add fd07:%d::2/64 dev eth nodad", i))
		w.ip(end.space, "link set lo up")
		w.ip(end.space, "link set eth up")
		w.ip(end.space, fmt.Sprintf("route add default via 10.7.%d.1", i))
		w.ip(end.space, fmt.Sprintf("route add default via fd07:%d::1", i))
	}
	for name, value := range map[string]string{"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1", "ipv4/icmp_ratelimit": "0", "ipv6/icmp/ratelimit": "0"} {
		require.NoError(t, within(w.router, func() error { return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0) }))
	}
	return w
}

// newSpace returns a new namespace.
func newSpace(t *testing.T) (space *os.File) {
	require.NoError(t, onThread(func() error {
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			space, err = os.Open("/proc/thread-self/ns/net")
		}
		return err
	}))
	return space
}

// within calls f on a thread that is in a namespace.
func within(space *os.File, f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// onThread calls f on a thread of its own, which ends afterwards.
func onThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		result <- f()
	}()
	return <-result
}

func (w *linuxWay) ip(space *os.File, args string) {
	w.t.Helper()
	require.NoError(w.t, within(space, func() error {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
		return nil
	}))
}

// next has a server with an address of its own, because the system remembers what passes
// for each.
func (w *linuxWay) next(network string) {
	w.narrow(1500)
	w.servers++
	header := 28
	if w.address = fmt.Sprintf("10.7.1.%d", 10+w.servers); network == "udp6" {
		header = 48
		w.address = fmt.Sprintf("fd07:1::%d", 10+w.servers)
		w.ip(w.server, "addr add "+w.address+"/64 dev eth nodad")
	} else {
		w.ip(w.server, "addr add "+w.address+"/24 dev eth")
	}
	require.NoError(w.t, within(w.server, func() error {
		pc, err := net.ListenPacket(network, net.JoinHostPort(w.address, "7000"))
		if err == nil {
			w.t.Cleanup(func() { pc.Close() })
			go serveSizes(pc, header)
		}
		return err
	}))
}

func (w *linuxWay) host() string { return w.address }

func (w *linuxWay) narrow(bytes int) { w.ip(w.router, fmt.Sprint("link set right mtu ", bytes)) }

func (w *linuxWay) run(t *testing.T, f func(ctx context.Context)) {
	require.NoError(t, asyncio.RunFunc(context.Background(), func(ctx context.Context) error { f(ctx); return nil }))
}

// A simulatedWay is one in a simulation.
type simulatedWay struct {
	ctx     context.Context
	net     *simnet.Network
	server  *simnet.Host
	servers int
	address string
}

func (w *simulatedWay) next(network string) {
	w.servers++
	w.server = w.net.Host(fmt.Sprint("server", w.servers))
	header, lookUp := 28, "ip4"
	if network == "udp6" {
		header, lookUp = 48, "ip6"
	}
	all, _ := w.net.LookupNetIP(w.ctx, lookUp, w.server.Name())
	w.address = all[0].String()
	w.server.Start(func(ctx context.Context) error {
		pc, err := asyncio.ListenPacket(ctx, network, ":7000")
		if err != nil {
			return err
		}
		defer pc.Close()
		return serveSizes(pc, header)
	})
	asyncio.Sleep(w.ctx, 0)
}

func (w *simulatedWay) host() string { return w.address }

func (w *simulatedWay) narrow(bytes int) {
	w.net.Link(w.net.Host(simnet.Outside), w.server).SetMTU(bytes)
}

func (w *simulatedWay) run(t *testing.T, f func(ctx context.Context)) {
	simulate(t, simnet.Config{MTU: 1500}, func(ctx context.Context, n *simnet.Network) {
		w.ctx, w.net = ctx, n
		f(ctx)
	})
}
