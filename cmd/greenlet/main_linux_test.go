package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/look"
	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/target"
)

func start(t *testing.T, scene string) string {
	t.Helper()
	return strconv.Itoa(target.Start(t, target.Build(t, "-ldflags=-s -w"), scene))
}

func TestCommand(t *testing.T) {
	pid := start(t, "names")
	var b bytes.Buffer
	require.NoError(t, run([]string{"ps", pid}, &b))
	assert.Contains(t, b.String(), "process "+pid+", go1.")
	assert.Contains(t, b.String(), `evil\x1b[2J\r\n\u009b`)
	b.Reset()
	require.NoError(t, run([]string{"ps", "-json", pid}, &b))
	var s look.Snapshot
	require.NoError(t, json.Unmarshal(b.Bytes(), &s))
	assert.Equal(t, pid, strconv.Itoa(s.PID))
	b.Reset()
	require.NoError(t, run([]string{"ps"}, &b))
	assert.Regexp(t, `(?m)^`+pid+` +go1\.\S+ +\S+ names$`, b.String())
	b.Reset()
	require.NoError(t, run([]string{"ps", "-json"}, &b))
	assert.Contains(t, b.String(), `"pid":`+pid)

	assert.EqualError(t, run([]string{"ps", "1073741824"}, &b), "there is no process 1073741824")
	assert.EqualError(t, run([]string{"ps", strconv.Itoa(os.Getpid())}, &b),
		fmt.Sprintf("process %d: %s", os.Getpid(), look.ErrNoTable))
	err := run([]string{"pstree", "-socket", pid}, &b)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "process "+pid+" has no socket that answers: ")
}

// Another user's process is refused, and the sentence says what would help.
func TestForeignUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("it takes root to be two users")
	}
	if testing.CoverMode() != "" {
		t.Skip("the other user has nowhere to write what was covered")
	}
	pid := start(t, "nothing")
	exe, err := os.Executable()
	require.NoError(t, err)
	mine := filepath.Join(filepath.Dir(target.Build(t, "-ldflags=-s -w")), "greenlet") // which others may run
	text, err := os.ReadFile(exe)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(mine, text, 0o755))
	cmd := exec.Command(mine, "ps", pid)
	cmd.Dir = "/"
	cmd.Env = []string{"GREENLET_COMMAND=1", "XDG_RUNTIME_DIR=/nowhere"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "%s", out)
	said := string(out)
	assert.True(t, strings.HasPrefix(said, "greenlet: the memory of process "+pid+" may not be read: that takes the same user, "+
		"where kernel.yama.ptrace_scope allows it, or CAP_SYS_PTRACE ("), said)
	assert.Contains(t, said, "ptrace_scope")
	assert.Contains(t, said, `import _ "github.com/go-greenlet/greenlet/asyncio/sight/agent" opens a socket at SIGUSR1`)
	assert.NotContains(t, said, "sudo")
}

// agent answers as package asyncio/sight/agent of a process does.
func agent(t *testing.T, pid int, answer func(w http.ResponseWriter)) {
	t.Helper()
	dir, err := os.MkdirTemp("", "s") // short enough for the path of a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "greenlet"), 0o700))
	l, err := net.Listen("unix", filepath.Join(dir, "greenlet", strconv.Itoa(pid)))
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/tasks.json" || r.Host != "localhost" {
			http.NotFound(w, r)
			return
		}
		answer(w)
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
}

func TestSocket(t *testing.T) {
	agent(t, 42, func(w http.ResponseWriter) { scene(time.Unix(0, 0)).WriteJSON(w, true) })
	var b bytes.Buffer
	require.NoError(t, run([]string{"ps", "-socket", "42"}, &b))
	assert.Equal(t, printed(t, ps, options{}), b.String())

	require.NoError(t, os.Chmod(filepath.Dir(socketPath(42)), 0o777))
	assert.ErrorContains(t, run([]string{"ps", "-socket", "42"}, &b), "can be written by others")
}

func TestSocketAnswers(t *testing.T) {
	said := ""
	agent(t, 42, func(w http.ResponseWriter) { io.WriteString(w, said) })
	for answer, want := range map[string]string{
		`{"v":2}`: "the answer has version 2; this command knows 1",
		`{"v":1`:  "unexpected EOF",
		``:        "EOF",
	} {
		said = answer
		assert.ErrorContains(t, run([]string{"ps", "-socket", "42"}, io.Discard), want)
	}
	said = `{"v":1,"loops":[null,{"id":1,"tasks":[null,{"id":1,"awaits":[1,9],"by":[1],"group":4,"lock":5}],"groups":[null],"locks":[null],` +
		`"blocked":{"stack":[77]},"warnings":[{"id":"W6"}]}],"frames":[{"id":1}]}`
	for _, command := range []string{"ps", "pstree"} {
		assert.NoError(t, run([]string{command, "-socket", "42"}, io.Discard))
	}
	m := newMonitor()
	s, err := (&play{scenes: []*look.Snapshot{scene(time.Unix(1, 0))}}).Look()
	require.NoError(t, err)
	m.see(s, s.Time)
	from, err := openSocket(42)
	require.NoError(t, err)
	s, err = from.Look()
	require.NoError(t, err)
	m.see(s, s.Time)
	assert.NotEmpty(t, m.lines(50))
}

func TestWeb(t *testing.T) {
	h := &pages{from: &play{scenes: []*look.Snapshot{scene(time.Unix(0, 0)), scene(time.Unix(0, 0)), scene(time.Unix(0, 0))}}}
	ask := func(method, path, host string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	assert.Contains(t, ask("GET", "/", "127.0.0.1:80").Body.String(), "<title>greenlet</title>")
	assert.Equal(t, printed(t, ps, options{}), ask("GET", "/ps", "localhost").Body.String())
	assert.Equal(t, printed(t, pstree, options{}), ask("GET", "/pstree", "[::1]:80").Body.String())
	answer := ask("GET", "/tasks.json", "127.0.0.1")
	assert.Contains(t, answer.Body.String(), `"pid":42`)
	assert.Equal(t, "nosniff", answer.Header().Get("X-Content-Type-Options"))
	assert.Equal(t, http.StatusForbidden, ask("GET", "/ps", "evil.example").Code)
	assert.Equal(t, http.StatusMethodNotAllowed, ask("POST", "/ps", "localhost").Code)
	assert.Equal(t, http.StatusNotFound, ask("GET", "/etc", "localhost").Code)
	assert.False(t, h.ended())
	for range failsMost {
		assert.Equal(t, http.StatusBadGateway, ask("GET", "/ps", "localhost").Code)
	}
	assert.True(t, h.ended())
	assert.ErrorContains(t, web(&play{}, io.Discard, options{addr: ":0"}), "is no address of this machine alone")
}

// The command ends when the process has, also if nobody asks for the page.
func TestWebEndsWithTheProcess(t *testing.T) {
	pid, end := target.StartAndEnd(t, target.Build(t, "-ldflags=-s -w"), "names")
	for _, way := range []string{"memory", "socket"} {
		from := source(nil)
		var err error
		if way == "memory" {
			from, err = look.Open(pid)
		} else {
			agent(t, 42, func(w http.ResponseWriter) { scene(time.Unix(0, 0)).WriteJSON(w, true) })
			from, err = openSocket(42)
		}
		require.NoError(t, err)
		over := make(chan error, 1)
		go func() { over <- web(from, io.Discard, options{addr: "127.0.0.1:0"}) }()
		require.NoError(t, from.Alive(), way)
		if way == "memory" {
			end()
		} else {
			require.NoError(t, os.Remove(socketPath(42)))
		}
		select {
		case err := <-over:
			assert.EqualError(t, err, "the process has ended", way)
		case <-time.After(5 * time.Minute):
			require.Fail(t, "goes on", way)
		}
	}
}

// The page of the documentation shows what is printed.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/sight.md")
	require.NoError(t, err)
	release := regexp.MustCompile(`process \d+, go1\S+,|chan\.go:\d+|main\.\S*blocks\.\S+`) // what differs with the release
	for _, scene := range []string{"demo", "channel"} {
		pid := start(t, scene)
		shown := ""
		for began := time.Now(); time.Since(began) < 5*time.Minute; {
			var b bytes.Buffer
			require.NoError(t, run([]string{"ps", pid}, &b))
			shown = b.String()
			if scene == "channel" {
				_, shown, _ = strings.Cut(shown, "\n\n")
			}
			shown = release.ReplaceAllString(shown, "")
			if strings.Contains(release.ReplaceAllString(string(page), ""), "```text\n"+shown+"```\n") {
				shown = ""
				break
			}
		}
		assert.Empty(t, shown, "not in docs/sight.md")
	}
}
