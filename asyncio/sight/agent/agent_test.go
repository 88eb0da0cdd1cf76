//go:build linux || darwin || freebsd

package agent

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The test's program is the program that is looked at, too: it says a line when it has
// begun, and goes on until its input ends.
func TestMain(m *testing.M) {
	switch os.Getenv("AGENT_TEST") {
	case "":
		os.Exit(m.Run())
	case "waits":
		asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			asyncio.CurrentTask(ctx).SetName("the main task")
			_, err := asyncio.ToThread(ctx, func(context.Context) (int64, error) {
				os.Stdout.WriteString("begun\n")
				return io.Copy(io.Discard, os.Stdin)
			})
			return err
		})
	case "stalls":
		asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			l.SetExceptionHandler(func(_ *asyncio.Loop, what asyncio.ExceptionContext) {
				os.Stdout.WriteString(what.Message + "\n")
				os.Exit(0)
			})
			return new(asyncio.Event).Wait(ctx)
		})
	}
}

// program starts one, with a folder for sockets of its own.
func program(t *testing.T, kind, sight string) *running {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &running{t: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), "AGENT_TEST="+kind, "GREENLET_SIGHT="+sight, "XDG_RUNTIME_DIR="+dir)
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	said, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	p.out, p.said = bufio.NewReader(out), bufio.NewReader(said)
	p.path = filepath.Join(dir, "greenlet", strconv.Itoa(p.cmd.Process.Pid))
	t.Cleanup(func() {
		p.in.Close()
		p.cmd.Wait()
	})
	return p
}

type running struct {
	t         *testing.T
	cmd       *exec.Cmd
	in        io.Closer
	out, said *bufio.Reader
	path      string
}

// says waits for the next line of r, and wants some text in it.
func (p *running) says(r *bufio.Reader, text string) {
	p.t.Helper()
	line, err := r.ReadString('\n')
	require.NoError(p.t, err)
	require.Contains(p.t, line, text)
}

// get asks on the socket.
func (p *running) get(url string) (string, error) {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", p.path)
		},
	}}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

func (p *running) signal() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGUSR1))
}

// A signal opens the socket, the next one closes it, and then it can be opened again.
func TestSignal(t *testing.T) {
	p := program(t, "waits", "")
	p.says(p.out, "begun")
	require.NoFileExists(t, p.path)
	for range 2 {
		p.signal()
		p.says(p.said, p.path)
		text, err := p.get("http://any.host.at.all/tasks.txt")
		require.NoError(t, err)
		assert.Contains(t, text, "the main task: waits in asyncio.ToThread")
		p.signal()
		p.says(p.said, "the socket is closed")
		require.NoFileExists(t, p.path)
		_, err = p.get("http://localhost/")
		require.Error(t, err)
	}
}

// The environment has it open at once, or never.
func TestEnvironment(t *testing.T) {
	p := program(t, "waits", "1")
	p.says(p.said, p.path)
	p.says(p.out, "begun")
	info, err := os.Lstat(p.path)
	require.NoError(t, err)
	assert.Equal(t, 0o600|os.ModeSocket, info.Mode())
	text, err := p.get("http://localhost/metrics")
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(text, "# EOF\n"))

	p = program(t, "waits", "0")
	p.says(p.out, "begun")
	p.signal() // which nobody hears
	p.in.Close()
	said, err := io.ReadAll(p.said)
	require.NoError(t, err)
	assert.Empty(t, string(said))
	assert.NoFileExists(t, p.path)
}

// Nothing listens on a port, whatever was asked for.
func TestNoPort(t *testing.T) {
	p := program(t, "waits", "1")
	p.says(p.out, "begun")
	open, err := os.ReadDir("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/fd")
	if err != nil {
		t.Skip("its descriptors cannot be seen: ", err)
	}
	inodes := make(map[string]bool)
	for _, fd := range open {
		if to, err := os.Readlink("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/fd/" + fd.Name()); err == nil {
			inodes[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		text, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 9 && inodes[fields[9]] {
				t.Errorf("it has a socket of %s: %s", table, line)
			}
		}
	}
}

// With the agent, open or not, a program that stands still is told so.
func TestStandsStill(t *testing.T) {
	for _, sight := range []string{"", "1"} {
		p := program(t, "stalls", sight)
		p.says(p.out, "Deadlock: all tasks wait")
	}
}

// A folder that is not as it must be is said to be so, and the program goes on.
func TestNoSocket(t *testing.T) {
	p := program(t, "waits", "")
	require.NoError(t, os.Mkdir(filepath.Dir(p.path), 0o755))
	p.says(p.out, "begun")
	p.signal()
	p.says(p.said, "has the mode 0755, and others than its owner may use it")
}
